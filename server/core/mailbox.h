// Hands work from foreign threads (gRPC's) to an event loop.
//
// Many threads post, one loop runs the jobs in the order they were posted;
// posts that happen one after the other, also on different threads, run in
// that order. A burst wakes the loop once: only the post that finds the
// mailbox idle goes through Asio.
//
// Bounds:    None of its own, by contract: whoever posts holds something
//            bounded for each job (an accepted call has at most four: begin,
//            cancel, write done, done; and a few for all of them), so the queue
//            is at most a small multiple of the calls in flight, which gRPC's
//            limits bound.
// Fairness:  Jobs run in batches; between two batches the loop serves its
//            sockets and timers.
// Threads:   Post from any thread. Jobs run on the loop, never inside Post.
// Ownership: The loop outlives the mailbox. Jobs that have not run when the
//            mailbox dies are destroyed unrun, by the dying thread: whoever
//            needs them to run drains first.
// Errors:    Jobs do not throw.
#ifndef LLM_SERVER_CORE_MAILBOX_H_
#define LLM_SERVER_CORE_MAILBOX_H_

#include <memory>

#include "absl/functional/any_invocable.h"

namespace boost::asio {
class io_context;
}

namespace llm::server {

class Mailbox {
 public:
  // Up to two pointers of captures need no allocation.
  using Job = absl::AnyInvocable<void()>;

  explicit Mailbox(boost::asio::io_context& loop);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void Post(Job job);

 private:
  class Queue;
  // Shared with the wake-up that may be under way in the loop when the
  // mailbox dies.
  std::shared_ptr<Queue> queue_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_MAILBOX_H_
