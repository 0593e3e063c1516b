// The sample that ships, and the one that users read in the documentation.
#include <catch2/catch.hpp>

#include "tests/server/config/config_support.h"

namespace llm::server {
namespace {

// Every key of the published example.
constexpr char kPublished[] = R"yaml(
server:
  http:    {listen: "127.0.0.1:8004"}        # tls: {cert_file: , key_file: , client_ca_file: } on http, grpc and admin
  grpc:    {listen: "127.0.0.1:9004"}
  admin:   {http: "127.0.0.1:8005", grpc: "127.0.0.1:9005"}
  metrics: {listen: "127.0.0.1:9464"}
  workers: 2
  max_body: 32MiB
  drain: 30s
  cors: []
auth:
  mode: keys
  admin_key: "env:LLM_SERVICE_ADMIN_KEY"
store:
  sqlite: "llm-service.db"
providers:
  deepseek: {api_keys: ["env:DEEPSEEK_API_KEY"]}
  openai:   {api_keys: ["env:OPENAI_API_KEY"]}
  qwen:     {api_keys: ["env:DASHSCOPE_API_KEY"], currency: CNY}
  my-vllm:
    dialect: openai
    base_url: "http://127.0.0.1:8000/v1"
    api_keys: ["file:SECRET"]
    timeouts: {connect: 5s, first_content: 120s, idle: 120s, total: 900s}
    proxy: ""
    ca_file: ""
    max_in_flight: 500
models:
  local-qwen:
    provider: my-vllm
    upstream: Qwen/Qwen3-8B
    price: {currency: USD, per_million: {input: "0", output: "0"}}
tasks:
  financial_analysis:
    primary:  [deepseek-chat, gpt-4o]
    fallback: [qwen-plus, gpt-4o-mini]
    prefer: latency
  general: {primary: [deepseek-chat], fallback: [local-qwen]}
routing:
  default_task: general
  max_attempts: 4
usage:
  report_currency: USD
  rates: [{from: CNY, to: USD, rate: "0.14", since: "2026-01-01"}]
)yaml";

TEST_CASE("The published example is accepted with every key of it",
          "[config][sample]") {
  const TempFile secret("sk-vllm\n");
  std::string yaml = kPublished;
  yaml.replace(yaml.find("SECRET"), 6, secret.path());
  const auto config = MustLoad(yaml, {{"LLM_SERVICE_ADMIN_KEY", "sk-a"},
                                      {"DEEPSEEK_API_KEY", "sk-d"},
                                      {"OPENAI_API_KEY", "sk-o"},
                                      {"DASHSCOPE_API_KEY", "sk-q"}});
  CHECK(config->server.workers == 2);
  CHECK(config->auth.mode == AuthMode::kKeys);
  CHECK(config->table->providers.size() == 4);
  CHECK(config->table->models.at("local-qwen").deployments[0].id ==
        "my-vllm/Qwen/Qwen3-8B");
  const TaskRoute& task = config->table->tasks.at("financial_analysis");
  CHECK(task.primary.size() == 2);
  CHECK(task.prefer == Prefer::kLatency);
  REQUIRE(config->usage.rates.size() == 1);
  CHECK(config->usage.rates[0].rate == "0.14");
}

TEST_CASE("The sample that ships is accepted as it is", "[config][sample]") {
  const ConfigResult result = LoadFile(LLM_SAMPLE_CONFIG, {});
  CHECK(result.faults == std::vector<std::string>{});
  REQUIRE(result.config != nullptr);
  CHECK(result.config->table->FindModel("qwen3-8b") != nullptr);
}

}  // namespace
}  // namespace llm::server
