#include "server/cli/cli.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace llm::server {
namespace {

struct Sent {
  std::string method;
  std::string url;
  std::string key;
  std::string body;
  TlsClientFiles tls;
};

// A command line with an environment, a service and a clock of its own.
class FakeHost {
 public:
  FakeHost() {
    host_.out = &out;
    host_.err = &err;
    host_.env = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = env.find(name);
      if (it == env.end()) return std::nullopt;
      return it->second;
    };
    host_.serve = [this](const ServeOptions& options) {
      served = options.config_file;
      return 7;
    };
    host_.http = [this](const std::string& method, const std::string& url,
                        const std::string& key, const std::string& body,
                        const TlsClientFiles& tls) {
      sent.push_back({method, url, key, body, tls});
      return answer;
    };
    host_.now = absl::FromUnixSeconds(1'795'000'000);  // 2026-11-18
  }

  int Run(const std::vector<std::string>& arguments) {
    out.str("");
    err.str("");
    return RunCli(arguments, host_);
  }

  std::map<std::string, std::string> env;
  std::ostringstream out;
  std::ostringstream err;
  std::string served;
  std::vector<Sent> sent;
  absl::StatusOr<HttpAnswer> answer = HttpAnswer{200, "{}"};

 private:
  CliHost host_;
};

// A configuration file that goes away with the object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    REQUIRE(close(mkstemp(path_.data())) == 0);
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/llm_cli_test_XXXXXX";
};

bool Has(const std::ostringstream& text, std::string_view part) {
  return text.str().find(part) != std::string::npos;
}

TEST_CASE("Every command has help with an example", "[cli]") {
  FakeHost host;
  const auto command =
      GENERATE(values<std::vector<std::string>>({{"serve"},
                                                 {"check"},
                                                 {"keys"},
                                                 {"keys", "create"},
                                                 {"keys", "list"},
                                                 {"keys", "revoke"},
                                                 {"providers"},
                                                 {"providers", "list"},
                                                 {"providers", "test"},
                                                 {"usage"},
                                                 {"prices"},
                                                 {"route"}}));
  std::vector<std::string> arguments = command;
  arguments.push_back("--help");
  CHECK(host.Run(arguments) == 0);
  CHECK(Has(host.out, "Example:"));
  CHECK(Has(host.out, "llm-service " + command[0]));
}

TEST_CASE("--version prints version, commit and build", "[cli]") {
  FakeHost host;
  CHECK(host.Run({"--version"}) == 0);
  CHECK(Has(host.out, "llm-service 0."));
  CHECK(Has(host.out, "commit "));
  CHECK(Has(host.out, "build "));
}

TEST_CASE("Wrong usage exits with 2 and says what is wrong", "[cli]") {
  FakeHost host;
  const auto arguments = GENERATE(values<std::vector<std::string>>(
      {{},
       {"serv"},
       {"check"},
       {"keys"},
       {"keys", "create"},
       {"keys", "create", "--name", "a", "--admin-key", "sk-1"},
       {"usage", "--format", "xml"},
       {"route"},
       {"providers"},
       {"providers", "test"},
       {"providers", "test", "a", "--format", "csv"},
       {"prices", "--at", "then"}}));
  CHECK(host.Run(arguments) == 2);
  CHECK_FALSE(host.err.str().empty());
  CHECK(host.sent.empty());
}

