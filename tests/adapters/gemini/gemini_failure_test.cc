#include <catch2/catch.hpp>

#include "tests/adapters/gemini/exchange.h"

namespace llm {
namespace {

using enum FailureClass;

std::string Status(const std::string& status, const std::string& message,
                   const std::string& details = "") {
  return R"({"error":{"code":1,"message":")" + message + R"(","status":")" +
         status + "\"" +
         (details.empty() ? "" : ",\"details\":[" + details + "]") + "}}";
}

TEST_CASE("Google's refusals fall into our classes",
          "[adapters][gemini][errors][RTY-2]") {
  const auto [status, body, failure] =
      GENERATE(table<int, std::string, FailureClass>({
          {400, Status("INVALID_ARGUMENT", "Unknown name"), kInvalidRequest},
          {400,
           Status("INVALID_ARGUMENT", "API key not valid.",
                  R"({"@type":"x/google.rpc.ErrorInfo",)"
                  R"("reason":"API_KEY_INVALID"})"),
           kBadKey},
          {400, Status("INVALID_ARGUMENT", "API key expired."), kBadKey},
          {400,
           Status("INVALID_ARGUMENT",
                  "The input token count (9) exceeds the maximum number of "
                  "tokens allowed (8)."),
           kContextLength},
          {400, Status("FAILED_PRECONDITION", "enable billing"), kOutOfMoney},
          {400,
           Status("FAILED_PRECONDITION",
                  "User location is not supported for the API use."),
           kPermission},
          {401, Status("UNAUTHENTICATED", "no"), kBadKey},
          {402, Status("RESOURCE_EXHAUSTED", "prepaid"), kOutOfMoney},
          {403, Status("PERMISSION_DENIED", "leaked"), kPermission},
          {404, Status("NOT_FOUND", "models/x is not found"), kModelNotFound},
          {429, Status("RESOURCE_EXHAUSTED", "quota"), kRateLimited},
          {429,
           Status("RESOURCE_EXHAUSTED", "quota",
                  R"({"violations":[{"quotaId":"RequestsPerMinute"},)"
                  R"({"quotaId":"GenerateRequestsPerDayPerProject"}]},)"
                  R"({"retryDelay":"34s"})"),
           kRateLimited},
          {499, Status("CANCELLED", "x"), kServerError},
          {500, Status("INTERNAL", "x"), kServerError},
          {503, Status("UNAVAILABLE", "overloaded"), kOverloaded},
          {504, Status("DEADLINE_EXCEEDED", "x"), kServerError},
          {400, "[" + Status("INVALID_ARGUMENT", "x") + "]", kInvalidRequest},
          {502, "<html>", kServerError},
      }));
  CAPTURE(status, body);
  const Exchange got = RunExchange({.status = status, .body = body});
  CHECK(FailureClassName(got.result.failure.failure) ==
        FailureClassName(failure));
  CHECK(got.result.failure.http_status == status);
}

TEST_CASE("the delay stands in the body", "[adapters][gemini][errors][RTY-4]") {
  const auto [delay, want] = GENERATE(table<std::string, absl::Duration>({
      {"34s", absl::Seconds(34)},
      {"0.5s", absl::Milliseconds(500)},
  }));
  const Exchange got = RunExchange(
      {.status = 429,
       .body = Status("RESOURCE_EXHAUSTED", "quota",
                      R"({"@type":"x/google.rpc.RetryInfo","retryDelay":")" +
                          delay + "\"}")});
  CHECK(got.result.failure.retry_after == want);
}

TEST_CASE("a quota that lasts the day is not asked again in seconds",
          "[adapters][gemini][errors][RTY-4]") {
  const Exchange got = RunExchange(
      {.status = 429,
       .body = Status("RESOURCE_EXHAUSTED", "quota",
                      R"({"violations":[{"quotaId":"RequestsPerDay"}]},)"
                      R"({"retryDelay":"34s"})")});
  CHECK(got.result.failure.failure == FailureClass::kRateLimited);
  CHECK(got.result.failure.retry_after == absl::Hours(1));
}

TEST_CASE("an answer that is none is a failure of the attempt",
          "[adapters][gemini][errors][STR-4][STR-5][STR-7]") {
  const std::string hi = Response(R"([{"text":"hi"}])");
  const auto [name, body, failure] =
      GENERATE_COPY(table<std::string, std::string, FailureClass>({
          {"closed without a finishReason", Sse({hi}), kIncomplete},
          {"one candidate of two unfinished",
           Sse({hi, R"({"candidates":[{"index":1,"finishReason":"STOP"}]})"}),
           kIncomplete},
          {"no event at all", ": nothing\n\n", kIncomplete},
          {"an array that is not finished", "[" + hi + "]", kIncomplete},
          {"nothing said", Sse({Response("[]", "STOP")}), kEmptyAnswer},
          {"a signature is no answer",
           Sse({Response(R"([{"text":"","thoughtSignature":"S"}])", "STOP")}),
           kEmptyAnswer},
          {"thoughts and then stop",
           Sse({Response(R"([{"text":"hm","thought":true}])", "STOP")}),
           kEmptyAnswer},
          {"a call that could not be read",
           Sse({Response("[]", "MALFORMED_FUNCTION_CALL")}), kBadAnswer},
          {"a whole answer without candidates",
           R"({"usageMetadata":{"promptTokenCount":1}})", kEmptyAnswer},
          {"something else", R"({"hello":"you"})", kBadAnswer},
          {"an empty array", "[]", kBadAnswer},
          {"a page", "<html>busy</html>", kBadAnswer},
          {"an event that is no JSON", "data: oops\n\n", kBadAnswer},
          {"an error event later",
           Sse({hi, R"({"error":{"code":503,"message":"x",)"
                    R"("status":"UNAVAILABLE"}})"}),
           kOverloaded},
          {"an error in a list",
           R"([{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}])",
           kRateLimited},
      }));
  for (const Cut& cut : AllCuts()) {
    CAPTURE(name, static_cast<int>(cut.kind));
    ExchangeSetting setting;
    setting.cut = cut;
    const Exchange got = RunExchange({.body = body}, setting);
    CHECK(FailureClassName(got.result.failure.failure) ==
          FailureClassName(failure));
  }
}

TEST_CASE("a budget that went to thoughts is told apart",
          "[adapters][gemini][errors][STR-7]") {
  const Exchange got = RunExchange(
      {.body = Sse({R"({"candidates":[{"content":{"role":"model"},)"
                    R"("finishReason":"MAX_TOKENS"}],"usageMetadata":)"
                    R"({"promptTokenCount":5,"thoughtsTokenCount":9}})"})});
  CHECK(got.result.status.ok());
  CHECK(got.result.reasoning_exhausted);
  CHECK(got.Line() == "F:length N:MAX_TOKENS");
}

TEST_CASE("a cut stream keeps the usage it had",
          "[adapters][gemini][errors][COST-1]") {
  const Exchange got = RunExchange(
      {.body = Sse({Response(R"([{"text":"hi"}])", "",
                             R"(,"usageMetadata":{"promptTokenCount":5})")}),
       .end = absl::UnavailableError("reset"),
       .phase = HttpPhase::kBody});
  CHECK(got.result.failure.failure == kIncomplete);
  CHECK(got.result.usage.fresh_input == 5);
  CHECK_FALSE(got.result.usage.output);
  CHECK(got.result.usage_source == UsageSource::kPartial);
}

}  // namespace
}  // namespace llm
