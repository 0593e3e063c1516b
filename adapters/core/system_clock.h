// The real clock: system time, CLOCK_MONOTONIC and Asio timers.
#ifndef LLM_ADAPTERS_CORE_SYSTEM_CLOCK_H_
#define LLM_ADAPTERS_CORE_SYSTEM_CLOCK_H_

#include "adapters/core/clock.h"

namespace llm {

class SystemClock : public Clock {
 public:
  absl::Time WallNow() const override;
  Instant Monotonic() const override;
  Task<absl::Status> SleepUntil(Instant when) const override;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_SYSTEM_CLOCK_H_
