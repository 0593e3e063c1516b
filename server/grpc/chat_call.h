// The two chat calls. Internal to this room.
//
// Threads, ownership: queue_call.h.
#ifndef LLM_SERVER_GRPC_CHAT_CALL_H_
#define LLM_SERVER_GRPC_CHAT_CALL_H_

#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include "adapters/core/wait_point.h"
#include "server/grpc/call_edge.h"
#include "server/grpc/queue_call.h"
#include "server/grpc/raw_services.h"

namespace llm::server {

class ChatCall final : public QueueCall {
 public:
  ChatCall(const Acceptor& acceptor, RawLlmService& service);

 private:
  void Renew() override;
  Task<grpc::Status> Run() override;
  void Finish(const grpc::Status& status) override;
  size_t AnswerBytes() const override { return bytes_.Length(); }

  RawLlmService& service_;
  CallEdge edge_;
  // The request's, then the answer's.
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_;
};

// One chunk at a time: Write returns when gRPC has taken the chunk past its
// flow-control window, so a slow reader holds up the provider's transfer. One
// that takes nothing for limits.write is broken off by the lane's sweep, also
// where no provider waits any more (queue_call.h).
class StreamChatCall final : public QueueCall, private ChunkSink {
 public:
  StreamChatCall(const Acceptor& acceptor, RawLlmService& service);

 private:
  enum class WriteState {
    kIdle,       // gRPC holds no chunk; the next Write may start
    kInFlight,   // gRPC holds a chunk; Write waits for Moved
    kAbandoned,  // gRPC holds a chunk, but the call was cancelled: only the
                 // end of the call still waits for Moved
    kBroken,     // a write failed, the client is gone: all further fail
  };

  void Renew() override;
  Task<grpc::Status> Run() override;
  void Finish(const grpc::Status& status) override;
  void OnReplay() override;
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override;
  void Moved(bool ok) override;

  void AbandonWrite();
  // Returns after the next Moved or AbandonWrite.
  Task<void> WriteMoved();
  // Finish may not overlap a write. Where a slow reader still blocks the one
  // of an abandoned call, that reader has limits.farewell to take it and be
  // told how the call ended; then it is broken off.
  Task<void> SettleWrite();

  RawLlmService& service_;
  CallEdge edge_;
  // The request's.
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer_;
  WriteState write_ = WriteState::kIdle;
  WaitPoint event_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_CHAT_CALL_H_
