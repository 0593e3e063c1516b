// The bridge between a gRPC reactor, whose callbacks come on gRPC's threads,
// and one coroutine on an event loop. Internal to this room.
//
// gRPC thread                        loop
//   handler: new call, Begin()  ──►  Start: spawns Run()
//   OnCancel (at any moment)    ──►  Cancel: emits the coroutine's signal
//                               ◄──  End: Finish(status), when Run is over
//   OnDone (after both)         ──►  deletes the call
//
// Why this is safe in every order: each arrow is a job in one FIFO mailbox,
// and gRPC calls OnDone only after Finish has completed and OnCancel has
// returned. So the deletion is the last job of a call; a cancel that lost the
// race against Finish finds State::kFinished and does nothing. The deleting
// job owns the call: it is freed also if the loop never runs that job.
//
// Threads:   Members are the loop's, except the three overrides above.
// Ownership: The call owns itself from Begin to OnDone. The server context is
//            gRPC's and dies with OnDone, hence is not touched after Finish.
// Errors:    What Run throws ends the call as INTERNAL, without its words.
#ifndef LLM_SERVER_GRPC_LOOP_CALL_H_
#define LLM_SERVER_GRPC_LOOP_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "server/grpc/lane.h"

namespace llm::server {

template <typename Reactor>
class LoopCall : public Reactor {
 public:
  LoopCall(const LoopCall&) = delete;
  LoopCall& operator=(const LoopCall&) = delete;
  ~LoopCall() override = default;

  // On gRPC's thread, once, before the call is returned to gRPC.
  void Begin() {
    lane_.mailbox.Post([this] { Start(); });
  }

 protected:
  LoopCall(Lane& lane, grpc::CallbackServerContext& context)
      : lane_(lane), context_(context) {}

  // The whole call; its status is the call's. Cancellation shows in what it
  // awaits, never as an exception of its own.
  virtual Task<grpc::Status> Run() = 0;

  Lane& lane() { return lane_; }
  grpc::CallbackServerContext& context() { return context_; }

 private:
  enum class State {
    kPosted,    // gRPC has the call; its loop has not seen it yet
    kRunning,   // Run is under way; a cancel reaches it by the signal
    kFinished,  // the status is gRPC's; OnDone will come
  };

  void OnCancel() final {
    lane_.mailbox.Post([this] { Cancel(); });
  }
  void OnDone() final {
    lane_.mailbox.Post([self = std::unique_ptr<LoopCall>(this)] {});
  }

  void Start() {
    state_ = State::kRunning;
    boost::asio::co_spawn(lane_.loop.context(), Guarded(),
                          boost::asio::bind_cancellation_slot(
                              signal_.slot(), [this](std::exception_ptr error,
                                                     grpc::Status status) {
                                End(error, std::move(status));
                              }));
  }

  Task<grpc::Status> Guarded() {
    // Without this every co_await after a cancel would throw, past code that
    // still has rows to write.
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    co_return co_await Run();
  }

  void Cancel() {
    if (state_ == State::kRunning) {
      signal_.emit(boost::asio::cancellation_type::terminal);
    }
  }

  void End(const std::exception_ptr& error, grpc::Status status) {
    state_ = State::kFinished;
    if (error != nullptr) {
      status = grpc::Status(grpc::StatusCode::INTERNAL, "internal error");
    }
    this->Finish(std::move(status));
  }

  Lane& lane_;
  grpc::CallbackServerContext& context_;
  State state_ = State::kPosted;
  boost::asio::cancellation_signal signal_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_LOOP_CALL_H_
