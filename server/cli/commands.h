// One function per command; each returns the exit code.
#ifndef LLM_SERVER_CLI_COMMANDS_H_
#define LLM_SERVER_CLI_COMMANDS_H_

#include <memory>
#include <string>
#include <vector>

#include "server/cli/cli.h"
#include "server/config/config.h"

namespace llm::server {

// How to reach a running service.
struct RemoteOptions {
  std::string url = "http://127.0.0.1:8005";
  std::string admin_key_file;
  TlsClientFiles tls;
};

struct KeyCreateOptions {
  std::string name;
  std::string org;
  std::string team;
  std::string user;
  std::vector<std::string> models;
  std::string expires_at;
  bool org_admin = false;
};

struct UsageOptions {
  std::string from;
  std::string to;
  std::string by;
  std::string format = "table";
};

struct ProviderTestOptions {
  std::string id;
  std::string model;
  std::string format = "table";
};

struct PricesOptions {
  std::string config_file;
  std::string model;
  std::string at;
};

struct RouteOptions {
  std::string config_file;
  std::string task;
  std::string model;
  bool json = false;
};

int RunCheck(const std::string& file, const CliHost& host);
int RunKeysCreate(const RemoteOptions& remote, const KeyCreateOptions& options,
                  const CliHost& host);
int RunKeysList(const RemoteOptions& remote, bool all, const CliHost& host);
int RunKeysRevoke(const RemoteOptions& remote, const std::string& id,
                  const CliHost& host);
int RunUsage(const RemoteOptions& remote, const UsageOptions& options,
             const CliHost& host);
int RunProvidersList(const RemoteOptions& remote, const std::string& format,
                     const CliHost& host);
// 0 only if no check failed.
int RunProvidersTest(const RemoteOptions& remote,
                     const ProviderTestOptions& options, const CliHost& host);
int RunPrices(const PricesOptions& options, const CliHost& host);
int RunRoute(const RouteOptions& options, const CliHost& host);

// Loads, or prints the faults and returns null.
std::shared_ptr<const Config> LoadForCli(const std::string& file,
                                         const CliHost& host);

// Rows under a header, columns aligned.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace llm::server

#endif  // LLM_SERVER_CLI_COMMANDS_H_
