// A unary call that is one question to the gateway. Internal to this room.
//
// Threads, ownership: loop_call.h.
#ifndef LLM_SERVER_GRPC_SIMPLE_CALL_H_
#define LLM_SERVER_GRPC_SIMPLE_CALL_H_

#include <utility>

#include "server/core/clean_text.h"
#include "server/grpc/call_edge.h"
#include "server/grpc/loop_call.h"

namespace llm::server {

template <typename Request, typename Response>
class SimpleCall final : public LoopCall<grpc::ServerUnaryReactor> {
 public:
  using Ask = Task<absl::StatusOr<Response>> (*)(ChatService& service,
                                                 const Caller& caller,
                                                 const Request& request);

  // `request` and `response` are gRPC's until OnDone.
  SimpleCall(Lane& lane, grpc::CallbackServerContext& context,
             const Request& request, Response* response)
      : LoopCall(lane, context),
        edge_(lane, context),
        request_(request),
        response_(response) {}

  grpc::ServerUnaryReactor* Begin(Access access, Ask ask) {
    access_ = access;
    ask_ = ask;
    LoopCall::Begin();
    return this;
  }

 private:
  Task<grpc::Status> Run() override {
    const absl::Status entered = edge_.Enter(access_);
    if (!entered.ok()) co_return edge_.Close(entered);
    absl::StatusOr<Response> answer =
        co_await ask_(lane().service, edge_.call().caller, request_);
    if (answer.ok()) {
      CleanText(&*answer);
      *response_ = *std::move(answer);
    }
    co_return edge_.Close(answer.status());
  }

  CallEdge edge_;
  const Request& request_;
  Response* response_;
  Access access_ = Access::kCaller;
  Ask ask_ = nullptr;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_SIMPLE_CALL_H_
