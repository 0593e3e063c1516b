#include "server/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "server/cli/commands.h"

namespace llm::server {
namespace {

// Holds what CLI11 parses into, for as long as the parse lasts.
class Program {
 public:
  explicit Program(const CliHost& host) : host_(host) {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", VersionText());
    AddServe();
    AddCheck();
    AddKeys();
    AddProviders();
    AddUsage();
    AddPrices();
    AddRoute();
  }

  int Run(std::vector<std::string> arguments) {
    // CLI11 takes them last first.
    std::reverse(arguments.begin(), arguments.end());
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error, *host_.out, *host_.err);
      return code == 0 ? 0 : 2;
    }
    return code_;
  }

 private:
  CLI::App* Command(CLI::App* parent, const std::string& name,
                    const std::string& does, const std::string& example) {
    CLI::App* command = parent->add_subcommand(name, does);
    command->footer("Example:\n  llm-service " + example);
    return command;
  }

  void AddServe() {
    CLI::App* command = Command(&app_, "serve", "Run the service",
                                "serve --config llm-service.yaml");
    command->add_option("--config", serve_.config_file,
                        "Configuration; without one, the environment decides");
    command->callback([this] { code_ = host_.serve(serve_); });
  }

  void AddCheck() {
    CLI::App* command =
        Command(&app_, "check",
                "Validate a configuration offline: exit 0, or 2 with faults",
                "check --config llm-service.yaml");
    command->add_option("--config", check_file_, "Configuration")->required();
    command->callback([this] { code_ = RunCheck(check_file_, host_); });
  }

  void AddRemote(CLI::App* command) {
    command->add_option("--url", remote_.url, "Address of the admin listener")
        ->capture_default_str();
    command->add_option("--admin-key-file", remote_.admin_key_file,
                        "File with the admin key; else LLM_SERVICE_ADMIN_KEY");
    const auto pem = [command](const char* name, std::string& file,
                               const char* help) {
      return command->add_option(name, file, help)->check(CLI::ExistingFile);
    };
    pem("--ca-file", remote_.tls.ca_file,
        "PEM file of the CA that signed the service's certificate; default "
        "the system's");
    CLI::Option* cert =
        pem("--cert-file", remote_.tls.cert_file,
            "PEM file with a client certificate, if the service asks for one");
    CLI::Option* key = pem("--key-file", remote_.tls.key_file,
                           "PEM file with the client certificate's key");
    cert->needs(key);
    key->needs(cert);
  }

  void AddKeys() {
    CLI::App* keys = Command(&app_, "keys", "Virtual keys of a running service",
                             "keys create --name laptop");
    keys->require_subcommand(1);
    CLI::App* create =
        Command(keys, "create", "Make a key; its secret shows once",
                "keys create --name laptop --org research "
                "--model deepseek-chat");
    AddRemote(create);
    create->add_option("--name", create_.name, "What people call it")
        ->required();
    create->add_option("--org", create_.org, "Organisation");
    create->add_option("--team", create_.team, "Team");
    create->add_option("--user", create_.user, "User");
    create->add_option("--model", create_.models,
                       "Model it may use; repeat for more; default all");
    create->add_option("--expires-at", create_.expires_at,
                       "RFC 3339 time; default never");
    create->add_flag("--org-admin", create_.org_admin,
                     "May read the usage of its whole organisation");
    create->callback(
        [this] { code_ = RunKeysCreate(remote_, create_, host_); });
    CLI::App* list = Command(keys, "list", "List keys", "keys list --all");
    AddRemote(list);
    list->add_flag("--all", list_all_, "Revoked ones too");
    list->callback([this] { code_ = RunKeysList(remote_, list_all_, host_); });
    CLI::App* revoke =
        Command(keys, "revoke", "Revoke a key", "keys revoke key_01ab");
    AddRemote(revoke);
    revoke->add_option("id", revoke_id_, "The key's id")->required();
    revoke->callback(
        [this] { code_ = RunKeysRevoke(remote_, revoke_id_, host_); });
  }

