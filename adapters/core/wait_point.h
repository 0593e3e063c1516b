// Where a coroutine waits to be called on by foreign code of its own loop: a
// callback of libcurl's, an event of gRPC's.
//
// Against a timer that is cancelled to wake: the coroutine goes on inside
// Wake, without a trip through the loop's queue.
//
// Threads:   The loop's.
// Ownership: It holds the waiting coroutine, which may hold the wait point's
//            owner. A loop that is destroyed destroys what still waits on it,
//            as it does with Asio's own operations.
#ifndef LLM_ADAPTERS_CORE_WAIT_POINT_H_
#define LLM_ADAPTERS_CORE_WAIT_POINT_H_

#include <boost/intrusive/list_hook.hpp>

#include "absl/functional/any_invocable.h"
#include "adapters/core/task.h"

namespace llm {

class WaitPoint
    : public boost::intrusive::list_base_hook<
          boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  // Returns after the next Wake; one coroutine at a time. A cancellation that
  // reaches the coroutine runs `cancelled` inside emit(), so it should only
  // see to it that Wake is called later; nothing else happens to the wait.
  Task<void> Wait(absl::AnyInvocable<void()> cancelled = nullptr);
  bool waiting() const { return static_cast<bool>(waiter_); }
  // Resumes who waits, if anyone does, before it returns.
  void Wake();

 private:
  class Keeper;

  Keeper* keeper_ = nullptr;
  absl::AnyInvocable<void()> waiter_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_WAIT_POINT_H_
