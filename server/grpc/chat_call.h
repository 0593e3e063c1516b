// The two chat calls as reactors. Internal to this room.
//
// Threads, ownership: loop_call.h.
#ifndef LLM_SERVER_GRPC_CHAT_CALL_H_
#define LLM_SERVER_GRPC_CHAT_CALL_H_

#include "absl/functional/any_invocable.h"
#include "llm/v1/chat.pb.h"
#include "server/grpc/call_edge.h"
#include "server/grpc/loop_call.h"

namespace llm::server {

class ChatCall final : public LoopCall<grpc::ServerUnaryReactor> {
 public:
  // Takes the content of `request`; `response` is gRPC's until OnDone.
  ChatCall(Lane& lane, grpc::CallbackServerContext& context,
           v1::ChatCompletionRequest* request,
           v1::ChatCompletionResponse* response);

 private:
  Task<grpc::Status> Run() override;

  CallEdge edge_;
  ChatRequest request_;
  v1::ChatCompletionResponse* response_;
};

// One chunk at a time: Write returns when gRPC has taken the chunk past its
// flow-control window, so a slow reader holds up the provider's transfer.
class StreamChatCall final
    : public LoopCall<grpc::ServerWriteReactor<v1::ChatCompletionChunk>>,
      private ChunkSink {
 public:
  StreamChatCall(Lane& lane, grpc::CallbackServerContext& context,
                 v1::ChatCompletionRequest* request);

 private:
  enum class WriteState {
    kIdle,       // gRPC holds no chunk; the next Write may start
    kInFlight,   // gRPC holds `chunk_`; Write waits for OnWriteDone
    kAbandoned,  // gRPC holds `chunk_`, but the call was cancelled: only the
                 // end of the call still waits for OnWriteDone
    kBroken,     // a write failed, the client is gone: all further fail
  };

  Task<grpc::Status> Run() override;
  Task<absl::Status> Write(v1::ChatCompletionChunk chunk) override;
  void OnWriteDone(bool ok) override;

  void WriteDone(bool ok);
  void AbandonWrite();
  // Returns after the next WriteDone or AbandonWrite.
  Task<void> WriteMoved();
  // Finish may not overlap a write. One that a slow reader still blocks is
  // broken off: the reader has been told nothing final anyway.
  Task<void> SettleWrite();
  void Wake();

  CallEdge edge_;
  ChatRequest request_;
  v1::ChatCompletionChunk chunk_;
  WriteState write_ = WriteState::kIdle;
  absl::AnyInvocable<void()> waiter_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_CHAT_CALL_H_
