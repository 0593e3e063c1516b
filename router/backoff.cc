#include "router/backoff.h"

#include <algorithm>

namespace llm {

std::optional<absl::Duration> BackoffDelay(
    const RoutingPolicy& policy, int repeat,
    std::optional<absl::Duration> retry_after, Random& random) {
  if (retry_after && *retry_after > policy.max_wait) return std::nullopt;
  const int doublings = std::clamp(repeat - 1, 0, 20);
  const absl::Duration full =
      std::min(policy.backoff_initial * (1 << doublings), policy.backoff_max);
  const absl::Duration jittered = full * (0.5 + random.Unit() / 2);
  return std::max(jittered, retry_after.value_or(absl::ZeroDuration()));
}

}  // namespace llm
