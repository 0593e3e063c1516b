#include "adapters/http/rate_limit_headers.h"

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/http/retry_after.h"
#include "tests/adapters/http/http_fixture.h"

namespace llm {
namespace {

// "requests limit/remaining/reset tokens limit/remaining/reset", "-" for what
// is not said.
std::string Describe(const RateLimitFacts& facts) {
  const auto count = [](const std::optional<int64_t>& value) {
    return value ? absl::StrCat(*value) : std::string("-");
  };
  const auto wait = [](const std::optional<absl::Duration>& value) {
    return value ? absl::FormatDuration(*value) : std::string("-");
  };
  return absl::StrCat(
      count(facts.limit_requests), "/", count(facts.remaining_requests), "/",
      wait(facts.reset_requests), " ", count(facts.limit_tokens), "/",
      count(facts.remaining_tokens), "/", wait(facts.reset_tokens));
}

struct RateLimitRow {
  std::string name;
  std::vector<HttpHeader> headers;
  std::string want;
};

TEST_CASE("What is left is read in the spelling of every vendor",
          "[adapters][http][limits]") {
  const RateLimitRow row = GENERATE(values<RateLimitRow>({
      {"nothing", {{"content-type", "application/json"}}, "-/-/- -/-/-"},
      // openai.md section 9, 2026-08-21.
      {"openai",
       {{"x-ratelimit-limit-requests", "10000"},
        {"x-ratelimit-limit-tokens", "30000000"},
        {"x-ratelimit-remaining-requests", "9999"},
        {"x-ratelimit-remaining-tokens", "29999967"},
        {"x-ratelimit-reset-requests", "6ms"},
        {"x-ratelimit-reset-tokens", "6m0s"}},
       "10000/9999/6ms 30000000/29999967/6m"},
      // others.md, Groq, 2026-11-20.
      {"groq",
       {{"retry-after", "2"},
        {"x-ratelimit-limit-requests", "14400"},
        {"x-ratelimit-limit-tokens", "18000"},
        {"x-ratelimit-remaining-requests", "14370"},
        {"x-ratelimit-remaining-tokens", "17997"},
        {"x-ratelimit-reset-requests", "2m59.56s"},
        {"x-ratelimit-reset-tokens", "7.66s"}},
       "14400/14370/2m59.56s 18000/17997/7.66s"},
      // Azure, learn.microsoft.com, 2026-11-20: no resets, plain seconds.
      {"azure",
       {{"x-ratelimit-remaining-requests", "119"},
        {"x-ratelimit-remaining-tokens", "117840"},
        {"x-ratelimit-reset-tokens", "27"}},
       "-/119/- -/117840/27s"},
      // others.md, Mistral, 2026-11-20.
      {"mistral",
       {{"x-ratelimit-limit-req-minute", "60"},
        {"x-ratelimit-remaining-req-minute", "59"},
        {"ratelimitbysize-reset", "27"},
        {"x-ratelimitbysize-limit-minute", "500000"},
        {"x-ratelimitbysize-remaining-minute", "499958"}},
       "60/59/- 500000/499958/-"},
      // others.md, OpenRouter: milliseconds since the epoch.
      {"openrouter",
       {{"X-RateLimit-Limit", "20"},
        {"X-RateLimit-Remaining", "0"},
        {"X-RateLimit-Reset", "1795341645000"}},
       "20/0/45s -/-/-"},
      {"epoch seconds",
       {{"x-ratelimit-remaining", "3"}, {"x-ratelimit-reset", "1795341610"}},
       "-/3/10s -/-/-"},
      // anthropic.md section 6, 2026-08-22: the scarcest of the token limits.
      {"anthropic",
       {{"anthropic-ratelimit-requests-limit", "4000"},
        {"anthropic-ratelimit-requests-remaining", "3999"},
        {"anthropic-ratelimit-requests-reset", "2026-11-22T10:00:01Z"},
        {"anthropic-ratelimit-input-tokens-limit", "400000"},
        {"anthropic-ratelimit-input-tokens-remaining", "400000"},
        {"anthropic-ratelimit-input-tokens-reset", "2026-11-22T10:00:00Z"},
        {"anthropic-ratelimit-output-tokens-limit", "80000"},
        {"anthropic-ratelimit-output-tokens-remaining", "1000"},
        {"anthropic-ratelimit-output-tokens-reset", "2026-11-22T10:01:00Z"}},
       "4000/3999/1s 80000/1000/1m"},
      // draft-ietf-httpapi-ratelimit-headers, old and new form.
      {"draft 03",
       {{"ratelimit-limit", "100"},
        {"ratelimit-remaining", "50"},
        {"ratelimit-reset", "30"}},
       "100/50/30s -/-/-"},
      {"draft 08",
       {{"RateLimit-Policy", "\"burst\";q=100;w=60"},
        {"RateLimit", "\"burst\";r=0;t=17"}},
       "100/0/17s -/-/-"},
  }));
  CAPTURE(row.name);
  CHECK(Describe(ParseRateLimits(row.headers, kNow)) == row.want);
}

TEST_CASE("Hostile values count as not said", "[adapters][http][limits]") {
  const std::string name =
      GENERATE("x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens",
               "anthropic-ratelimit-tokens-remaining", "ratelimit-remaining");
  const std::string value = GENERATE(
      "-1", "-0.5", "99999999999999999999", "9223372036854775807", "1e3", "abc",
      "", " ", "0x10", "12 34", "5;r=0", "\xff\xfe", "NaN", "inf", "1,000");
  CAPTURE(name, value);
  CHECK(Describe(ParseRateLimits({{name, value}}, kNow)) == "-/-/- -/-/-");
}

TEST_CASE("A reset that cannot be meant is none, and a far one is cut",
          "[adapters][http][limits]") {
  const auto [value, want] = GENERATE(table<std::string, std::string>({
      {"-5", "-"},
      {"-6m", "-"},
      {"soon", "-"},
      {"NaN", "-"},
      {"inf", "-"},
      {"1e400", "-"},
      {"999999h", "24h"},
      {"99999999", "24h"},
      {"9999999999999999", "24h"},
      {"2199-01-01T00:00:00Z", "24h"},
      {"2020-01-01T00:00:00Z", "0"},
      {"1000000000", "0"},
      {" 20ms ", "20ms"},
  }));
  CAPTURE(value);
  const RateLimitFacts facts =
      ParseRateLimits({{"x-ratelimit-reset-requests", value}}, kNow);
  CHECK(Describe(facts) == absl::StrCat("-/-/", want, " -/-/-"));
}

TEST_CASE("A header said twice counts where both agree",
          "[adapters][http][limits]") {
  CHECK(Describe(ParseRateLimits({{"x-ratelimit-remaining-requests", "5"},
                                  {"X-RateLimit-Remaining-Requests", "5"}},
                                 kNow)) == "-/5/- -/-/-");
  CHECK(Describe(ParseRateLimits({{"x-ratelimit-remaining-requests", "5"},
                                  {"x-ratelimit-remaining-requests", "0"}},
                                 kNow)) == "-/-/- -/-/-");
}

TEST_CASE("A retry-after is no limit", "[adapters][http][limits]") {
  CHECK(Describe(ParseRateLimits({{"retry-after", "30"}}, kNow)) ==
        "-/-/- -/-/-");
}

TEST_CASE("Which of requests and tokens is used up decides the wait",
          "[adapters][http][limits][retry]") {
  const auto [requests, tokens, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"0", "5", "10s"},
          {"5", "0", "40s"},
          {"0", "0", "40s"},
          {"5", "5", "-"},
      }));
  const std::vector<HttpHeader> headers = {
      {"x-ratelimit-remaining-requests", requests},
      {"x-ratelimit-reset-requests", "10s"},
      {"x-ratelimit-remaining-tokens", tokens},
      {"x-ratelimit-reset-tokens", "40s"}};
  const auto wait = ParseRetryAfter(headers, kNow);
  CHECK((wait ? absl::FormatDuration(*wait) : "-") == want);
  CHECK(ExhaustedUntil(ParseRateLimits(headers, kNow)) == wait);
}

}  // namespace
}  // namespace llm
