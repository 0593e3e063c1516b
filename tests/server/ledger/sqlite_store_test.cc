#include "server/ledger/sqlite_store.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "server/ledger/schema.h"
#include "tests/server/ledger/ledger_samples.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

TEST_CASE("A call's rows hold what the entries held", "[ledger][store]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Rows(fixture.path(),
             "SELECT attempt_id, request_id, org, team, user, end_user, "
             "key_id, run_id, agent, task_type, task_source, symbol, "
             "trace_id, variant, door, role, ordinal, provider, deployment, "
             "public_model, upstream_model, started_us, duration_us, "
             "first_content_us FROM attempts") ==
        std::vector<std::vector<std::string>>{{"a-1",
                                               "r-1",
                                               "acme",
                                               "desk",
                                               "ann",
                                               "end-user",
                                               "key_1",
                                               "run-7",
                                               "market_analyst",
                                               "technical_analysis",
                                               "request",
                                               "600519",
                                               "trace",
                                               "a",
                                               "http",
                                               "fallback",
                                               "1",
                                               "deepseek",
                                               "deepseek/deepseek-chat",
                                               "deepseek-chat",
                                               "deepseek-flash",
                                               "1795341600123456",
                                               "1500000",
                                               "300000"}});
  CHECK(Rows(fixture.path(),
             "SELECT fresh_input, cache_read, cache_write_5m, output, "
             "reasoning, service_tier, usage_source, raw_usage, cost_pico, "
             "currency, price_status, price_version, price_degraded, next, "
             "dropped, streamed_upstream, video_input, web_searches, geo "
             "FROM attempts") ==
        std::vector<std::vector<std::string>>{
            {"100", "20", "NULL", "30", "0", "flex", "provider",
             R"({"prompt_tokens":120})", "123456789", "USD", "priced",
             "deepseek/deepseek-flash@1", "1", "stop", "seed,logit_bias", "1",
             "7", "2", "us"}});
  CHECK(Rows(fixture.path(),
             "SELECT request_id, requested_model, public_model, currencies, "
             "unpriced, stream, attempts, outcome, metadata_json, "
             "client_request_id FROM requests") ==
        std::vector<std::vector<std::string>>{
            {"r-1", "auto", "deepseek-chat", "USD", "0", "1", "1", "ok",
             R"({"experiment":"a","symbol":"600519"})", "client-1"}});
}

TEST_CASE("An unknown cost is NULL, a free one is 0",
          "[ledger][store][COST-5]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  AttemptRecord unknown = SampleAttempt("r", "a-unknown");
  unknown.cost.reset();
  AttemptRecord free = SampleAttempt("r", "b-free");
  free.cost->pico = 0;
  REQUIRE_THAT(fixture.Append(*ledger, {unknown, free}), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Rows(fixture.path(),
             "SELECT cost_pico, currency FROM attempts ORDER BY attempt_id") ==
        std::vector<std::vector<std::string>>{{"NULL", "NULL"}, {"0", "USD"}});
}

TEST_CASE("Closing leaves rows in the store and no journal",
          "[ledger][store]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(store->Counters().queue_rows == 0);
  CHECK(store->Counters().rows_total == 2);
  CHECK(store->Counters().rows_dropped == 0);
  CHECK(store->Counters().journal_bytes == 0);
  CHECK(std::filesystem::is_empty(fixture.path() + ".journal"));
  CHECK_THAT(fixture.Append(*ledger, SampleCall("2")),
             HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("The same ids twice are one row, whatever the rest says",
          "[ledger][store][LED-3]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  AttemptRecord again = SampleAttempt("r-1", "a-1");
  again.cost->pico = 1;
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());
  REQUIRE_THAT(fixture.Append(*ledger, {again, SampleRequest("r-1")}), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Rows(fixture.path(), "SELECT cost_pico FROM attempts") ==
        std::vector<std::vector<std::string>>{{"123456789"}});
  CHECK(Count(fixture.path(), "requests") == 1);
}

TEST_CASE("Hostile texts are stored cleanly, and only they change",
          "[ledger][store][LED-3]") {
  using std::string_literals::operator""s;
  const auto [text, want] = GENERATE(table<std::string, std::string>({
      {"a\0b"s,
       "a\xEF\xBF\xBD"
       "b"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xC3", "\xEF\xBF\xBD"},
      {"\xE8\x8C\x85\xF0\x9F\x98\x80", "\xE8\x8C\x85\xF0\x9F\x98\x80"},
      {"'); DROP TABLE attempts; --", "'); DROP TABLE attempts; --"},
  }));
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  AttemptRecord record = SampleAttempt("r", "a");
  record.intent.identity.agent = text;
  record.raw_usage_json = std::string(10'000'000, 'x');
  REQUIRE_THAT(fixture.Append(*ledger, {record}), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Rows(fixture.path(), "SELECT agent, length(raw_usage) FROM attempts") ==
        std::vector<std::vector<std::string>>{{want, "65536"}});
  CHECK(store->Counters().quarantined == 0);
}

TEST_CASE("A row that cannot be stored is set aside alone and without content",
          "[ledger][store][LED-3]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  AttemptRecord nameless = SampleAttempt("r-x", "");
  nameless.raw_usage_json = "canary";
  AttemptRecord oversized = SampleAttempt("r-x", std::string(65, 'i'));
  REQUIRE_THAT(fixture.Append(*ledger, {nameless, oversized}), IsOk());
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "attempts") == 1);
  CHECK(Count(fixture.path(), "requests") == 1);
  CHECK(Rows(fixture.path(), "SELECT kind, id FROM quarantine ORDER BY id") ==
        std::vector<std::vector<std::string>>{
            {"attempt", ""}, {"attempt", std::string(64, 'i')}});
  CHECK(Count(fixture.path(), "quarantine WHERE reason LIKE '%canary%'") == 0);
  CHECK(store->Counters().quarantined == 2);
  CHECK(store->Counters().rows_dropped == 0);
}

