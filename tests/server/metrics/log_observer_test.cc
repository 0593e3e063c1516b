#include "server/metrics/log_observer.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "adapters/core/json.h"
#include "server/metrics/fan_out_observer.h"

namespace llm::server {
namespace {

RequestRecord Record() {
  RequestRecord record;
  record.identity.request_id = {"req-1"};
  record.identity.key_id = {"key_1"};
  record.identity.agent = "trader";
  record.identity.client_request_id = "mine-7";
  record.public_model = {"deepseek-chat"};
  record.provider = {"deepseek"};
  record.outcome = "ok";
  record.reason = "primary of general";
  record.http_status = 200;
  record.attempts = 2;
  record.duration = absl::Milliseconds(1500);
  record.usage.fresh_input = 10;
  record.usage.output = 3;
  record.cost = {{{"USD"}, 123'000'000}};
  return record;
}

TEST_CASE("A request is one JSON line with its facts", "[log]") {
  std::ostringstream out;
  const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
  spdlog::logger logger("test", sink);
  logger.set_pattern("%v");
  LogObserver log(&logger);
  FanOutObserver observer({&log});
  AttemptIntent intent;
  intent.identity.request_id = {"req-1"};
  observer.OnFirstContent(intent, absl::Milliseconds(400));
  observer.OnCallFinished(Record(), absl::Microseconds(42));
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  const auto document = JsonDocument::Parse(text);
  REQUIRE(document.ok());
  const JsonValue line = document->root();
  CHECK(line.Find("request_id").Equals("req-1"));
  CHECK(line.Find("agent").Equals("trader"));
  CHECK(line.Find("client_request_id").Equals("mine-7"));
  CHECK(line.Find("status").AsInt64() == 200);
  CHECK(line.Find("attempts").AsInt64() == 2);
  CHECK(line.Find("reason").Equals("primary of general"));
  CHECK(line.Find("duration_ms").AsInt64() == 1500);
  CHECK(line.Find("ttft_ms").AsInt64() == 400);
  CHECK(line.Find("overhead_us").AsInt64() == 42);
  CHECK(line.Find("input_tokens").AsInt64() == 10);
  CHECK(line.Find("cost").Find("USD").Equals("0.000123"));
}

TEST_CASE("A replay's line names the call whose answer it is", "[log]") {
  const std::string line =
      ReplayLogLine({"http", "mine", "first", "key_1", "", "ok", 200});
  CHECK(line ==
        R"({"event":"replay","request_id":"mine","replay_of":"first",)"
        R"("door":"http","key_id":"key_1","status":200,"outcome":"ok"})");
}

TEST_CASE("Callers' names cannot forge a line or a field", "[log][SEC-5]") {
  RequestRecord record = Record();
  record.identity.agent =
      "x\",\"outcome\":\"forged\"\n{\"event\":\"request\"}\r\x1b[31m";
  record.identity.run_id = std::string(100'000, 'r');
  const std::string line = RequestLogLine(record, nullptr, {});
  for (const char c : line) CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(line.size() < 2000);
  const auto document = JsonDocument::Parse(line);
  REQUIRE(document.ok());
  CHECK(document->root().Find("outcome").Equals("ok"));
}

TEST_CASE("a refusal's line names door, key and code, and forges nothing",
          "[metrics][log][SEC-5]") {
  const std::string line =
      RefusalLogLine({"http", "r-1", "key\"\n1", "invalid_request", 400});
  CHECK(line ==
        R"({"event":"refused","request_id":"r-1","door":"http",)"
        R"("key_id":"key\"\n1","status":400,"outcome":"invalid_request"})");
  RefusedCall named{"grpc", "r-2", "", "overloaded", 503, "c-1\"", "trace"};
  CHECK(RefusalLogLine(named) ==
        R"({"event":"refused","request_id":"r-2","door":"grpc",)"
        R"("trace_id":"trace","client_request_id":"c-1\"","status":503,)"
        R"("outcome":"overloaded"})");
  CHECK(KeyLogLine("key_created", "key_1", "desk") ==
        R"({"event":"key_created","key_id":"key_1","name":"desk"})");
}

}  // namespace
}  // namespace llm::server
