// How long a deployment takes to its first content, as of late.
//
// A mean over time: with the time constant kMemory, a measurement t seconds
// old weighs exp(-t / 30 s), and a new one at least a twentieth, so that a
// busy deployment is known by its last twenty. What has been idle is trusted
// less and less: its mean fades with kForget, so one that was slow is tried
// again after some minutes (a tenth is left after 4.6 min), by one call at a
// time.
//
// A failure counts as an answer of at least 5 s and at least twice the mean,
// so that failing fast attracts nobody.
//
// Threads: None; HealthBoard locks.
#ifndef LLM_ROUTER_LATENCY_MEAN_H_
#define LLM_ROUTER_LATENCY_MEAN_H_

#include <optional>

#include "absl/time/time.h"
#include "adapters/core/clock.h"

namespace llm {

class LatencyMean {
 public:
  static constexpr absl::Duration kMemory = absl::Seconds(30);
  static constexpr absl::Duration kForget = absl::Minutes(2);

  void Measure(absl::Duration first_content, Instant now);
  void Failed(absl::Duration elapsed, Instant now);
  // nullopt: nobody has measured it.
  std::optional<absl::Duration> At(Instant now) const;

 private:
  double seconds_ = -1;
  Instant at_;
};

}  // namespace llm

#endif  // LLM_ROUTER_LATENCY_MEAN_H_
