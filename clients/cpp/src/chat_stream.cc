#include "llm_service/chat_stream.h"

#include <utility>

#include "stream_call.h"

namespace llm::client {

ChatStream::Call::Call(std::shared_ptr<const Connection> connection,
                       std::shared_ptr<OpenCall> open,
                       const v1::ChatCompletionRequest& request)
    : connection_(std::move(connection)), open_(std::move(open)) {
  reader_ = connection_->stub().StreamChatCompletion(&open_->context, request);
}

ChatStream::Call::~Call() {
  if (end_.has_value()) return;
  // gRPC wants every call finished; a cancelled one is at once.
  open_->context.TryCancel();
  reader_->Finish();
}

std::optional<v1::ChatCompletionChunk> ChatStream::Call::Next() {
  if (end_.has_value()) return std::nullopt;
  v1::ChatCompletionChunk chunk;
  const bool read = reader_->Read(&chunk);
  open_->has_metadata = true;
  if (read) {
    builder_.Add(chunk);
    return chunk;
  }
  end_ = connection_->ToStatus(reader_->Finish(), *open_);
  open_->registration = {};
  return std::nullopt;
}

absl::Status ChatStream::Call::Finish() {
  while (Next().has_value()) {
  }
  return *end_;
}

void ChatStream::Call::Cancel() const {
  if (open_ != nullptr) open_->Cancel();
}

ReceivedMetadata ChatStream::Call::Metadata() const {
  return open_ == nullptr ? ReceivedMetadata() : MetadataFrom(*open_);
}

ChatStream::ChatStream(std::unique_ptr<Call> call) : call_(std::move(call)) {}
ChatStream::ChatStream(ChatStream&&) noexcept = default;
ChatStream& ChatStream::operator=(ChatStream&&) noexcept = default;
ChatStream::~ChatStream() = default;

std::optional<v1::ChatCompletionChunk> ChatStream::Next() {
  return call_ == nullptr ? std::nullopt : call_->Next();
}
absl::Status ChatStream::Finish() {
  if (call_ == nullptr) {
    return absl::FailedPreconditionError("the stream was moved from");
  }
  return call_->Finish();
}
void ChatStream::Cancel() const {
  if (call_ != nullptr) call_->Cancel();
}
ReceivedMetadata ChatStream::Metadata() const {
  return call_ == nullptr ? ReceivedMetadata() : call_->Metadata();
}
v1::ChatCompletionResponse ChatStream::Answer() const {
  return call_ == nullptr ? v1::ChatCompletionResponse() : call_->Answer();
}

}  // namespace llm::client
