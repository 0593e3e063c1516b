// The command line of llm-service: contract.md section 1.
//
// Exit codes: 0 success, 1 the command failed, 2 wrong usage or a faulty
//             configuration.
// Secrets:    Admin and caller keys come from the environment or from a file,
//             never as an argument: arguments are visible to every user of
//             the machine.
#ifndef LLM_SERVER_CLI_CLI_H_
#define LLM_SERVER_CLI_CLI_H_

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/provider_settings.h"
#include "server/cli/serve.h"

namespace llm::server {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// PEM files for an https service. Empty: the system's CAs; no certificate of
// our own.
struct TlsClientFiles {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

// One exchange with a running service; `key` goes into Authorization, empty:
// none. Errors: kUnavailable when nobody answers at the URL.
using HttpCall = std::function<absl::StatusOr<HttpAnswer>(
    const std::string& method, const std::string& url, const std::string& key,
    const std::string& body, const TlsClientFiles& tls)>;

// What the commands touch outside, so that tests can hand them fakes.
struct CliHost {
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  std::function<std::optional<std::string>(const std::string&)> env;
  std::vector<std::string> env_names;
  const std::vector<BuiltInProvider>* built_in = nullptr;
  std::function<int(const ServeOptions&)> serve;
  HttpCall http;
  absl::Time now;
};

// The process's own streams, environment and network. `serve` is what main
// implements.
CliHost ProcessHost(const std::vector<BuiltInProvider>& built_in,
                    std::function<int(const ServeOptions&)> serve);

// `arguments` without the program's name. Returns the exit code.
int RunCli(const std::vector<std::string>& arguments, const CliHost& host);

// "llm-service 0.1.0 (commit abc, build RelWithDebInfo)".
std::string VersionText();
std::string BuildCommit();
std::string BuildVersion();

}  // namespace llm::server

#endif  // LLM_SERVER_CLI_CLI_H_
