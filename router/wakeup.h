// One coroutine waits, anyone wakes it: the bridge between a call on its loop
// and what happens on other loops (a place that became free, a shared answer
// that went on).
//
// A wake-up is never lost: one that comes before the wait ends the next wait
// at once. Several count as one, so whoever wakes up looks for itself.
//
// Threads:      Wake from any thread. Wait on the loop it was made for, one
//               waiter at a time.
// Ownership:    Copies share one waiter. The loop outlives every Wake.
// Cancellation: Ends the wait with kCancelled; a waiter whose loop is torn
//               down around it is simply gone.
#ifndef LLM_ROUTER_WAKEUP_H_
#define LLM_ROUTER_WAKEUP_H_

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "absl/status/status.h"
#include "adapters/core/clock.h"
#include "adapters/core/task.h"

namespace llm {

class Wakeup {
 public:
  explicit Wakeup(boost::asio::any_io_executor loop);

  void Wake() const;
  // OK once woken; kDeadlineExceeded at `until` by `clock`, which outlives
  // the wait; kCancelled.
  Task<absl::Status> Wait(const Clock& clock, Instant until) const;

 private:
  struct State;
  struct Sleep;
  static std::shared_ptr<Sleep> StartSleep(const std::shared_ptr<State>& state,
                                           const Clock& clock, Instant until);
  std::shared_ptr<State> state_;
};

}  // namespace llm

#endif  // LLM_ROUTER_WAKEUP_H_
