// Entries for tests, and a look into the tables.
#ifndef LLM_TESTS_SERVER_LEDGER_LEDGER_SAMPLES_H_
#define LLM_TESTS_SERVER_LEDGER_LEDGER_SAMPLES_H_

#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "router/usage_ledger.h"
#include "server/ledger/sqlite_database.h"
#include "server/ledger/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/temp_dir.h"

namespace llm::server {

// What a store gets to close in.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

inline absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    throw std::invalid_argument(text);
  }
  return time;
}

inline CallIdentity SampleIdentity(const std::string& request) {
  CallIdentity identity;
  identity.request_id = CallId{request};
  identity.org = "acme";
  identity.team = "desk";
  identity.user = "ann";
  identity.end_user = "end-user";
  identity.key_id = KeyId{"key_1"};
  identity.run_id = "run-7";
  identity.agent = "market_analyst";
  identity.task_type = "technical_analysis";
  identity.task_source = "request";
  identity.symbol = "600519";
  identity.trace_id = "trace";
  identity.client_request_id = "client-1";
  identity.variant = "a";
  identity.door = "http";
  return identity;
}

inline AttemptIntent SampleIntent(const std::string& request,
                                  const std::string& attempt) {
  AttemptIntent intent;
  intent.attempt_id = AttemptId{attempt};
  intent.identity = SampleIdentity(request);
  intent.role = AttemptRole::kFallback;
  intent.ordinal = 1;
  intent.provider = ProviderId{"deepseek"};
  intent.deployment = "deepseek/deepseek-chat";
  intent.public_model = ModelId{"deepseek-chat"};
  intent.upstream_model = ModelId{"deepseek-flash"};
  intent.started = At("2026-11-22T10:00:00.123456Z");
  return intent;
}

inline AttemptRecord SampleAttempt(const std::string& request,
                                   const std::string& attempt) {
  AttemptRecord record;
  record.intent = SampleIntent(request, attempt);
  record.duration = absl::Milliseconds(1500);
  record.time_to_first_content = absl::Milliseconds(300);
  record.outcome = "ok";
  record.http_status = 200;
  record.upstream_code = "none";
  record.served_model = ModelId{"deepseek-flash-1"};
  record.provider_request_id = "req_1";
  record.usage.fresh_input = 100;
  record.usage.cache_read = 20;
  record.usage.output = 30;
  record.usage.reasoning = 0;
  record.usage.video_input = 7;
  record.usage.image_cache_read = 5;
  record.usage.web_searches = 2;
  record.usage.geo = "us";
  record.usage.service_tier = "flex";
  record.usage.reported_cost = "0.01";
  record.usage_source = UsageSource::kProvider;
  record.raw_usage_json = R"({"prompt_tokens":120})";
  record.cost = Money{{"USD"}, 123'456'789};
  record.price_status = "priced";
  record.price_version = "deepseek/deepseek-flash@1";
  record.price_degraded = true;
  record.reason = "primary of general";
  record.next = "stop";
  record.dropped = {"seed", "logit_bias"};
  record.streamed_upstream = true;
  return record;
}

inline RequestRecord SampleRequest(const std::string& request) {
  RequestRecord record;
  record.identity = SampleIdentity(request);
  record.started = At("2026-11-22T10:00:00Z");
  record.duration = absl::Seconds(2);
  record.outcome = "ok";
  record.http_status = 200;
  record.requested_model = ModelId{"auto"};
  record.public_model = ModelId{"deepseek-chat"};
  record.provider = ProviderId{"deepseek"};
  record.attempts = 1;
  record.stream = true;
  record.usage.fresh_input = 100;
  record.usage.output = 30;
  record.usage_source = UsageSource::kProvider;
  record.cost = {Money{{"USD"}, 123'456'789}};
  record.config_version = "v1";
  record.metadata_json = R"({"experiment":"a","symbol":"600519"})";
  record.reason = "primary of general";
  return record;
}

// One whole call: its intent, its attempt and itself.
inline std::vector<LedgerEntry> SampleCall(const std::string& id) {
  return {SampleIntent("r-" + id, "a-" + id),
          SampleAttempt("r-" + id, "a-" + id), SampleRequest("r-" + id)};
}

// What one statement finds, in rows of texts.
inline std::vector<std::vector<std::string>> Rows(const std::string& path,
                                                  const std::string& sql) {
  auto database = Database::Open(path, absl::Seconds(5));
  if (!database.ok()) throw std::runtime_error(database.status().ToString());
  auto statement = (*database)->Prepare(sql);
  if (!statement.ok()) throw std::runtime_error(statement.status().ToString());
  std::vector<std::vector<std::string>> rows;
  absl::StatusOr<bool> more = statement->Step();
  for (; more.ok() && *more; more = statement->Step()) {
    std::vector<std::string>& row = rows.emplace_back();
    for (int i = 0; i < statement->columns(); ++i) {
      row.push_back(statement->IsNull(i) ? "NULL" : statement->Text(i));
    }
  }
  return rows;
}

inline int64_t Count(const std::string& path, const std::string& from) {
  return std::stoll(Rows(path, "SELECT count(*) FROM " + from)[0][0]);
}

// Differs in a forked child, where SystemRandom would repeat its parent.
class ForkedRandom : public Random {
 public:
  uint64_t Bits() override {
    uint64_t bits = 0;
    SecureBytes(&bits, sizeof(bits));
    return bits;
  }
};

// A store in a folder of its own, and a loop to await on.
class StoreFixture {
 public:
  explicit StoreFixture(StoreOptions base = {}) : options_(std::move(base)) {
    options_.path = dir_.File("usage.db");
    options_.clock = &clock_;
    options_.random = &random_;
    options_.group_interval = absl::Milliseconds(10);
  }

  const std::string& path() const { return options_.path; }
  StoreOptions& options() { return options_; }
  boost::asio::io_context& io() { return io_; }
  const TempDir& dir() const { return dir_; }

  std::unique_ptr<SqliteStore> Open() {
    auto store = OpenStore(options_);
    if (!store.ok()) throw std::runtime_error(store.status().ToString());
    return *std::move(store);
  }
  absl::Status Append(UsageLedger& ledger, std::vector<LedgerEntry> entries) {
    return RunTask(io_, ledger.Append(std::move(entries)));
  }
  absl::StatusOr<v1::GetUsageResponse> Query(SqliteStore& store,
                                             v1::GetUsageRequest request = {},
                                             UsageScope scope = {}) {
    // StatusOr has no empty value, which RunTask asks for.
    auto answer = std::make_shared<absl::StatusOr<v1::GetUsageResponse>>(
        absl::UnknownError("not run"));
    RunTask(io_,
            Keep(&store.usage(), std::move(request), std::move(scope), answer));
    return *answer;
  }

 private:
  static Task<void> Keep(
      UsageStore* usage, v1::GetUsageRequest request, UsageScope scope,
      std::shared_ptr<absl::StatusOr<v1::GetUsageResponse>> answer) {
    *answer = co_await usage->Query(std::move(request), std::move(scope));
  }

  TempDir dir_;
  FakeClock clock_;
  ForkedRandom random_;
  boost::asio::io_context io_;
  StoreOptions options_;
};

}  // namespace llm::server

#endif  // LLM_TESTS_SERVER_LEDGER_LEDGER_SAMPLES_H_
