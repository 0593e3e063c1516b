// A unary call that is one question to the gateway. Internal to this room.
//
// Threads, ownership: queue_call.h.
#ifndef LLM_SERVER_GRPC_SIMPLE_CALL_H_
#define LLM_SERVER_GRPC_SIMPLE_CALL_H_

#include <grpcpp/support/async_unary_call.h>

#include <utility>

#include "absl/status/statusor.h"
#include "server/core/clean_text.h"
#include "server/grpc/call_edge.h"
#include "server/grpc/queue_call.h"
#include "server/grpc/wire_message.h"

namespace llm::server {

// What is particular to one method of `Service`.
template <typename Service, typename Request, typename Response>
struct SimpleMethod {
  Access access;
  void (Service::*accept)(grpc::ServerContext*, grpc::ByteBuffer*,
                          grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>*,
                          grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                          void*);
  Task<absl::StatusOr<Response>> (*ask)(ChatService& service,
                                        const Caller& caller,
                                        const Request& request);
};

template <typename Service, typename Request, typename Response>
class SimpleCall final : public QueueCall {
 public:
  using Method = SimpleMethod<Service, Request, Response>;

  SimpleCall(const Acceptor& acceptor, Service& service, const Method& method)
      : QueueCall(acceptor),
        service_(service),
        method_(method),
        edge_(lane(), context()),
        responder_(&context()) {
    (service_.*method_.accept)(&context(), &bytes_, &responder_,
                               &acceptor.queue, &acceptor.queue, arrived());
  }

 private:
  void Renew() override { new SimpleCall(acceptor(), service_, method_); }

  Task<grpc::Status> Run() override {
    absl::Status entered = edge_.Enter(method_.access, bytes_);
    Request request;
    if (entered.ok()) entered = QuestionFromWire(&bytes_, &request);
    bytes_.Clear();
    if (!entered.ok()) co_return edge_.Refuse(entered);
    absl::StatusOr<Response> answer =
        co_await method_.ask(lane().service, edge_.call().caller, request);
    if (!answer.ok()) co_return edge_.Refuse(answer.status());
    CleanText(&*answer);
    bytes_ = ToWire(*answer);
    co_return edge_.Close(absl::OkStatus());
  }

  void Finish(const grpc::Status& status) override {
    responder_.Finish(bytes_, status, finished());
  }
  size_t AnswerBytes() const override { return bytes_.Length(); }

  Service& service_;
  const Method method_;
  CallEdge edge_;
  // The question's, then the answer's.
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_;
};

// Starts accepting callers of one method.
template <typename Service, typename Request, typename Response>
void AcceptSimple(const Acceptor& acceptor, Service& service,
                  const SimpleMethod<Service, Request, Response>& method) {
  // Owns itself: queue_call.h.
  new SimpleCall<Service, Request, Response>(acceptor, service, method);
}

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_SIMPLE_CALL_H_