TEST_CASE("providers test shows each check and fails with any of them",
          "[cli][OPS-6]") {
  FakeHost host;
  host.env["LLM_SERVICE_ADMIN_KEY"] = "sk-admin";
  host.answer = HttpAnswer{
      200,
      R"({"provider":"acme","model":"m1","ok":false,"checks":[)"
      R"({"name":"chat","outcome":"ok","failure":"ok","upstream_status":200,)"
      R"("latency_ms":812,"served_model":"m1-2026","tokens":{"input":9,)"
      R"("output":1},"usage_source":"provider","cost":{"amount":"0.000012",)"
      R"("currency":"USD"},"dropped":[],"request_id":"r"},)"
      R"({"name":"stream","outcome":"failed","message":"no such model",)"
      R"("failure":"model_not_found","upstream_status":404},)"
      R"({"name":"tool_call","outcome":"skipped",)"
      R"("message":"the model takes no tools"}]})"};
  CHECK(host.Run({"providers", "test", "acme", "--model", "a/b"}) == 1);
  REQUIRE(host.sent.size() == 1);
  CHECK(host.sent[0].method == "POST");
  CHECK(host.sent[0].url ==
        "http://127.0.0.1:8005/admin/v1/providers/acme/test");
  CHECK(host.sent[0].key == "sk-admin");
  CHECK(host.sent[0].body == R"({"model":"a/b"})");
  CHECK(Has(host.out, "acme, model m1"));
  CHECK(Has(host.out, "m1-2026"));
  CHECK(Has(host.out, "9/1"));
  CHECK(Has(host.out, "0.000012 USD"));
  CHECK(Has(host.out, "no such model"));
  CHECK(Has(host.out, "skipped"));
  CHECK(host.Run({"providers", "test", "acme", "--format", "json"}) == 1);
  CHECK(Has(host.out, R"("ok":false)"));
  CHECK(host.sent[1].body == "{}");
}

TEST_CASE("providers list shows who is asked and how they are", "[cli]") {
  FakeHost host;
  host.answer = HttpAnswer{
      200, R"({"providers":[{"id":"acme","dialect":"openai","host":)"
           R"("https://h.test","keys":2,"models":3,"health":"healthy"}]})"};
  CHECK(host.Run({"providers", "list"}) == 0);
  CHECK(host.sent[0].url == "http://127.0.0.1:8005/admin/v1/providers");
  CHECK(Has(host.out, "https://h.test"));
  CHECK(Has(host.out, "healthy"));
}

TEST_CASE("serve hands over its file and returns what it returns", "[cli]") {
  FakeHost host;
  CHECK(host.Run({"serve", "--config", "a.yaml"}) == 7);
  CHECK(host.served == "a.yaml");
}

TEST_CASE("check exits with 0, or 2 with every fault on stderr",
          "[cli][OPS-4]") {
  FakeHost host;
  const ConfigFile good("server: {workers: 1}\n");
  CHECK(host.Run({"check", "--config", good.path()}) == 0);
  CHECK(Has(host.out, ": ok (version "));
  const ConfigFile bad("server:\n  workers: 0\n  drains: 1s\n");
  CHECK(host.Run({"check", "--config", bad.path()}) == 2);
  CHECK(Has(host.err, bad.path() + ":2: server.workers: "));
  CHECK(Has(host.err, bad.path() + ":3: server.drains: unknown key"));
  CHECK(host.out.str().empty());
}

TEST_CASE("keys create sends the admin key and prints the secret once",
          "[cli][keys]") {
  FakeHost host;
  host.env["LLM_SERVICE_ADMIN_KEY"] = "sk-admin";
  host.answer =
      HttpAnswer{200, R"({"key":{"id":"key_1","name":"n"},"secret":"sk-new"})"};
  CHECK(host.Run({"keys", "create", "--name", "n\"x", "--org", "o", "--model",
                  "a", "--model", "b", "--org-admin", "--url",
                  "http://127.0.0.1:1/"}) == 0);
  REQUIRE(host.sent.size() == 1);
  CHECK(host.sent[0].method == "POST");
  CHECK(host.sent[0].url == "http://127.0.0.1:1/admin/v1/keys");
  CHECK(host.sent[0].key == "sk-admin");
  CHECK(host.sent[0].body ==
        R"({"name":"n\"x","org":"o","models":["a","b"],"org_admin":true})");
  CHECK(host.out.str() == "sk-new\n");
  CHECK(Has(host.err, "key_1"));
}

TEST_CASE("keys list and revoke use the published routes", "[cli][keys]") {
  FakeHost host;
  host.answer = HttpAnswer{
      200, R"({"keys":[{"id":"key_1","name":"n","models":["a","b"]}]})"};
  CHECK(host.Run({"keys", "list", "--all"}) == 0);
  CHECK(host.sent[0].url ==
        "http://127.0.0.1:8005/admin/v1/keys?include_revoked=true");
  CHECK(Has(host.out, "key_1"));
  CHECK(Has(host.out, "a,b"));
  CHECK(host.Run({"keys", "revoke", "key_1/../x"}) == 0);
  CHECK(host.sent[1].url ==
        "http://127.0.0.1:8005/admin/v1/keys/key_1%2F..%2Fx/revoke");
}

