#include "server/grpc/chat_call.h"

#include <utility>

#include "adapters/core/status_macros.h"
#include "server/core/clean_text.h"
#include "server/core/message_view.h"
#include "server/core/read_request.h"
#include "server/core/request_check.h"
#include "server/grpc/wire_message.h"

namespace llm::server {

namespace {

// The request in `bytes`, once it is known whose it is. Gives the bytes back,
// also where it fails.
Task<absl::StatusOr<ChatRequest>> Take(Lane& lane, CallEdge& edge,
                                       grpc::ByteBuffer* bytes) {
  const absl::Status entered = edge.Enter(Access::kCaller, *bytes);
  const size_t length = bytes->Length();
  if (!entered.ok()) {
    bytes->Clear();
    co_return entered;
  }
  ParseRequest parse = [shared = *bytes]() -> absl::StatusOr<ChatRequest> {
    ChatRequest request;
    LLM_RETURN_IF_ERROR(FromWire(shared, &request.message));
    LLM_RETURN_IF_ERROR(CheckRequest(request.message));
    LLM_RETURN_IF_ERROR(NormaliseMessages(&request.message));
    return request;
  };
  bytes->Clear();
  absl::StatusOr<ChatRequest> request =
      co_await ReadRequest(lane.reader, length, std::move(parse));
  if (!request.ok()) co_return request;
  const absl::Status accepted = edge.AcceptCall(request->message);
  if (!accepted.ok()) co_return accepted;
  co_return request;
}

}  // namespace

ChatCall::ChatCall(const Acceptor& acceptor, RawLlmService& service)
    : QueueCall(acceptor),
      service_(service),
      edge_(lane(), context()),
      responder_(&context()) {
  service_.RequestChatCompletion(&context(), &bytes_, &responder_,
                                 &acceptor.queue, &acceptor.queue, arrived());
}

void ChatCall::Renew() { new ChatCall(acceptor(), service_); }

void ChatCall::Finish(const grpc::Status& status) {
  responder_.Finish(bytes_, status, finished());
}

Task<grpc::Status> ChatCall::Run() {
  const absl::StatusOr<ChatRequest> request =
      co_await Take(lane(), edge_, &bytes_);
  if (!request.ok()) co_return edge_.Refuse(request.status());
  CallResult result =
      co_await lane().service.Chat(edge_.call(), *request, nullptr);
  edge_.SendFacts(result.info);
  if (result.replayed) edge_.SendReplayed();
  if (result.status.ok() && result.response.has_value()) {
    FillFlatView(&*result.response);
    CleanText(&*result.response);
    bytes_ = ToWire(*result.response);
  }
  co_return edge_.Close(result.status);
}

StreamChatCall::StreamChatCall(const Acceptor& acceptor, RawLlmService& service)
    : QueueCall(acceptor),
      service_(service),
      edge_(lane(), context()),
      writer_(&context()) {
  service_.RequestStreamChatCompletion(&context(), &bytes_, &writer_,
                                       &acceptor.queue, &acceptor.queue,
                                       arrived());
}

void StreamChatCall::Renew() { new StreamChatCall(acceptor(), service_); }

void StreamChatCall::Finish(const grpc::Status& status) {
  writer_.Finish(status, finished());
}

Task<grpc::Status> StreamChatCall::Run() {
  const absl::StatusOr<ChatRequest> request =
      co_await Take(lane(), edge_, &bytes_);
  if (!request.ok()) co_return edge_.Refuse(request.status());
  CallResult result =
      co_await lane().service.Chat(edge_.call(), *request, this);
  co_await SettleWrite();
  edge_.TrailFacts(result.info);
  co_return edge_.Close(result.status);
}

void StreamChatCall::OnReplay() { edge_.SendReplayed(); }

Task<absl::Status> StreamChatCall::Write(v1::ChatCompletionChunk&& chunk) {
  if (write_ != WriteState::kIdle) {
    co_return absl::CancelledError("the caller has left");
  }
  edge_.SendRequestId();
  FillFlatView(&chunk);
  CleanText(&chunk);
  const grpc::ByteBuffer bytes = ToWire(chunk);
  write_ = WriteState::kInFlight;
  BreakOffUnlessTaken(bytes.Length());
  // gRPC keeps what it needs of the bytes.
  writer_.Write(bytes, moved());
  while (write_ == WriteState::kInFlight) co_await WriteMoved();
  if (write_ == WriteState::kIdle) co_return absl::OkStatus();
  co_return absl::CancelledError("the caller has left");
}

void StreamChatCall::Moved(bool ok) {
  const bool lost = !ok || write_ == WriteState::kAbandoned;
  write_ = lost ? WriteState::kBroken : WriteState::kIdle;
  Taken();
  event_.Wake();
}

void StreamChatCall::AbandonWrite() {
  if (write_ != WriteState::kInFlight) return;
  write_ = WriteState::kAbandoned;
  event_.Wake();
}

Task<void> StreamChatCall::WriteMoved() {
  // Through the mailbox: resuming inside emit() would run the call under its
  // canceller's feet, and a job cannot outlive the call.
  return event_.Wait(
      [this] { lane().mailbox.Post([this] { AbandonWrite(); }); });
}

Task<void> StreamChatCall::SettleWrite() {
  if (write_ == WriteState::kAbandoned) {
    BreakOffAfter(lane().sweep->limits().farewell);
  }
  while (write_ == WriteState::kInFlight || write_ == WriteState::kAbandoned) {
    co_await WriteMoved();
  }
}

}  // namespace llm::server
