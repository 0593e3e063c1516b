#include "adapters/http/retry_after.h"

#include <catch2/catch.hpp>

#include "tests/adapters/http/http_fixture.h"

namespace llm {
namespace {

struct RetryAfterRow {
  std::vector<HttpHeader> headers;
  std::optional<absl::Duration> want;
};

TEST_CASE("Retry-After is read in every form that providers send",
          "[adapters][http][retry]") {
  const RetryAfterRow row = GENERATE(values<RetryAfterRow>({
      {{}, std::nullopt},
      {{{"Retry-After", "7"}}, absl::Seconds(7)},
      {{{"retry-after", " 0.5 "}}, absl::Milliseconds(500)},
      {{{"retry-after", "-3"}}, absl::ZeroDuration()},
      {{{"retry-after", "soon"}}, std::nullopt},
      {{{"retry-after", ""}}, std::nullopt},
      {{{"retry-after", "nan"}}, std::nullopt},
      {{{"retry-after", "inf"}}, kMaxRetryAfter},
      {{{"retry-after", "99999999"}}, kMaxRetryAfter},
      {{{"retry-after", "Sun, 22 Nov 2026 10:00:30 GMT"}}, absl::Seconds(30)},
      {{{"retry-after", "Sunday, 22-Nov-26 10:01:00 GMT"}}, absl::Seconds(60)},
      {{{"retry-after", "Sun Nov 22 10:02:00 2026"}}, absl::Seconds(120)},
      {{{"retry-after", "Sat, 21 Nov 2026 10:00:00 GMT"}},
       absl::ZeroDuration()},
      {{{"retry-after", "Fri, 31 Dec 2099 23:59:59 GMT"}}, kMaxRetryAfter},
      {{{"Retry-After-Ms", "250"}, {"retry-after", "9"}},
       absl::Milliseconds(250)},
      {{{"retry-after-ms", "?"}, {"retry-after", "9"}}, absl::Seconds(9)},
      {{{"x-ms-retry-after-ms", "1500"}}, absl::Milliseconds(1500)},
  }));
  CAPTURE(row.headers.empty() ? "" : row.headers[0].value);
  CHECK(ParseRetryAfter(row.headers, kNow) == row.want);
}

TEST_CASE("An exhausted rate limit says when it refills",
          "[adapters][http][retry]") {
  const RetryAfterRow row = GENERATE(values<RetryAfterRow>({
      {{{"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "6m0s"},
        {"x-ratelimit-remaining-tokens", "10"},
        {"x-ratelimit-reset-tokens", "1h"}},
       absl::Minutes(6)},
      {{{"X-RateLimit-Remaining-Requests", "0"},
        {"X-RateLimit-Reset-Requests", "12ms"},
        {"X-RateLimit-Remaining-Tokens", "0"},
        {"X-RateLimit-Reset-Tokens", "1.5"}},
       absl::Milliseconds(1500)},
      {{{"anthropic-ratelimit-tokens-remaining", "0"},
        {"anthropic-ratelimit-tokens-reset", "2026-11-22T10:00:42Z"}},
       absl::Seconds(42)},
      {{{"x-ratelimit-remaining-requests", "0"}}, std::nullopt},
      {{{"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "later"}},
       std::nullopt},
      {{{"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "1h"},
        {"retry-after", "3"}},
       absl::Seconds(3)},
  }));
  CAPTURE(row.headers.back().value);
  CHECK(ParseRetryAfter(row.headers, kNow) == row.want);
}

}  // namespace
}  // namespace llm
