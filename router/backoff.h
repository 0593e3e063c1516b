// How long to wait before the same deployment is asked again.
//
// Pure but for the jitter, which comes from the Random passed in.
#ifndef LLM_ROUTER_BACKOFF_H_
#define LLM_ROUTER_BACKOFF_H_

#include <optional>

#include "absl/time/time.h"
#include "adapters/core/random.h"
#include "router/route_table.h"

namespace llm {

// The wait before repeat number `repeat` (1 for the first): between half and
// all of backoff_initial * 2^(repeat-1), at most backoff_max, but never less
// than the provider asked for, and spread a little beyond that. nullopt: the
// provider asked for more than policy.max_wait, so waiting is not worth it.
std::optional<absl::Duration> BackoffDelay(
    const RoutingPolicy& policy, int repeat,
    std::optional<absl::Duration> retry_after, Random& random);

// `wait` and up to a quarter of it, at most a second, more: callers that were
// told the same time do not all come back at the same moment.
absl::Duration Spread(absl::Duration wait, Random& random);

}  // namespace llm

#endif  // LLM_ROUTER_BACKOFF_H_
