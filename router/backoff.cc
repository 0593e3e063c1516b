#include "router/backoff.h"

#include <algorithm>

namespace llm {
namespace {

// All who were told the same time would come back at the same moment.
constexpr absl::Duration kMostSpread = absl::Seconds(1);

}  // namespace

absl::Duration Spread(absl::Duration wait, Random& random) {
  return wait + std::min(wait / 4, kMostSpread) * random.Unit();
}

std::optional<absl::Duration> BackoffDelay(
    const RoutingPolicy& policy, int repeat,
    std::optional<absl::Duration> retry_after, Random& random) {
  if (retry_after && *retry_after > policy.max_wait) return std::nullopt;
  const int doublings = std::clamp(repeat - 1, 0, 20);
  const absl::Duration full =
      std::min(policy.backoff_initial * (1 << doublings), policy.backoff_max);
  const absl::Duration jittered = full * (0.5 + random.Unit() / 2);
  if (!retry_after || *retry_after <= jittered) return jittered;
  return std::min(Spread(*retry_after, random), policy.max_wait);
}

}  // namespace llm