TEST_CASE("Random bytes in every text never stop the store",
          "[ledger][store][LED-3]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  std::mt19937 random(7);
  const auto noise = [&random] {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  for (int i = 0; i < 200; ++i) {
    AttemptRecord record = SampleAttempt(noise(), "a-" + std::to_string(i));
    record.outcome = noise();
    record.intent.identity.user = noise();
    record.served_model.value = noise();
    record.raw_usage_json = noise();
    record.cost->currency.code = noise();
    record.dropped = {noise(), noise()};
    REQUIRE_THAT(fixture.Append(*ledger, {record}), IsOk());
  }
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "attempts") == 200);
}

TEST_CASE("A locked store makes rows wait and full journals push back",
          "[ledger][store][LED-4][OPS-1]") {
  StoreOptions options;
  options.journal_bytes = 40'000;
  options.segment_bytes = 5'000;
  StoreFixture fixture(options);
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("first")), IsOk());
  REQUIRE_THAT(fixture.Query(*store), IsOk());

  auto other = Database::Open(fixture.path(), absl::Seconds(30));
  REQUIRE_THAT(other, IsOk());
  REQUIRE_THAT((*other)->Execute("BEGIN IMMEDIATE"), IsOk());
  int stored = 0;
  absl::Status status;
  while (stored < 1000) {
    status = fixture.Append(*ledger, SampleCall(std::to_string(stored)));
    if (!status.ok()) break;
    ++stored;
  }
  CHECK_THAT(status, HasCode(absl::StatusCode::kResourceExhausted));
  CHECK(stored > 10);
  while (store->usage().Health().ok()) std::this_thread::yield();
  CHECK_THAT(store->usage().Health(), HasCode(absl::StatusCode::kUnavailable));
  CHECK(store->Counters().queue_rows == 2 * stored);

  REQUIRE_THAT((*other)->Execute("ROLLBACK"), IsOk());
  while (!store->usage().Health().ok()) std::this_thread::yield();
  while (!fixture.Append(*ledger, SampleCall("last")).ok()) {
    std::this_thread::yield();
  }
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "requests") == stored + 2);
  CHECK(Count(fixture.path(), "attempts") == stored + 2);
  CHECK(store->Counters().rows_dropped == 0);
}

TEST_CASE("Calls that outlive their segment keep their place",
          "[ledger][store][lost]") {
  StoreOptions options;
  options.segment_bytes = 1;  // every append is a segment
  StoreFixture fixture(options);
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, {SampleIntent("r-1", "a-1")}), IsOk());
  REQUIRE_THAT(fixture.Query(*store), IsOk());
  CHECK(Count(fixture.path(), "open_calls") == 1);
  REQUIRE_THAT(fixture.Append(*ledger, {SampleAttempt("r-1", "a-1")}), IsOk());
  REQUIRE_THAT(fixture.Append(*ledger, {SampleRequest("r-1")}), IsOk());
  REQUIRE_THAT(fixture.Query(*store), IsOk());
  CHECK(Count(fixture.path(), "open_calls") == 0);
  CHECK(store->Counters().journal_bytes == 0);
}

TEST_CASE("What is open at Close is lost", "[ledger][store][lost]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, {SampleIntent("r-1", "a-1")}), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "attempts WHERE outcome = 'lost'") == 1);
  CHECK(Count(fixture.path(), "requests WHERE outcome = 'lost'") == 1);
  CHECK(store->Counters().lost == 2);
}

