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
  // Whole nanoseconds both ways: a choice asks for many means, and absl's
  // conversions to and from double are most of what one takes.
  static const auto forget =
      static_cast<double>(absl::ToInt64Nanoseconds(kForget));
  const int64_t idle =
      std::max(absl::ToInt64Nanoseconds(now - at_), int64_t{0});
  const double age = static_cast<double>(idle) / forget;
  // The exponential of a small age, but for a millionth; those in use are
  // young.
  constexpr double kSmall = 1e-3;
  const double seconds = seconds_ * (age < kSmall ? 1 - age : std::exp(-age));
  return absl::Nanoseconds(std::llround(seconds * 1e9));
}

}  // namespace llm
