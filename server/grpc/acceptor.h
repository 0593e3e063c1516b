// What a call needs to be accepted: a queue to hear from gRPC, lanes to run
// on, and to be counted. Internal to this room.
//
// Threads:   Any.
// Ownership: Outlives every call; GrpcServer waits for LiveCalls to be empty.
#ifndef LLM_SERVER_GRPC_ACCEPTOR_H_
#define LLM_SERVER_GRPC_ACCEPTOR_H_

#include <grpcpp/completion_queue.h>

#include "absl/time/time.h"
#include "adapters/core/mutex.h"
#include "server/grpc/lane.h"

namespace llm::server {

// Counts call objects, those that still wait for a caller included: no new
// operation may reach a queue that is shut down, so that waits for zero.
class LiveCalls {
 public:
  class Token {
   public:
    explicit Token(LiveCalls& live) : live_(live) {
      MutexLock lock(live_.mutex_);
      ++live_.count_;
    }
    ~Token() {
      MutexLock lock(live_.mutex_);
      if (--live_.count_ == 0) live_.none_.NotifyAll();
    }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;

   private:
    LiveCalls& live_;
  };

  void AwaitNone() {
    MutexLock lock(mutex_);
    while (count_ > 0) (void)none_.WaitFor(mutex_, absl::Seconds(1));
  }

 private:
  Mutex mutex_;
  CondVar none_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

struct Acceptor {
  Lanes& lanes;
  LiveCalls& live;
  grpc::ServerCompletionQueue& queue;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_ACCEPTOR_H_