TEST_CASE("Many loops append at once and every row arrives once",
          "[ledger][store][threads]") {
  constexpr int kLoops = 4;
  constexpr int kCalls = 300;
  StoreOptions options;
  options.segment_bytes = 20'000;
  StoreFixture fixture(options);
  auto store = fixture.Open();
  std::vector<std::unique_ptr<UsageLedger>> ledgers;
  for (int i = 0; i < kLoops; ++i) ledgers.push_back(store->MakeLedger(i));
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kLoops; ++i) {
    threads.emplace_back([&, i] {
      boost::asio::io_context io;
      for (int j = 0; j < kCalls; ++j) {
        const std::string id = std::to_string(i) + "-" + std::to_string(j);
        if (!RunTask(io,
                     ledgers[static_cast<size_t>(i)]->Append(SampleCall(id)))
                 .ok()) {
          ++failed;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "attempts") == kLoops * kCalls);
  CHECK(Count(fixture.path(), "requests") == kLoops * kCalls);
}

TEST_CASE("Two stores on one file add up", "[ledger][store]") {
  StoreFixture fixture;
  auto one = fixture.Open();
  auto two = fixture.Open();
  auto first = one->MakeLedger(0);
  auto second = two->MakeLedger(0);
  for (int i = 0; i < 50; ++i) {
    const std::string id = std::to_string(i);
    REQUIRE_THAT(fixture.Append(*first, SampleCall("one-" + id)), IsOk());
    REQUIRE_THAT(fixture.Append(*second, SampleCall("two-" + id)), IsOk());
  }
  REQUIRE_THAT(two->Close(kPatience), IsOk());
  const auto report = fixture.Query(*one);
  REQUIRE_THAT(report, IsOk());
  CHECK(report->total().requests() == 100);
  CHECK(report->total().tokens() == 15'000);
}

TEST_CASE("A file of a newer release is refused", "[ledger][store][OPS-5]") {
  StoreFixture fixture;
  fixture.Open().reset();
  auto database = Database::Open(fixture.path(), absl::Seconds(5));
  REQUIRE_THAT(database, IsOk());
  REQUIRE_THAT((*database)->Execute("PRAGMA user_version=99"), IsOk());
  database->reset();
  CHECK_THAT(OpenStore(fixture.options()),
             HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST_CASE("A file of the first release keeps its rows and takes new ones",
          "[ledger][store][OPS-5]") {
  StoreFixture fixture;
  {
    auto store = fixture.Open();
    auto ledger = store->MakeLedger(0);
    REQUIRE_THAT(fixture.Append(*ledger, SampleCall("old")), IsOk());
    REQUIRE_THAT(store->Close(kPatience), IsOk());
  }
  auto database = Database::Open(fixture.path(), absl::Seconds(5));
  REQUIRE_THAT(database, IsOk());
  REQUIRE_THAT((*database)->Execute(
                   "ALTER TABLE requests DROP COLUMN client_request_id; "
                   "ALTER TABLE requests DROP COLUMN video_input; "
                   "ALTER TABLE requests DROP COLUMN web_searches; "
                   "ALTER TABLE requests DROP COLUMN geo; "
                   "ALTER TABLE attempts DROP COLUMN video_input; "
                   "ALTER TABLE attempts DROP COLUMN web_searches; "
                   "ALTER TABLE attempts DROP COLUMN geo; "
                   "PRAGMA user_version=1"),
               IsOk());
  database->reset();
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("new")), IsOk());
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CHECK(Rows(fixture.path(),
             "SELECT request_id, client_request_id FROM requests ORDER BY 1") ==
        std::vector<std::vector<std::string>>{{"r-new", "client-1"},
                                              {"r-old", ""}});
  CHECK(Rows(fixture.path(),
             "SELECT request_id, web_searches, geo FROM attempts ORDER BY 1") ==
        std::vector<std::vector<std::string>>{{"r-new", "2", "us"},
                                              {"r-old", "NULL", ""}});
}

TEST_CASE("What cannot be opened is told at once", "[ledger][store]") {
  StoreFixture fixture;
  SECTION("a folder that is not there") {
    fixture.options().path = "/nonexistent/folder/usage.db";
    CHECK_THAT(OpenStore(fixture.options()),
               HasCode(absl::StatusCode::kUnavailable));
  }
  SECTION("a file that is something else") {
    std::FILE* file = std::fopen(fixture.path().c_str(), "w");
    REQUIRE(file != nullptr);
    std::fputs(std::string(5000, 'x').c_str(), file);
    std::fclose(file);
    CHECK_THAT(OpenStore(fixture.options()),
               HasCode(absl::StatusCode::kDataLoss));
  }
  SECTION("a rate that is not a number") {
    fixture.options().rates = {{"CNY", "USD", "lots", absl::UnixEpoch()}};
    CHECK_THAT(OpenStore(fixture.options()),
               HasCode(absl::StatusCode::kInvalidArgument));
  }
}

TEST_CASE("Only the owner can read the store's files",
          "[ledger][store][SEC-5]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());
  REQUIRE_THAT(fixture.Query(*store), IsOk());
  constexpr auto kOwnerOnly =
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    CAPTURE(suffix);
    CHECK(std::filesystem::status(fixture.path() + suffix).permissions() ==
          kOwnerOnly);
  }
}

TEST_CASE("Opening again changes nothing", "[ledger][store][OPS-5]") {
  StoreFixture fixture;
  for (int i = 0; i < 3; ++i) {
    auto store = fixture.Open();
    auto ledger = store->MakeLedger(0);
    REQUIRE_THAT(fixture.Append(*ledger, SampleCall(std::to_string(i))),
                 IsOk());
    REQUIRE_THAT(store->Close(kPatience), IsOk());
  }
  CHECK(Count(fixture.path(), "requests") == 3);
  CHECK(Rows(fixture.path(), "PRAGMA user_version")[0][0] ==
        std::to_string(SchemaVersion()));
}

}  // namespace
}  // namespace llm::server
