// What is behind a ChatStream.
//
// Threads: As ChatStream.
#ifndef LLM_SERVICE_SRC_STREAM_CALL_H_
#define LLM_SERVICE_SRC_STREAM_CALL_H_

#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "connection.h"
#include "llm_service/answer_builder.h"
#include "llm_service/chat_stream.h"

namespace llm::client {

class ChatStream::Call {
 public:
  // One that has ended before it began.
  explicit Call(absl::Status status) : end_(std::move(status)) {}
  Call(std::shared_ptr<const Connection> connection,
       std::shared_ptr<OpenCall> open,
       const v1::ChatCompletionRequest& request);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  std::optional<v1::ChatCompletionChunk> Next();
  absl::Status Finish();
  void Cancel() const;
  ReceivedMetadata Metadata() const;
  v1::ChatCompletionResponse Answer() const { return builder_.Answer(); }

 private:
  // Keeps the channel for as long as the call needs it.
  std::shared_ptr<const Connection> connection_;
  std::shared_ptr<OpenCall> open_;
  std::unique_ptr<grpc::ClientReaderInterface<v1::ChatCompletionChunk>> reader_;
  AnswerBuilder builder_;
  std::optional<absl::Status> end_;
};

}  // namespace llm::client

#endif  // LLM_SERVICE_SRC_STREAM_CALL_H_
