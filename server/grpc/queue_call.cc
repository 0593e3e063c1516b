#include "server/grpc/queue_call.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

namespace llm::server {

namespace asio = boost::asio;

QueueCall::QueueCall(const Acceptor& acceptor, Lane& lane)
    : token_(acceptor.live), acceptor_(acceptor), lane_(lane) {
  context_.AsyncNotifyWhenDone(&done_);
}

QueueCall::~QueueCall() {
  // One that never met a caller is not the loop's, nor in its sweep.
  if (state_ != State::kWaiting) lane_.sweep->Remove(*this);
}

void QueueCall::OnEvent(Event event, bool ok) {
  switch (event) {
    case Event::kArrived:
      if (!ok) {
        // The server ends; there is no caller and there will be no `done`.
        delete this;
        return;
      }
      Renew();
      lane_.mailbox.Post([this] { Start(); });
      return;
    case Event::kMoved:
      lane_.mailbox.Post([this, ok] { Moved(ok); });
      return;
    case Event::kFinished:
      lane_.mailbox.Post([this] { Over(); });
      return;
    case Event::kDone:
      lane_.mailbox.Post([this] {
        if (context_.IsCancelled()) Cancel();
        Over();
      });
      return;
  }
}

void QueueCall::Start() {
  state_ = State::kRunning;
  lane_.sweep->Add(*this);
  asio::co_spawn(lane_.loop.context(), Guarded(),
                 asio::bind_cancellation_slot(
                     signal_.slot(),
                     [this](std::exception_ptr error, grpc::Status status) {
                       End(error, std::move(status));
                     }));
}

Task<grpc::Status> QueueCall::Guarded() {
  // Without this every co_await after a cancel would throw, past code that
  // still has rows to write.
  co_await asio::this_coro::throw_if_cancelled(false);
  co_return co_await Run();
}

void QueueCall::Cancel() {
  if (state_ == State::kRunning) OnCancel();
}

void QueueCall::OnCancel() { signal_.emit(asio::cancellation_type::terminal); }

void QueueCall::End(const std::exception_ptr& error, grpc::Status status) {
  state_ = State::kFinished;
  if (error != nullptr) {
    status = grpc::Status(grpc::StatusCode::INTERNAL, "internal error");
  }
  BreakOffUnlessTaken(AnswerBytes());
  Finish(status);
}

void QueueCall::OnTick(Instant now, DrainStage stage) {
  const bool broken_off = stage == DrainStage::kEnding || now >= take_by_;
  if (broken_off) {
    Taken();
    context_.TryCancel();
  }
  const bool unneeded = stage != DrainStage::kNone && !OutlivesDrain();
  if (broken_off || unneeded || stage == DrainStage::kCutting) Cancel();
  Look();
}

void QueueCall::BreakOffAfter(absl::Duration limit) {
  take_by_ = lane_.clock.Monotonic() + limit;
}

void QueueCall::BreakOffUnlessTaken(size_t bytes) {
  constexpr size_t kLarge = size_t{1} << 20;
  BreakOffAfter(lane_.sweep->limits().write *
                static_cast<int64_t>(1 + bytes / kLarge));
}

void QueueCall::Over() {
  constexpr int kEnds = 2;
  if (++ends_ == kEnds) delete this;
}

}  // namespace llm::server
