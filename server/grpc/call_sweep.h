// The calls of one lane that are under way, and one timer over all of them: it
// finds readers that take nothing, and cuts what outlives a drain. Internal to
// this room.
//
// Why calls may be looked at in peace: they are added and removed by the loop
// only, never from inside Tick, since all three happen in jobs of the mailbox
// or in the timer's handler.
//
// Threads:   The loop's, but for `stopping`.
// Ownership: Shared by its lane and by the timer's handler that may still be
//            queued when the lane is gone; no call is left by then. Loop and
//            clock outlive it.
#ifndef LLM_SERVER_GRPC_CALL_SWEEP_H_
#define LLM_SERVER_GRPC_CALL_SWEEP_H_

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "adapters/core/clock.h"
#include "server/core/door_limits.h"

namespace llm::server {

class QueueCall;

enum class DrainStage {
  kNone,
  kWaiting,  // for calls to end by themselves
  kCutting,  // cancelled, and told `overloaded`
  kEnding,   // broken off
};

class CallSweep : public std::enable_shared_from_this<CallSweep> {
 public:
  CallSweep(boost::asio::io_context& loop, const Clock& clock,
            const DoorLimits& limits);

  void Add(QueueCall& call);
  void Remove(QueueCall& call);
  // From `when` on every call is cancelled, and told `overloaded`; those that
  // have not taken that limits.farewell later are broken off. Of several times
  // the first counts.
  void CutAt(Instant when);
  // Looks at every call now, as the timer does.
  void Tick();

  // True once calls are being cut. Any thread.
  const std::atomic<bool>& stopping() const { return stopping_; }
  const DoorLimits& limits() const { return limits_; }

 private:
  void ArmTimer();
  DrainStage Stage(Instant now) const;

  const Clock& clock_;
  const DoorLimits limits_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  Instant cut_at_ = Instant::Never();
  std::atomic<bool> stopping_{false};
  absl::flat_hash_set<QueueCall*> calls_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_CALL_SWEEP_H_
