#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <string>

#include "server/ledger/money_functions.h"
#include "tests/server/ledger/ledger_samples.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

struct Row {
  std::string id;
  std::string model = "deepseek-chat";
  std::string provider = "deepseek";
  std::string key = "key_1";
  std::string org = "acme";
  std::string started = "2026-11-22T10:00:00Z";
  std::string currency = "USD";
  int64_t pico = 0;
};

// A call of one attempt that was answered.
std::vector<LedgerEntry> CallOf(const Row& row) {
  AttemptRecord attempt = SampleAttempt("r-" + row.id, "a-" + row.id);
  RequestRecord request = SampleRequest("r-" + row.id);
  for (CallIdentity* identity : {&attempt.intent.identity, &request.identity}) {
    identity->key_id = KeyId{row.key};
    identity->org = row.org;
  }
  attempt.intent.started = request.started = At(row.started);
  attempt.intent.public_model = request.public_model = ModelId{row.model};
  attempt.intent.provider = request.provider = ProviderId{row.provider};
  attempt.cost = Money{{row.currency}, row.pico};
  request.cost = {*attempt.cost};
  return {attempt, request};
}

v1::GetUsageResponse Report(StoreFixture& fixture, SqliteStore& store,
                            const std::vector<std::string>& by,
                            v1::GetUsageRequest request = {},
                            const UsageScope& scope = {}) {
  for (const std::string& name : by) request.add_by(name);
  const auto report = fixture.Query(store, request, scope);
  REQUIRE_THAT(report, IsOk());
  return *report;
}

std::map<std::string, int64_t> RequestsBy(const v1::GetUsageResponse& report) {
  std::map<std::string, int64_t> counts;
  for (const v1::UsageGroup& group : report.groups()) {
    counts[group.keys().begin()->second] = group.requests();
  }
  return counts;
}

TEST_CASE("A row that was appended before the query is in the report",
          "[ledger][usage]") {
  StoreOptions options;
  StoreFixture fixture(options);
  fixture.options().group_interval = absl::Hours(1);
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  for (int i = 1; i <= 5; ++i) {
    REQUIRE_THAT(fixture.Append(*ledger, SampleCall(std::to_string(i))),
                 IsOk());
    CHECK(Report(fixture, *store, {}).total().requests() == i);
  }
}

TEST_CASE("A report counts requests, attempts, tokens and money",
          "[ledger][usage]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  // Two attempts: the first failed, without usage, at another provider.
  AttemptRecord failed = SampleAttempt("r-1", "a-0");
  failed.intent.provider = ProviderId{"openai"};
  failed.intent.public_model = ModelId{"gpt-4o"};
  failed.outcome = "rate_limited";
  failed.usage = {};
  failed.cost.reset();
  REQUIRE_THAT(fixture.Append(*ledger, {failed}), IsOk());
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());

  const v1::GetUsageResponse report = Report(fixture, *store, {"model"});
  CHECK(report.currency() == "USD");
  CHECK(report.total().requests() == 1);
  CHECK(report.total().tokens() == 150);
  CHECK(report.total().cost() == "0.000123456789");
  CHECK(report.models().at("deepseek-chat").requests() == 1);
  CHECK(report.models().at("gpt-4o").requests() == 0);
  REQUIRE(report.groups_size() == 2);
  const v1::UsageGroup& group = report.groups(0);
  CHECK(group.keys().at("model") == "deepseek-chat");
  CHECK(group.requests() == 1);
  CHECK(group.attempts() == 1);
  CHECK(group.tokens().input() == 120);
  CHECK(group.tokens().cached_input() == 20);
  CHECK(group.tokens().output() == 30);
  CHECK(group.tokens().reasoning() == 0);
  CHECK(group.cost_native().at("USD") == "0.000123456789");
  CHECK(report.groups(1).keys().at("model") == "gpt-4o");
  CHECK(report.groups(1).attempts() == 1);
}

TEST_CASE("A failed request counts under its last attempt's model",
          "[ledger][usage]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  RequestRecord request = SampleRequest("r-1");
  request.public_model = {};
  request.provider = {};
  request.requested_model = ModelId{"auto"};
  std::string want = "auto";
  SECTION("none was made: the model it asked for") {}
  SECTION("it asked for what is not served: not under a caller's words") {
    request.requested_model = ModelId{"no-such-model"};
    request.outcome = "model_not_found";
    want = "(unknown)";
  }
  SECTION("two were made: the later one's") {
    AttemptRecord first = SampleAttempt("r-1", "a-1");
    AttemptRecord last = SampleAttempt("r-1", "a-2");
    first.intent.started -= absl::Seconds(1);
    last.intent.public_model = ModelId{"gpt-4o"};
    REQUIRE_THAT(fixture.Append(*ledger, {first, last}), IsOk());
    want = "gpt-4o";
  }
  REQUIRE_THAT(fixture.Append(*ledger, {request}), IsOk());
  const v1::GetUsageResponse report = Report(fixture, *store, {});
  CHECK(report.models().at(want).requests() == 1);
  CHECK(report.total().requests() == 1);
}

