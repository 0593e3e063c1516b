// The bridge between gRPC's completion queue, whose events come on a queue
// thread, and one coroutine on an event loop. Internal to this room.
//
// queue thread                       loop
//   arrived                     ──►  Start: spawns Run()
//   moved (streams)             ──►  Moved(ok)
//   done (over or cancelled)    ──►  Cancel, if it was; one of two ends
//                               ◄──  End: Finish(status), when Run is over
//   finished                    ──►  the other of the two ends
//
// Why this is safe in every order: each arrow to the loop is a job in one FIFO
// mailbox, so all state is the loop's. gRPC reports `done` and `finished` once
// each for every call that arrived, in either order, and nothing after both:
// the second one deletes the call. A cancel that lost the race against Finish
// finds State::kFinished and does nothing.
//
// The lane's sweep is a second caller of Cancel, on the loop as well: it knows
// a call from Start to its deletion, so what it ticks exists, and gRPC's own
// call with it, which is what TryCancel needs. TryCancel adds no event: it
// makes those that are owed (moved, finished, done) come now, failed. So a
// reader that takes nothing holds its call for a limited time, and its stream
// no longer than that.
//
// Threads:   Everything is the loop's except the constructor and OnEvent, the
//            queue thread's.
// Ownership: The call owns itself from its making to the second end; one that
//            never meets a caller is deleted when the server ends.
// Errors:    What Run throws ends the call as INTERNAL, without its words.
#ifndef LLM_SERVER_GRPC_QUEUE_CALL_H_
#define LLM_SERVER_GRPC_QUEUE_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <boost/asio/cancellation_signal.hpp>
#include <cstddef>
#include <exception>

#include "adapters/core/clock.h"
#include "adapters/core/task.h"
#include "server/grpc/acceptor.h"

namespace llm::server {

class QueueCall {
 public:
  // kMoved: a stream's one message that was under way went out, or came in.
  enum class Event { kArrived, kMoved, kFinished, kDone };
  // What the queue returns.
  struct Tag {
    QueueCall* call;
    Event event;
  };

  QueueCall(const QueueCall&) = delete;
  QueueCall& operator=(const QueueCall&) = delete;
  virtual ~QueueCall();

  void OnEvent(Event event, bool ok);
  // Of the sweep: breaks the call off if its reader took nothing for too
  // long, and whatever the drain's stage asks for. Again at each tick, since
  // a step may have begun after the first time.
  void OnTick(Instant now, DrainStage stage);

 protected:
  // A subclass asks gRPC for its next caller, with `arrived()` as the tag, as
  // the last thing in its constructor.
  explicit QueueCall(const Acceptor& acceptor)
      : QueueCall(acceptor, acceptor.lanes.Next()) {}
  QueueCall(const Acceptor& acceptor, Lane& lane);

  // Makes another call of this kind, for the next caller.
  virtual void Renew() = 0;
  // The whole call; its status is the call's. Cancellation shows in what it
  // awaits, never as an exception of its own.
  virtual Task<grpc::Status> Run() = 0;
  // Starts the responder's Finish, with `finished()` as the tag.
  virtual void Finish(const grpc::Status& status) = 0;
  // `ok` false: the caller is gone, or will send no more.
  virtual void Moved(bool /*ok*/) {}
  // While Run is under way: signals Run's cancellation. Here for calls that
  // wait for nothing but gRPC.
  virtual void OnCancel();
  // Whether a drain should wait for it.
  virtual bool OutlivesDrain() const { return true; }
  // At every tick, for what changes without an event of the call's own.
  virtual void Look() {}
  // Of the message that goes out with Finish.
  virtual size_t AnswerBytes() const { return 0; }

  // Breaks the call off unless Taken is called within `limit`.
  void BreakOffAfter(absl::Duration limit);
  // The same for a message that gRPC is handed now. gRPC tells when it has
  // taken all of it and nothing before that, so a large one has longer.
  void BreakOffUnlessTaken(size_t bytes);
  void Taken() { take_by_ = Instant::Never(); }

  const Acceptor& acceptor() const { return acceptor_; }
  Lane& lane() { return lane_; }
  grpc::ServerContext& context() { return context_; }
  Tag* arrived() { return &arrived_; }
  Tag* moved() { return &moved_; }
  Tag* finished() { return &finished_; }

 private:
  enum class State {
    kWaiting,   // for a caller, or for the loop to start
    kRunning,   // Run is under way; a cancel reaches it by the signal
    kFinished,  // the status is gRPC's; the ends will come
  };

  void Start();
  Task<grpc::Status> Guarded();
  void Cancel();
  void End(const std::exception_ptr& error, grpc::Status status);
  void Over();

  // First, so destroyed last: nothing of the call is left when it counts down.
  LiveCalls::Token token_;
  const Acceptor acceptor_;
  Lane& lane_;
  grpc::ServerContext context_;
  Tag arrived_{this, Event::kArrived};
  Tag moved_{this, Event::kMoved};
  Tag finished_{this, Event::kFinished};
  Tag done_{this, Event::kDone};
  State state_ = State::kWaiting;
  int ends_ = 0;
  Instant take_by_ = Instant::Never();
  boost::asio::cancellation_signal signal_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_QUEUE_CALL_H_
