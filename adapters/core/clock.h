// Time as an object that is passed in.
//
// Threads: All methods may be called from any thread, except SleepUntil, which
//          waits on the event loop of the calling coroutine.
// Units:   absl::Duration and absl::Time; an Instant is monotonic and only
//          comparable with instants of the same clock.
#ifndef LLM_ADAPTERS_CORE_CLOCK_H_
#define LLM_ADAPTERS_CORE_CLOCK_H_

#include <compare>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "adapters/core/task.h"

namespace llm {

// A point in monotonic time: for deadlines and intervals, never for records.
struct Instant {
  absl::Duration since_epoch = absl::ZeroDuration();

  static constexpr Instant Never() { return {absl::InfiniteDuration()}; }
  friend Instant operator+(Instant t, absl::Duration d) {
    return {t.since_epoch + d};
  }
  friend absl::Duration operator-(Instant a, Instant b) {
    return a.since_epoch - b.since_epoch;
  }
  friend bool operator==(Instant a, Instant b) {
    return a.since_epoch == b.since_epoch;
  }
  friend bool operator<(Instant a, Instant b) {
    return a.since_epoch < b.since_epoch;
  }
  friend bool operator>(Instant a, Instant b) { return b < a; }
  friend bool operator<=(Instant a, Instant b) { return !(b < a); }
  friend bool operator>=(Instant a, Instant b) { return !(a < b); }
};

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: for records and price windows.
  virtual absl::Time WallNow() const = 0;
  // Monotonic time: for deadlines and intervals.
  virtual Instant Monotonic() const = 0;
  // Returns at or after `when`: OK, or kCancelled when the waiting task is
  // cancelled. Instant::Never() waits for cancellation.
  virtual Task<absl::Status> SleepUntil(Instant when) const = 0;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_CLOCK_H_
