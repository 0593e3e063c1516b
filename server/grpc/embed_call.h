// CreateEmbeddings. Internal to this room.
//
// Threads, ownership: queue_call.h.
#ifndef LLM_SERVER_GRPC_EMBED_CALL_H_
#define LLM_SERVER_GRPC_EMBED_CALL_H_

#include <grpcpp/support/async_unary_call.h>

#include "absl/status/statusor.h"
#include "server/grpc/call_edge.h"
#include "server/grpc/queue_call.h"
#include "server/grpc/raw_services.h"

namespace llm::server {

// Takes messages of up to server.max_body, like a chat.
class EmbedCall final : public QueueCall {
 public:
  EmbedCall(const Acceptor& acceptor, RawLlmService& service);

 private:
  void Renew() override;
  Task<grpc::Status> Run() override;
  void Finish(const grpc::Status& status) override;
  size_t AnswerBytes() const override { return bytes_.Length(); }
  // The request, once it is known whose it is. Gives its bytes back, also
  // where it fails.
  Task<absl::StatusOr<v1::CreateEmbeddingsRequest>> Take();

  RawLlmService& service_;
  CallEdge edge_;
  // The request's, then the answer's.
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_EMBED_CALL_H_
