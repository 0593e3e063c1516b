#include "server/grpc/call_sweep.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "server/grpc/queue_call.h"

namespace llm::server {

CallSweep::CallSweep(boost::asio::io_context& loop, const Clock& clock,
                     const DoorLimits& limits)
    : clock_(clock), limits_(limits), timer_(loop) {}

void CallSweep::Add(QueueCall& call) {
  calls_.insert(&call);
  if (!armed_) ArmTimer();
}

void CallSweep::Remove(QueueCall& call) { calls_.erase(&call); }

void CallSweep::CutAt(Instant when) {
  cut_at_ = std::min(cut_at_, when);
  // Also where it is armed: the cut may come before the next tick.
  ArmTimer();
}

void CallSweep::ArmTimer() {
  armed_ = !calls_.empty();
  if (!armed_) return;
  absl::Duration wait = limits_.sweep;
  if (!stopping_) {
    wait = std::clamp(cut_at_ - clock_.Monotonic(), absl::ZeroDuration(), wait);
  }
  timer_.expires_after(absl::ToChronoNanoseconds(wait));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) self->Tick();
  });
}

void CallSweep::Tick() {
  const Instant now = clock_.Monotonic();
  if (now >= cut_at_) stopping_ = true;
  const DrainStage stage = Stage(now);
  for (QueueCall* call : calls_) call->OnTick(now, stage);
  ArmTimer();
}

DrainStage CallSweep::Stage(Instant now) const {
  if (cut_at_ == Instant::Never()) return DrainStage::kNone;
  if (now < cut_at_) return DrainStage::kWaiting;
  return now < cut_at_ + limits_.farewell ? DrainStage::kCutting
                                          : DrainStage::kEnding;
}

}  // namespace llm::server
