#include <catch2/catch.hpp>

#include "tests/adapters/openai/exchange.h"

namespace llm {
namespace {

using enum FailureClass;

FailureClass FailureOf(const Exchange& exchange) {
  return exchange.result.failure.failure;
}

TEST_CASE("an answer that is none is a failure of the attempt",
          "[adapters][openai][STR-4][STR-5][STR-7]") {
  const std::string hi = Delta(R"({"content":"hi"})");
  const auto [name, body,
              failure] = GENERATE_COPY(table<std::string, std::string,
                                             FailureClass>({
      {"cut before its end", Sse({hi}, false), kIncomplete},
      {"no event at all", ": nothing\n\n", kIncomplete},
      {"only [DONE]", "data: [DONE]\n\n", kEmptyAnswer},
      {"nothing said", Sse({Delta("{}", "stop")}), kEmptyAnswer},
      {"only white space in a body", "  \n", kBadAnswer},
      {"a page", "<html>busy</html>", kBadAnswer},
      // Found by fuzzing: the verdict depended on where the mark ended.
      {"a byte order mark, lines, words", "\xEF\xBB\xBF\n\n\n\"x\"\n\nid\n\n",
       kBadAnswer},
      {"an event that is no JSON", "data: oops\n\n", kBadAnswer},
      {"choices null", R"({"id":"x","choices":null})", kBadAnswer},
      {"something else", R"({"hello":"you"})", kBadAnswer},
      {"reasoning and then stop",
       Sse({Delta(R"({"reasoning_content":"hm"})"), Delta("{}", "stop")}),
       kEmptyAnswer},
      {"an error event first",
       Sse({R"({"error":{"message":"busy","code":"rate_limit_exceeded"}})"}),
       kRateLimited},
      {"an error event later",
       Sse({hi, R"({"error":{"message":"x","code":502}})"}), kServerError},
      {"error as a string", R"({"error":"boom"})", kServerError},
      {"error with a code beside it",
       R"({"error":"no","code":"invalid_api_key"})", kBadKey},
      {"error inside a choice",
       R"({"choices":[{"index":0,"error":{"code":429}}]})", kRateLimited},
      {"base_resp", R"({"base_resp":{"status_code":1008,"status_msg":"poor"}})",
       kOutOfMoney},
      {"event: error",
       "event: error\ndata: {\"message\":\"overloaded\","
       "\"type\":\"overloaded_error\"}\n\n",
       kOverloaded},
      {"finish reason error", Sse({hi, Delta("{}", "error")}), kServerError},
      {"a busy backend before any text",
       Sse({Delta("{}", "insufficient_system_resource")}), kOverloaded},
  }));
  for (const Cut& cut : AllCuts()) {
    CAPTURE(name, static_cast<int>(cut.kind));
    ExchangeSetting setting;
    setting.cut = cut;
    const Exchange got = RunExchange({.body = body}, setting);
    CHECK(FailureClassName(FailureOf(got)) == FailureClassName(failure));
    CHECK(got.result.status.code() == FailureStatusCode(failure));
  }
}

TEST_CASE("a stream's head says nothing of when to come back",
          "[adapters][openai][RTY-4]") {
  const Exchange got =
      RunExchange({.headers = {{"content-type", "text/event-stream"},
                               {"retry-after", "30"},
                               {"x-ratelimit-remaining-requests", "0"},
                               {"x-ratelimit-reset-requests", "6m0s"}},
                   .body = Sse({Delta(R"({"content":"hi"})")}, false)});
  CHECK(FailureOf(got) == kIncomplete);
  CHECK_FALSE(got.result.failure.retry_after);
  // The limit itself is noticed.
  CHECK(got.result.limits.remaining_requests == 0);
}

TEST_CASE("error: null is no error", "[adapters][openai][STR-5]") {
  const Exchange got = RunExchange(
      {.body = Whole(R"({"content":"hi"})", "\"stop\"",
                     R"(,"error":null,"base_resp":{"status_code":0})")});
  CHECK(got.result.status.ToString() == "OK");
}

TEST_CASE("an answer whose budget went to reasoning is complete",
          "[adapters][openai][STR-7][TRN-8]") {
  const auto body = GENERATE(
      Sse({Delta(R"({"reasoning_content":"hm"})"), Delta("{}", "length")}),
      Whole(R"({"content":""})", "\"length\"",
            R"(,"usage":{"prompt_tokens":1,"completion_tokens":5,)"
            R"("completion_tokens_details":{"reasoning_tokens":5}})"));
  const Exchange got = RunExchange({.body = body});
  CHECK(got.result.status.ToString() == "OK");
  CHECK(got.result.reasoning_exhausted);
}

TEST_CASE("a filtered answer is complete without content",
          "[adapters][openai][STR-7]") {
  const Exchange got =
      RunExchange({.body = Sse({Delta("{}", "content_filter")})});
  CHECK(got.result.status.ToString() == "OK");
  CHECK(got.Line() == "F:content_filter");
}

TEST_CASE("what the transport met becomes a class of failure",
          "[adapters][openai][RTY-2]") {
  using S = ScriptedTransport::Script;
  const auto unavailable = absl::UnavailableError("gone");
  const auto late = absl::DeadlineExceededError("first_content");
  const std::string some = Sse({Delta(R"({"content":"hi"})")}, false);
  const std::vector<std::pair<S, FailureClass>> cases = {
      {{.end = unavailable, .no_head = true, .phase = HttpPhase::kConnect},
       kConnect},
      {{.end = absl::DeadlineExceededError("connect"),
        .no_head = true,
        .phase = HttpPhase::kConnect},
       kConnect},
      {{.end = unavailable, .no_head = true, .phase = HttpPhase::kWait},
       kTransport},
      {{.end = late, .no_head = true, .phase = HttpPhase::kWait}, kTimeout},
      {{.body = some, .end = unavailable, .phase = HttpPhase::kBody},
       kIncomplete},
      {{.body = some, .end = late, .phase = HttpPhase::kBody}, kTimeout},
      {{.end = absl::InternalError("framing"), .phase = HttpPhase::kBody},
       kBadAnswer},
      {{.end = absl::CancelledError(""), .no_head = true}, kCancelled},
  };
  for (const auto& [script, failure] : cases) {
    const Exchange got = RunExchange(script);
    CHECK(FailureClassName(FailureOf(got)) == FailureClassName(failure));
  }
}

TEST_CASE("a break after [DONE] does not matter", "[adapters][openai]") {
  const Exchange got =
      RunExchange({.body = Sse({Delta(R"({"content":"hi"})", "stop")}),
                   .end = absl::UnavailableError("reset"),
                   .phase = HttpPhase::kBody});
  CHECK(got.result.status.ToString() == "OK");
}

TEST_CASE("only a reused connection that died at once and unanswered is stale",
          "[adapters][openai][RTY-2]") {
  struct Row {
    HttpPhase phase;
    bool reused;
    absl::Duration took;
    bool stale;
  };
  const absl::Duration soon = absl::Milliseconds(2);
  const Row row = GENERATE_COPY(values<Row>({
      {HttpPhase::kConnect, true, soon, true},
      {HttpPhase::kSend, true, soon, true},
      // A long upload that was cut off is no whole request.
      {HttpPhase::kSend, true, absl::Seconds(9), true},
      {HttpPhase::kWait, true, soon, true},
      // It may have died of the work on this request.
      {HttpPhase::kWait, true, absl::Seconds(60), false},
      {HttpPhase::kWait, false, soon, false},
      {HttpPhase::kHead, true, soon, false},
      {HttpPhase::kBody, true, soon, false},
  }));
  const Exchange got = RunExchange({.end = absl::UnavailableError("gone"),
                                    .no_head = true,
                                    .phase = row.phase,
                                    .reused_connection = row.reused,
                                    .took = row.took});
  CHECK(got.result.stale_connection == row.stale);
}

TEST_CASE("a deadline that cancels a waiting sink is a timeout",
          "[adapters][openai][TMO-1]") {
  ExchangeSetting setting;
  setting.sink_answer = absl::CancelledError("cancelled");
  const Exchange got = RunExchange({.body = Sse({Delta(R"({"content":"a"})")}),
                                    .end = absl::DeadlineExceededError("total"),
                                    .phase = HttpPhase::kBody},
                                   setting);
  CHECK(FailureClassName(FailureOf(got)) == FailureClassName(kTimeout));
  CHECK(got.result.content_seen);
}

TEST_CASE("a sink that refuses ends the attempt", "[adapters][openai]") {
  const auto [answer, failure] = GENERATE(table<absl::Status, FailureClass>({
      {absl::UnavailableError("gone"), kSinkFailed},
      {absl::CancelledError("left"), kCancelled},
  }));
  ExchangeSetting setting;
  setting.sink_answer = answer;
  const Exchange got = RunExchange(
      {.body = Sse({Delta(R"({"content":"a"})"), Delta("{}", "stop")})},
      setting);
  CHECK(FailureOf(got) == failure);
  CHECK(got.chunks.size() == 1);
}

TEST_CASE("a refusal keeps the provider's facts and no body",
          "[adapters][openai][ERR-1]") {
  const Exchange got = RunExchange(
      {.status = 429,
       .headers = {{"content-type", "application/json"},
                   {"retry-after", "7"},
                   {"x-request-id", "req-9"}},
       .body = R"({"error":{"message":"Slow down, key sk-abcdefghijklmnopqrstu)"
               R"(vwxyz012345","type":"requests","code":"rate_limit_exceeded",)"
               R"("param":"model"},"prompt":"secret words"})"});
  const UpstreamFailure& failure = got.result.failure;
  CHECK(failure.failure == kRateLimited);
  CHECK(failure.http_status == 429);
  CHECK(failure.code == "rate_limit_exceeded");
  CHECK(failure.param == "model");
  CHECK(failure.retry_after == absl::Seconds(7));
  CHECK(failure.provider_request_id == "req-9");
  CHECK(failure.message.find("Slow down") == 0);
  CHECK(failure.message.find("abcdefghijklmnop") == std::string::npos);
  CHECK(got.result.status.message().find("secret") == std::string::npos);
}

TEST_CASE("usage seen before a break is kept as partial",
          "[adapters][openai][COST-1]") {
  const std::string usage =
      R"({"choices":[{"index":0,"delta":{"content":"hi"}}],)"
      R"("usage":{"prompt_tokens":3,"completion_tokens":1}})";
  const Exchange got = RunExchange({.body = Sse({usage}, false)});
  CHECK(FailureOf(got) == kIncomplete);
  CHECK(got.result.usage_source == UsageSource::kPartial);
  CHECK(got.result.usage.fresh_input == 3);
  CHECK(got.result.content_seen);
  CHECK(got.result.output_chars == 2);
}

}  // namespace
}  // namespace llm
