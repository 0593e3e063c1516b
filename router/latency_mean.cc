#include "router/latency_mean.h"

#include <algorithm>
#include <cmath>

namespace llm {
namespace {

constexpr double kFailureSeconds = 5;
constexpr double kMostSeconds = 600;

}  // namespace

void LatencyMean::Measure(absl::Duration first_content, Instant now) {
  const double sample =
      std::clamp(absl::ToDoubleSeconds(first_content), 0.0, kMostSeconds);
  if (seconds_ < 0) {
    seconds_ = sample;
    at_ = now;
    return;
  }
  // At least a little weight: many answers of one instant count too.
  const double age = std::max(absl::ToDoubleSeconds(now - at_), 0.0);
  const double kept =
      std::min(std::exp(-age / absl::ToDoubleSeconds(kMemory)), 0.95);
  seconds_ = kept * seconds_ + (1 - kept) * sample;
  at_ = std::max(at_, now);
}

void LatencyMean::Failed(absl::Duration elapsed, Instant now) {
  const double sample =
      std::max({absl::ToDoubleSeconds(elapsed), 2 * seconds_, kFailureSeconds});
  Measure(absl::Seconds(sample), now);
}

std::optional<absl::Duration> LatencyMean::At(Instant now) const {
  if (seconds_ < 0) return std::nullopt;
  const double idle = std::max(absl::ToDoubleSeconds(now - at_), 0.0);
  const double age = idle / absl::ToDoubleSeconds(kForget);
  // The exponential of a small age, but for a millionth; those in use are
  // young.
  constexpr double kSmall = 1e-3;
  return absl::Seconds(seconds_ * (age < kSmall ? 1 - age : std::exp(-age)));
}

}  // namespace llm
