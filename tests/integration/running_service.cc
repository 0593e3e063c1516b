#include "tests/integration/running_service.h"

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <mutex>
#include <optional>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "adapters/registry.h"
#include "server/config/load_config.h"
#include "server/ledger/sqlite_database.h"
#include "tests/integration/service_client.h"

namespace llm {

std::shared_ptr<const server::Config> MakeConfig(
    const Upstream& upstream, const ServiceOptions& options) {
  const TempDir dir;
  std::ofstream(dir.File("config.yaml"))
      << absl::StrCat(R"yaml(
server:
  http: {listen: "127.0.0.1:0"}
  grpc: {listen: "127.0.0.1:0"}
  admin: {http: "127.0.0.1:0", grpc: "127.0.0.1:0"}
  metrics: {listen: "127.0.0.1:0"}
  workers: 2
  drain: )yaml",
                      options.drain, R"yaml(
auth: {mode: keys, admin_key: "env:ADMIN"}
store: {sqlite: ")yaml",
                      options.store, R"yaml("}
providers:
  good: {dialect: openai, base_url: ")yaml",
                      upstream.BaseUrl("good"),
                      R"yaml("}
  bad: {dialect: openai, base_url: ")yaml",
                      upstream.BaseUrl("bad"),
                      R"yaml("}
models:
  main:
    provider: good
    price: {currency: USD, per_million: {input: ")yaml",
                      options.price,
                      R"yaml(", output: "2"}}
  broken: {provider: bad}
tasks:
  general: {primary: [broken], fallback: [main]}
)yaml");
  server::ConfigSources sources;
  sources.file = dir.File("config.yaml");
  sources.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "ADMIN") return std::string(kAdminKey);
    return std::nullopt;
  };
  sources.built_in = &BuiltInProviders();
  server::ConfigResult result = server::LoadConfig(sources);
  for (const std::string& fault : result.faults) UNSCOPED_INFO(fault);
  REQUIRE(result.config != nullptr);
  return result.config;
}

class RunningService::LineCounter
    : public spdlog::sinks::base_sink<std::mutex> {
 public:
  size_t lines() const { return lines_.load(); }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    const std::string_view text(line.payload.data(), line.payload.size());
    if (text.find(R"("event":"request")") != text.npos) ++lines_;
  }
  void flush_() override {}
  std::atomic<size_t> lines_{0};
};

RunningService::RunningService(const Upstream& upstream,
                               const ServiceOptions& options)
    : lines_(std::make_shared<LineCounter>()), logger_("requests", lines_) {
  auto stack = server::HttpStack::Start(MakeConfig(upstream, options),
                                        {"test", "test"}, logger_);
  INFO(stack.status().ToString());
  REQUIRE(stack.ok());
  stack_ = *std::move(stack);
  stack_->SetReady();
}

RunningService::~RunningService() { (void)Stop(); }

absl::Status RunningService::Stop() {
  if (stack_ == nullptr || stopped_) return absl::OkStatus();
  stopped_ = true;
  stack_->BeginDrain();
  stack_->AwaitGrace();
  stack_->CloseDoors();
  return stack_->Finish();
}

size_t RunningService::logged() const { return lines_->lines(); }

NewKey MakeKey(uint16_t admin_port) {
  const std::string answer =
      Ask(admin_port,
          Request("POST", "/admin/v1/keys", kAdminKey, R"({"name":"test"})"));
  // The document refers to the text.
  const std::string body = BodyOf(answer);
  const absl::StatusOr<JsonDocument> made = JsonDocument::Parse(body);
  if (!made.ok()) return {};
  return {made->root().Find("key").Find("id").StringOr(),
          made->root().Find("secret").StringOr()};
}

int RevokeKey(uint16_t admin_port, const std::string& id) {
  return StatusOf(
      Ask(admin_port, Request("DELETE", "/admin/v1/keys/" + id, kAdminKey)));
}

std::multiset<std::string> RequestRows(const std::string& store,
                                       std::string_view outcome) {
  auto database = server::Database::Open(store, absl::Seconds(10));
  REQUIRE(database.ok());
  auto rows =
      (*database)->Prepare("SELECT request_id FROM requests WHERE outcome = ?");
  REQUIRE(rows.ok());
  REQUIRE(rows->BindText(1, outcome).ok());
  std::multiset<std::string> ids;
  for (;;) {
    const absl::StatusOr<bool> more = rows->Step();
    REQUIRE(more.ok());
    if (!*more) return ids;
    ids.insert(rows->Text(0));
  }
}

int64_t QueryStore(const std::string& store, const std::string& sql) {
  auto database = server::Database::Open(store, absl::Seconds(10));
  REQUIRE(database.ok());
  const absl::StatusOr<int64_t> value = (*database)->QueryInt(sql);
  REQUIRE(value.ok());
  return *value;
}

}  // namespace llm