TEST_CASE("A private CA and a client certificate reach the connection",
          "[cli][tls]") {
  const ConfigFile ca("ca");
  const ConfigFile cert("cert");
  const ConfigFile key("key");
  FakeHost host;
  host.env["LLM_SERVICE_ADMIN_KEY"] = "sk-admin";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"keys", "list"},
        {"keys", "revoke", "key_1"},
        {"usage", "--format", "json"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(),
                     {"--url", "https://h:1", "--ca-file", ca.path(),
                      "--cert-file", cert.path(), "--key-file", key.path()});
    host.Run(arguments);
    REQUIRE(host.sent.size() == 1);
    CHECK(host.sent[0].tls.ca_file == ca.path());
    CHECK(host.sent[0].tls.cert_file == cert.path());
    CHECK(host.sent[0].tls.key_file == key.path());
    host.sent.clear();
  }
  CHECK(host.Run({"keys", "list", "--ca-file", "/no/such"}) == 2);
  CHECK(Has(host.err, "/no/such"));
  CHECK(host.Run({"keys", "list", "--cert-file", cert.path()}) == 2);
  CHECK(Has(host.err, "--key-file"));
  CHECK(host.sent.empty());
}

TEST_CASE("Failures name the fix", "[cli]") {
  FakeHost host;
  host.answer = absl::UnavailableError("connection refused");
  CHECK(host.Run({"keys", "list"}) == 1);
  CHECK(Has(host.err, "no service answers at http://127.0.0.1:8005"));
  CHECK(Has(host.err, "llm-service serve"));
  host.answer = HttpAnswer{401, R"({"error":{"message":"bad key"}})"};
  CHECK(host.Run({"keys", "list"}) == 1);
  CHECK(Has(host.err, "401: bad key"));
  CHECK(Has(host.err, "LLM_SERVICE_ADMIN_KEY"));
  host.answer = HttpAnswer{200, "<html>"};
  CHECK(host.Run({"keys", "list"}) == 1);
  CHECK(Has(host.err, "is --url right?"));
  CHECK(host.Run({"keys", "list", "--admin-key-file", "/no/such"}) == 1);
  CHECK(Has(host.err, "--admin-key-file"));
}

TEST_CASE("usage reports as table, JSON and CSV", "[cli][usage]") {
  FakeHost host;
  host.env["LLM_SERVICE_KEY"] = "sk-caller";
  const std::string report =
      R"({"total":{"requests":3,"tokens":30,"cost":0.000123},"models":{},)"
      R"("currency":"USD","groups":[{"keys":{"model":"=m,1"},"requests":3,)"
      R"("attempts":4,"tokens":{"input":20,"cached_input":5,"output":10,)"
      R"("reasoning":0},"cost":0.000123,"unpriced_requests":0,)"
      R"("estimated_requests":1,"unconverted_requests":2,)"
      R"("cost_native":{"CNY":0.5,"USD":0.000123}}]})";
  host.answer = HttpAnswer{200, report};
  CHECK(host.Run({"usage", "--from", "2026-11-01", "--by", "model,day"}) == 0);
  CHECK(host.sent[0].url ==
        "http://127.0.0.1:8005/v1/usage?from=2026-11-01&by=model,day");
  CHECK(host.sent[0].key == "sk-caller");
  CHECK(Has(host.out, "total: 3 requests, 30 tokens, 0.000123 USD"));
  CHECK(Has(host.out, "not in the total: 2 requests"));
  CHECK(host.Run({"usage", "--format", "csv"}) == 0);
  CHECK(Has(host.out,
            "\"'=m,1\",3,4,20,5,10,0,0.000123,0,1,2,0.5 CNY + 0.000123 USD\n"));
  CHECK(host.Run({"usage", "--format", "json"}) == 0);
  CHECK(host.out.str() == report + "\n");
}