TEST_CASE("Sums are exact beyond 64 bits", "[ledger][usage][COST-7]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < 10; ++i) {
    Row row{.id = std::to_string(i)};
    row.pico = kMost;
    REQUIRE_THAT(fixture.Append(*ledger, CallOf(row)), IsOk());
  }
  const v1::GetUsageResponse report = Report(fixture, *store, {"key"});
  CHECK(report.total().cost() == "92233720.36854775807");
  CHECK(report.groups(0).cost_native().at("USD") == "92233720.36854775807");
}

TEST_CASE("Token sums stop at the end of their range", "[ledger][usage]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  for (const char* id : {"a-1", "a-2"}) {
    AttemptRecord record = SampleAttempt("r", id);
    record.usage.output = std::numeric_limits<int64_t>::max();
    REQUIRE_THAT(fixture.Append(*ledger, {record}), IsOk());
  }
  const v1::GetUsageResponse report = Report(fixture, *store, {"key"});
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CHECK(report.groups(0).tokens().output() == kMost);
  CHECK(report.groups(0).tokens().input() == 240);
  CHECK(report.total().tokens() == kMost);
}

TEST_CASE("Each row is converted by its day's rate and rounded once",
          "[ledger][usage][COST-7]") {
  StoreOptions options;
  options.rates = {{"CNY", "USD", "0.5", At("2026-01-01T00:00:00Z")},
                   {"CNY", "USD", "0.25", At("2026-06-01T00:00:00Z")},
                   {"CNY", "EUR", "9", At("2026-01-01T00:00:00Z")}};
  StoreFixture fixture(options);
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  const auto add = [&](const std::string& id, const std::string& started,
                       int64_t pico) {
    Row row{.id = id};
    row.started = started;
    row.currency = "CNY";
    row.pico = pico;
    REQUIRE_THAT(fixture.Append(*ledger, CallOf(row)), IsOk());
  };
  // Half to even, row by row: 0.5 to 0, 1.5 to 2, 2.5 to 2 pico.
  add("1", "2026-05-31T23:59:59.999999Z", 1);
  add("2", "2026-05-31T23:59:59.999999Z", 3);
  add("3", "2026-05-31T23:59:59.999999Z", 5);
  add("4", "2026-06-01T00:00:00Z", 1'000);
  v1::GetUsageResponse report = Report(fixture, *store, {"key"});
  CHECK(report.total().cost() == "0.000000000254");
  CHECK(report.groups(0).cost_native().at("CNY") == "0.000000001009");
  CHECK(report.groups(0).unconverted_requests() == 0);

  add("5", "2025-12-31T23:59:59Z", 1'000'000);  // before any rate
  report = Report(fixture, *store, {"key"});
  CHECK(report.total().cost() == "0.000000000254");
  CHECK(report.groups(0).unconverted_requests() == 1);
  CHECK(report.groups(0).requests() == 5);

  REQUIRE_THAT(store->SetRates("CNY", {}), IsOk());
  report = Report(fixture, *store, {});
  CHECK(report.currency() == "CNY");
  CHECK(report.total().cost() == "0.000001001009");
}

TEST_CASE("Unpriced and estimated requests are counted apart",
          "[ledger][usage][COST-5][COST-8]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  RequestRecord unpriced = SampleRequest("r-1");
  unpriced.unpriced = true;
  RequestRecord estimated = SampleRequest("r-2");
  estimated.usage_source = UsageSource::kEstimated;
  REQUIRE_THAT(fixture.Append(*ledger, {unpriced, estimated}), IsOk());
  const v1::UsageGroup group = Report(fixture, *store, {}).groups(0);
  CHECK(group.requests() == 2);
  CHECK(group.unpriced_requests() == 1);
  CHECK(group.estimated_requests() == 1);
}

TEST_CASE("Requests are grouped by each name of the contract",
          "[ledger][usage]") {
  using Counts = std::map<std::string, int64_t>;
  const auto [by, want] = GENERATE(table<std::string, Counts>({
      {"model", Counts{{"deepseek-chat", 2}, {"gpt-4o", 1}}},
      {"provider", Counts{{"deepseek", 2}, {"openai", 1}}},
      {"day", Counts{{"2026-11-22", 2}, {"2026-11-23", 1}}},
      {"hour", Counts{{"2026-11-22T10:00:00Z", 1},
                      {"2026-11-22T23:00:00Z", 1},
                      {"2026-11-23T00:00:00Z", 1}}},
      {"key", Counts{{"key_1", 2}, {"key_2", 1}}},
      {"org", Counts{{"acme", 1}, {"zeta", 2}}},
      {"user", Counts{{"ann", 3}}},
      {"task_type", Counts{{"technical_analysis", 3}}},
      {"run_id", Counts{{"run-7", 3}}},
      {"agent", Counts{{"market_analyst", 3}}},
  }));
  CAPTURE(by);
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  Row one{.id = "1"};
  Row two{.id = "2", .org = "zeta", .started = "2026-11-22T23:59:59.999Z"};
  Row three{.id = "3", .model = "gpt-4o", .provider = "openai"};
  three.key = "key_2";
  three.org = "zeta";
  three.started = "2026-11-23T00:00:00Z";
  for (const Row& row : {one, two, three}) {
    REQUIRE_THAT(fixture.Append(*ledger, CallOf(row)), IsOk());
  }
  const v1::GetUsageResponse report = Report(fixture, *store, {by});
  CHECK(RequestsBy(report) == want);
  CHECK(report.total().requests() == 3);
  for (const v1::UsageGroup& group : report.groups()) {
    CHECK(group.attempts() == group.requests());
  }
}

TEST_CASE("Groups combine, times bound and filters and scopes narrow",
          "[ledger][usage]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  Row one{.id = "1", .key = "key_1", .org = "acme"};
  Row two{.id = "2", .key = "key_2", .org = "acme"};
  Row three{.id = "3", .key = "key_3", .org = "zeta"};
  three.started = "2026-11-23T00:00:00Z";
  for (const Row& row : {one, two, three}) {
    REQUIRE_THAT(fixture.Append(*ledger, CallOf(row)), IsOk());
  }
  const v1::GetUsageResponse both = Report(fixture, *store, {"org", "day"});
  REQUIRE(both.groups_size() == 2);
  CHECK(both.groups(0).keys().at("org") == "acme");
  CHECK(both.groups(0).keys().at("day") == "2026-11-22");
  CHECK(both.groups(0).requests() == 2);

  const auto total = [&](const v1::GetUsageRequest& request,
                         const UsageScope& scope) {
    return Report(fixture, *store, {}, request, scope).total().requests();
  };
  v1::GetUsageRequest from;
  from.set_from("2026-11-23");
  CHECK(total(from, {}) == 1);
  v1::GetUsageRequest to;
  to.set_to("2026-11-23");
  CHECK(total(to, {}) == 2);
  v1::GetUsageRequest filter;
  (*filter.mutable_filter())["key"] = "key_2";
  CHECK(total(filter, {}) == 1);
  (*filter.mutable_filter())["model"] = "' OR 1=1 --";
  CHECK(total(filter, {}) == 0);
  CHECK(total({}, {.key_id = "key_1", .org = ""}) == 1);
  CHECK(total({}, {.key_id = "", .org = "acme"}) == 2);
  // A filter never widens the scope.
  v1::GetUsageRequest other;
  (*other.mutable_filter())["org"] = "zeta";
  CHECK(total(other, {.key_id = "", .org = "acme"}) == 0);
}

TEST_CASE("An empty store reports nothing", "[ledger][usage]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  const v1::GetUsageResponse report = Report(fixture, *store, {});
  CHECK(report.total().requests() == 0);
  CHECK(report.total().cost() == "0.000000");
  CHECK(report.groups_size() == 0);
  CHECK(report.models_size() == 0);
}

TEST_CASE("A store that has been closed answers that it is unavailable",
          "[ledger][usage]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  REQUIRE_THAT(store->Close(absl::Seconds(5)), IsOk());
  CHECK_THAT(fixture.Query(*store), HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("128-bit sums survive their text form", "[ledger][usage]") {
  const absl::int128 value =
      GENERATE(absl::int128(0), absl::int128(-1), absl::int128(42),
               absl::Int128Max(), absl::Int128Min());
  CHECK(ParseInt128Text(Int128Text(value)) == value);
}

}  // namespace
}  // namespace llm::server