  void AddProviders() {
    CLI::App* providers =
        Command(&app_, "providers", "Providers of a running service",
                "providers test deepseek");
    providers->require_subcommand(1);
    CLI::App* list = Command(providers, "list", "List them, with their health",
                             "providers list");
    AddRemote(list);
    AddFormat(list);
    list->callback([this] {
      code_ = RunProvidersList(remote_, provider_test_.format, host_);
    });
    CLI::App* test =
        Command(providers, "test",
                "One chat, one stream, one tool call; costs what they cost",
                "providers test deepseek --model deepseek-chat");
    AddRemote(test);
    AddFormat(test);
    test->add_option("id", provider_test_.id, "The provider's id")->required();
    test->add_option("--model", provider_test_.model,
                     "Model to test with; default the first it serves");
    test->callback(
        [this] { code_ = RunProvidersTest(remote_, provider_test_, host_); });
  }

  void AddFormat(CLI::App* command) {
    command->add_option("--format", provider_test_.format, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
  }

  void AddUsage() {
    CLI::App* command = Command(&app_, "usage", "Usage and cost report",
                                "usage --from 2026-11-01 --by model,day");
    AddRemote(command);
    command->add_option("--from", usage_.from, "Date or RFC 3339, inclusive");
    command->add_option("--to", usage_.to, "Date or RFC 3339, exclusive");
    command->add_option("--by", usage_.by,
                        "model, day, hour, user, key, org, task_type, run_id, "
                        "agent, provider; several with commas");
    command->add_option("--format", usage_.format, "table, json or csv")
        ->check(CLI::IsMember({"table", "json", "csv"}))
        ->capture_default_str();
    command->callback([this] {
      if (usage_.by.empty() && usage_.format != "json") usage_.by = "model";
      code_ = RunUsage(remote_, usage_, host_);
    });
  }

  void AddPrices() {
    CLI::App* command =
        Command(&app_, "prices", "Price rows in force and their sources",
                "prices --model deepseek-chat --at 2026-11-17T06:00:00Z");
    command->add_option("--config", prices_.config_file, "Configuration");
    command->add_option("--model", prices_.model, "Only this model");
    command->add_option("--at", prices_.at, "Date or RFC 3339; default now");
    command->callback([this] { code_ = RunPrices(prices_, host_); });
  }

  void AddRoute() {
    CLI::App* command =
        Command(&app_, "route", "Dry run: which model, and why",
                "route --task financial_analysis --config llm-service.yaml");
    command->add_option("--config", route_.config_file, "Configuration");
    command->add_option("--task", route_.task, "Task type");
    command->add_option("--model", route_.model, "Model, alias or auto");
    command->add_flag("--json", route_.json, "As JSON");
    command->callback([this] {
      if (route_.task.empty() && route_.model.empty()) {
        throw CLI::ValidationError("route", "give --task or --model");
      }
      code_ = RunRoute(route_, host_);
    });
  }

  const CliHost& host_;
  CLI::App app_{"A gateway for large language models", "llm-service"};
  int code_ = 0;
  ServeOptions serve_;
  std::string check_file_;
  RemoteOptions remote_;
  KeyCreateOptions create_;
  bool list_all_ = false;
  std::string revoke_id_;
  ProviderTestOptions provider_test_;
  UsageOptions usage_;
  PricesOptions prices_;
  RouteOptions route_;
};

}  // namespace

int RunCli(const std::vector<std::string>& arguments, const CliHost& host) {
  return Program(host).Run(arguments);
}

std::string BuildVersion() { return LLM_BUILD_VERSION; }

std::string BuildCommit() { return LLM_BUILD_COMMIT; }

std::string VersionText() {
  return "llm-service " + BuildVersion() + " (commit " + BuildCommit() +
         ", build " + LLM_BUILD_TYPE + ")";
}

}  // namespace llm::server
