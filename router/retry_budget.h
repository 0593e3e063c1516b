// How many repeats a provider is sent on top of first attempts, so that
// retries never multiply an outage.
//
// Over a sliding ten seconds, repeats may be a fifth of the first attempts
// plus ten: with every call failing, 1,000 first attempts in that time meet
// 210 repeats, not 1,000; a provider with little traffic is not short of
// them. Only repeats on the same deployment are counted. Moving on to another
// one is always free: a call asks each deployment first at most once, so n
// deployments of a dead provider are asked at most n times per call, and
// after five failures each the breakers end even that.
//
// Threads: None; HealthBoard locks.
#ifndef LLM_ROUTER_RETRY_BUDGET_H_
#define LLM_ROUTER_RETRY_BUDGET_H_

#include <array>
#include <cstdint>

#include "adapters/core/clock.h"

namespace llm {

class RetryBudget {
 public:
  void First(Instant now) { ++At(now).firsts; }
  // Counts the repeat if there is room for it.
  bool TakeRepeat(Instant now);

 private:
  static constexpr int kSeconds = 10;
  struct Second {
    int64_t number = -1;
    int64_t firsts = 0;
    int64_t repeats = 0;
  };
  static int64_t Number(Instant now) {
    return absl::ToInt64Seconds(now.since_epoch);
  }
  Second& At(Instant now) {
    Second& second = seconds_[static_cast<size_t>(Number(now) % kSeconds)];
    if (second.number != Number(now)) second = Second{Number(now), 0, 0};
    return second;
  }

  std::array<Second, kSeconds> seconds_;
};

}  // namespace llm

#endif  // LLM_ROUTER_RETRY_BUDGET_H_
