// What a call needs of the loop it was given to. Internal to this room.
//
// Threads:   `mailbox` and Lanes from any thread; the rest is the loop's.
// Ownership: The loop, the service, the clock and the reader outlive the
//            lanes; the lanes outlive every call (GrpcServer waits for them).
#ifndef LLM_SERVER_GRPC_LANE_H_
#define LLM_SERVER_GRPC_LANE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "adapters/core/clock.h"
#include "server/core/chat_service.h"
#include "server/core/event_loop.h"
#include "server/core/mailbox.h"
#include "server/core/side_thread.h"
#include "server/grpc/call_sweep.h"

namespace llm::server {

struct Lane {
  Lane(EventLoop& on, ChatService& chat, const Clock& time,
       const DoorLimits& limits, int64_t most_bytes, SideThread* side)
      : loop(on),
        service(chat),
        clock(time),
        max_message_bytes(most_bytes),
        reader(side),
        mailbox(on.context()),
        sweep(std::make_shared<CallSweep>(on.context(), time, limits)) {}
  EventLoop& loop;
  ChatService& service;
  const Clock& clock;
  const int64_t max_message_bytes;
  SideThread* const reader;  // of large requests; may be null
  Mailbox mailbox;
  const std::shared_ptr<CallSweep> sweep;
};

// All lanes of one server, taken in turn.
class Lanes {
 public:
  explicit Lanes(std::vector<std::unique_ptr<Lane>> lanes)
      : lanes_(std::move(lanes)) {}
  Lane& Next() {
    return *lanes_[turn_.fetch_add(1, std::memory_order_relaxed) %
                   lanes_.size()];
  }
  // For calls so short that they need no turn, and should take none.
  Lane& First() { return *lanes_.front(); }
  // Every call is looked at now.
  void Tick() {
    for (const auto& lane : lanes_) {
      lane->mailbox.Post([sweep = lane->sweep] { sweep->Tick(); });
    }
  }
  // Calls still under way at `when` are cut.
  void CutAt(Instant when) {
    for (const auto& lane : lanes_) {
      lane->mailbox.Post([sweep = lane->sweep, when] { sweep->CutAt(when); });
    }
  }

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<size_t> turn_{0};
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_LANE_H_
