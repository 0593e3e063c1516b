#include "server/grpc/chat_call.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "server/core/clean_text.h"
#include "server/core/message_view.h"

namespace llm::server {

namespace asio = boost::asio;

ChatCall::ChatCall(const Acceptor& acceptor,
                   v1::LlmService::AsyncService& service)
    : QueueCall(acceptor),
      service_(service),
      edge_(lane(), context()),
      responder_(&context()) {
  service_.RequestChatCompletion(&context(), &request_.message, &responder_,
                                 &acceptor.queue, &acceptor.queue, arrived());
}

void ChatCall::Renew() { new ChatCall(acceptor(), service_); }

void ChatCall::Finish(const grpc::Status& status) {
  responder_.Finish(response_, status, finished());
}

Task<grpc::Status> ChatCall::Run() {
  absl::Status entered = edge_.Enter(Access::kCaller, request_.message);
  if (entered.ok()) entered = edge_.AcceptChat(&request_.message);
  if (!entered.ok()) co_return edge_.Refuse(entered);
  CallResult result =
      co_await lane().service.Chat(edge_.call(), request_, nullptr);
  edge_.SendFacts(result.info);
  if (result.replayed) edge_.SendReplayed();
  if (result.status.ok() && result.response.has_value()) {
    FillFlatView(&*result.response);
    CleanText(&*result.response);
    response_ = *std::move(result.response);
  }
  co_return edge_.Close(result.status);
}

StreamChatCall::StreamChatCall(const Acceptor& acceptor,
                               v1::LlmService::AsyncService& service)
    : QueueCall(acceptor),
      service_(service),
      edge_(lane(), context()),
      writer_(&context()) {
  service_.RequestStreamChatCompletion(&context(), &request_.message, &writer_,
                                       &acceptor.queue, &acceptor.queue,
                                       arrived());
}

void StreamChatCall::Renew() { new StreamChatCall(acceptor(), service_); }

void StreamChatCall::Finish(const grpc::Status& status) {
  writer_.Finish(status, finished());
}

Task<grpc::Status> StreamChatCall::Run() {
  absl::Status entered = edge_.Enter(Access::kCaller, request_.message);
  if (entered.ok()) entered = edge_.AcceptChat(&request_.message);
  if (!entered.ok()) co_return edge_.Refuse(entered);
  CallResult result =
      co_await lane().service.Chat(edge_.call(), request_, this);
  co_await SettleWrite();
  edge_.TrailFacts(result.info);
  co_return edge_.Close(result.status);
}

void StreamChatCall::OnReplay() { edge_.SendReplayed(); }

Task<absl::Status> StreamChatCall::Write(v1::ChatCompletionChunk chunk) {
  if (write_ != WriteState::kIdle) {
    co_return absl::CancelledError("the caller has left");
  }
  edge_.SendRequestId();
  FillFlatView(&chunk);
  CleanText(&chunk);
  chunk_ = std::move(chunk);
  write_ = WriteState::kInFlight;
  BreakOffUnlessTaken(chunk_.ByteSizeLong());
  writer_.Write(chunk_, written());
  while (write_ == WriteState::kInFlight) co_await WriteMoved();
  if (write_ == WriteState::kIdle) co_return absl::OkStatus();
  co_return absl::CancelledError("the caller has left");
}

void StreamChatCall::Written(bool ok) {
  const bool lost = !ok || write_ == WriteState::kAbandoned;
  write_ = lost ? WriteState::kBroken : WriteState::kIdle;
  Taken();
  Wake();
}

void StreamChatCall::AbandonWrite() {
  if (write_ != WriteState::kInFlight) return;
  write_ = WriteState::kAbandoned;
  Wake();
}

Task<void> StreamChatCall::WriteMoved() {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
          // Through the mailbox: resuming inside emit() would run the call
          // under its canceller's feet, and a job cannot outlive the call.
          slot.assign([this](asio::cancellation_type) {
            lane().mailbox.Post([this] { AbandonWrite(); });
          });
        }
        waiter_ = [resume = std::move(handler)]() mutable {
          std::move(resume)();
        };
      },
      asio::use_awaitable);
}

Task<void> StreamChatCall::SettleWrite() {
  if (write_ == WriteState::kAbandoned) {
    BreakOffAfter(lane().sweep->limits().farewell);
  }
  while (write_ == WriteState::kInFlight || write_ == WriteState::kAbandoned) {
    co_await WriteMoved();
  }
}

void StreamChatCall::Wake() {
  if (!waiter_) return;
  // The waiter may wait again at once.
  auto waiter = std::exchange(waiter_, nullptr);
  waiter();
}

}  // namespace llm::server
