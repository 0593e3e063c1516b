#include "server/grpc/embed_call.h"

#include <utility>

#include "adapters/core/status_macros.h"
#include "server/core/clean_text.h"
#include "server/core/embed_check.h"
#include "server/core/read_request.h"
#include "server/grpc/wire_message.h"

namespace llm::server {

using Request = v1::CreateEmbeddingsRequest;

EmbedCall::EmbedCall(const Acceptor& acceptor, RawLlmService& service)
    : QueueCall(acceptor),
      service_(service),
      edge_(lane(), context()),
      responder_(&context()) {
  service_.RequestCreateEmbeddings(&context(), &bytes_, &responder_,
                                   &acceptor.queue, &acceptor.queue, arrived());
}

void EmbedCall::Renew() { new EmbedCall(acceptor(), service_); }

void EmbedCall::Finish(const grpc::Status& status) {
  responder_.Finish(bytes_, status, finished());
}

Task<absl::StatusOr<Request>> EmbedCall::Take() {
  const absl::Status entered = edge_.Enter(Access::kCaller, bytes_);
  const size_t length = bytes_.Length();
  if (!entered.ok()) {
    bytes_.Clear();
    co_return entered;
  }
  Parse<Request> parse = [shared = bytes_]() -> absl::StatusOr<Request> {
    Request request;
    LLM_RETURN_IF_ERROR(FromWire(shared, &request));
    LLM_RETURN_IF_ERROR(CheckEmbedRequest(request));
    return request;
  };
  bytes_.Clear();
  absl::StatusOr<Request> request =
      co_await ReadOn<Request>(lane().reader, length, std::move(parse));
  if (!request.ok()) co_return request;
  const absl::Status accepted = edge_.AcceptCall(*request);
  if (!accepted.ok()) co_return accepted;
  co_return request;
}

Task<grpc::Status> EmbedCall::Run() {
  const absl::StatusOr<Request> request = co_await Take();
  if (!request.ok()) co_return edge_.Refuse(request.status());
  EmbedCallResult result =
      co_await lane().service.Embed(edge_.call(), *request);
  edge_.SendFacts(result.info);
  if (result.status.ok() && result.response.has_value()) {
    CleanText(&*result.response);
    bytes_ = ToWire(*result.response);
  }
  co_return edge_.Close(result.status);
}

}  // namespace llm::server
