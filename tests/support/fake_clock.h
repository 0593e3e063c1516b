// A clock that stands still until a test moves it.
//
// Threads:  WallNow, Monotonic and Advance from any thread. SleepUntil waits
//           on the event loop of its coroutine and is woken there.
// Use:      Start the work, run the loop until it waits, Advance, run again:
//             FakeClock clock;
//             asio::co_spawn(io, Work(clock), asio::detached);
//             io.poll();                    // Work is now asleep
//             clock.Advance(absl::Seconds(5));
//             io.restart();
//             io.poll();                    // and awake
#ifndef LLM_TESTS_SUPPORT_FAKE_CLOCK_H_
#define LLM_TESTS_SUPPORT_FAKE_CLOCK_H_

#include <cstddef>
#include <memory>

#include "adapters/core/clock.h"

namespace llm {

class FakeClock : public Clock {
 public:
  // Wall time starts at `wall`, monotonic time at one hour.
  explicit FakeClock(absl::Time wall = absl::FromUnixSeconds(1'795'305'600));
  ~FakeClock() override;

  absl::Time WallNow() const override;
  Instant Monotonic() const override;
  Task<absl::Status> SleepUntil(Instant when) const override;

  // Moves both times on and wakes every sleeper whose time has come.
  void Advance(absl::Duration by);
  // Moves to the earliest wake-up; false if nobody sleeps towards one.
  bool AdvanceToNextSleeper();
  // Moves wall time alone, either way: a corrected system clock.
  void SetWall(absl::Time wall);
  // Coroutines now inside SleepUntil.
  size_t sleepers() const;

 private:
  struct State;
  class Registration;
  // Shared with sleepers, whose frames may outlive the clock at loop
  // teardown.
  std::shared_ptr<State> state_;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_FAKE_CLOCK_H_
