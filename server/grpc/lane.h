// What a call needs of the loop it was given to. Internal to this room.
//
// Threads:   `mailbox` and Lanes::Next from any thread; the rest is the
//            loop's.
// Ownership: The loop, the service and the clock outlive the lanes; the lanes
//            outlive every call (GrpcServer waits for them).
#ifndef LLM_SERVER_GRPC_LANE_H_
#define LLM_SERVER_GRPC_LANE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "adapters/core/clock.h"
#include "server/core/chat_service.h"
#include "server/core/event_loop.h"
#include "server/core/mailbox.h"

namespace llm::server {

struct Lane {
  Lane(EventLoop& on, ChatService& chat, const Clock& time)
      : loop(on), service(chat), clock(time), mailbox(on.context()) {}
  EventLoop& loop;
  ChatService& service;
  const Clock& clock;
  Mailbox mailbox;
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

 private:
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<size_t> turn_{0};
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_LANE_H_
