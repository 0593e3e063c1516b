// When a provider says to come back.
//
// Threads: Pure.
// Errors:  What cannot be read counts as not said.
// Units:   absl::Duration from `now`; never negative, at most kMaxRetryAfter.
#ifndef LLM_ADAPTERS_HTTP_RETRY_AFTER_H_
#define LLM_ADAPTERS_HTTP_RETRY_AFTER_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/http_transport.h"

namespace llm {

// A provider's date may be years off by a fault; daily quotas are the longest
// waits that are meant.
inline constexpr absl::Duration kMaxRetryAfter = absl::Hours(24);

// In order: `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after` (seconds or
// an HTTP date), and last the reset time of an exhausted rate limit
// (rate_limit_headers.h). Of refusals only: on a 200 none of it is a wait.
std::optional<absl::Duration> ParseRetryAfter(
    const std::vector<HttpHeader>& headers, absl::Time now);

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_RETRY_AFTER_H_