TEST_CASE("A CSV report of nothing still has its header", "[cli][usage]") {
  FakeHost host;
  host.env["LLM_SERVICE_KEY"] = "sk-caller";
  host.answer = HttpAnswer{
      200, R"({"total":{},"models":{},"currency":"USD","groups":[]})"};
  CHECK(host.Run({"usage", "--by", "model,day", "--format", "csv"}) == 0);
  CHECK(host.out.str() ==
        "model,day,requests,attempts,input,cached,output,reasoning,cost,"
        "unpriced,estimated,unconverted,native\n");
}

TEST_CASE("A key variable that is empty hides no other, and blanks go",
          "[cli][keys]") {
  FakeHost host;
  host.env["LLM_SERVICE_ADMIN_KEY"] = "";
  host.env["LLM_SERVICE_KEY"] = " sk-caller\n";
  host.answer = HttpAnswer{401, "{}"};
  CHECK(host.Run({"usage"}) == 1);
  REQUIRE(host.sent.size() == 1);
  CHECK(host.sent[0].key == "sk-caller");
  // A report is for callers too; keys are for the admin alone.
  CHECK(Has(host.err, "LLM_SERVICE_KEY"));
  CHECK(host.Run({"keys", "list"}) == 1);
  CHECK_FALSE(Has(host.err, "LLM_SERVICE_KEY"));
}

TEST_CASE("No field of a CSV report is a formula to a spreadsheet",
          "[cli][usage][SEC-5]") {
  FakeHost host;
  host.env["LLM_SERVICE_KEY"] = "sk-caller";
  const auto [name, field] = GENERATE(table<std::string, std::string>({
      {"=m", "\n\"'=m\","},
      {"-2+3", "\n\"'-2+3\","},
      {"-", "\n\"'-\","},
      {"\\t=m", "\n\"'\t=m\","},
      {"\\r=m", "\n\"'\r=m\","},
      {"-2.5", "\n-2.5,"},
      {"m-1", "\nm-1,"},
  }));
  host.answer =
      HttpAnswer{200, R"({"total":{},"models":{},"currency":"USD","groups":[)"
                      R"({"keys":{"model":")" +
                          name + R"("},"requests":3}]})"};
  CHECK(host.Run({"usage", "--by", "model", "--format", "csv"}) == 0);
  CAPTURE(host.out.str());
  CHECK(Has(host.out, field));
}

TEST_CASE("route explains offline what would be chosen", "[cli][route]") {
  FakeHost host;
  const ConfigFile file(
      "providers: {fake: {dialect: simulated}}\n"
      "models: {m1: {provider: fake}, m2: {provider: fake}}\n"
      "tasks: {mine: {primary: [m1], fallback: [m2]}}\n");
  CHECK(host.Run({"route", "--config", file.path(), "--task", "mine"}) == 0);
  CHECK(Has(host.out, "fake/m1"));
  CHECK(Has(host.out, "fallback"));
  CHECK(host.Run({"route", "--config", file.path(), "--task", "mine",
                  "--json"}) == 0);
  CHECK(Has(host.out, "\"deployment\":\"fake/m2\""));
  CHECK(host.Run({"route", "--config", file.path(), "--model", "m3"}) == 1);
  CHECK_FALSE(host.err.str().empty());
}

TEST_CASE("prices shows the rows in force and where they come from",
          "[cli][prices]") {
  FakeHost host;
  const ConfigFile file(
      "providers: {fake: {dialect: simulated}}\n"
      "models:\n  m1: {provider: fake, upstream: up,\n"
      "    price: {per_million: {input: \"0.15\", output: \"2\"}}}\n");
  CHECK(host.Run({"prices", "--config", file.path(), "--model", "m1"}) == 0);
  CHECK(Has(host.out, "0.15"));
  CHECK(Has(host.out, "configuration"));
  CHECK(host.Run({"prices", "--model", "no-such-model"}) == 1);
  CHECK(Has(host.err, "unknown"));
  // A public name of a provider that is not set up here.
  CHECK(host.Run({"prices", "--model", "deepseek-chat"}) == 0);
  CHECK(host.Run({"prices", "--model", "deepseek-flash"}) == 0);
  CHECK(Has(host.out, "deepseek  deepseek-flash  USD"));
}

}  // namespace
}  // namespace llm::server
