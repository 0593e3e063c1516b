// What a provider says is left of its limits, in every spelling that the
// vendors have, from any answer.
//
//   x-ratelimit-{limit,remaining,reset}-{requests,tokens}   OpenAI, Azure,
//       Groq, xAI, Together; reset as 6m0s, 20ms, 7.66 or a time
//   x-ratelimit-{limit,remaining,reset}-{req,tokens}-minute,
//       ratelimitbysize-{limit,remaining,reset}             Mistral
//   anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-
//       {limit,remaining,reset}                             reset RFC 3339
//   x-ratelimit-{limit,remaining,reset}                     OpenRouter (reset
//       in epoch milliseconds), and others (epoch or plain seconds)
//   ratelimit-{limit,remaining,reset}, ratelimit: "p";r=5;t=30
//                                                           IETF drafts
//
// Of several limits of one kind the one with the smallest share left counts.
// `retry-after` is no limit: retry_after.h reads it, of refusals only.
//
// Threads: Pure.
// Errors:  What cannot be read, is negative, absurdly large, or said twice
//          with different values counts as not said.
// Fact:    openai.md section 9, anthropic.md section 6, others.md (Groq,
//          Mistral, OpenRouter), 2026-11-20; draft-ietf-httpapi-
//          ratelimit-headers-08, 2026-11-26.
#ifndef LLM_ADAPTERS_HTTP_RATE_LIMIT_HEADERS_H_
#define LLM_ADAPTERS_HTTP_RATE_LIMIT_HEADERS_H_

#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/provider.h"

namespace llm {

RateLimitFacts ParseRateLimits(const std::vector<HttpHeader>& headers,
                               absl::Time now);

// When what is exhausted refills: the later reset of requests and tokens of
// which nothing remains. Unset where something of both is left, or not said.
std::optional<absl::Duration> ExhaustedUntil(const RateLimitFacts& facts);

// "6m0s", "20ms", "7.66" (seconds), epoch seconds or milliseconds, RFC 3339.
// From `now`; never negative, at most kMaxRetryAfter.
std::optional<absl::Duration> ParseReset(std::string_view text, absl::Time now);

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_RATE_LIMIT_HEADERS_H_
