#include "server/grpc/llm_service_edge.h"

#include "router/call_error.h"
#include "server/grpc/chat_call.h"
#include "server/grpc/simple_call.h"

namespace llm::server {
namespace {

// The request is an object of gRPC's that nobody reads after us, const only
// in the generated signature: taking its content saves a copy of up to
// max_body, and frees it with our call instead of gRPC's.
v1::ChatCompletionRequest* Take(const v1::ChatCompletionRequest* request) {
  return const_cast<v1::ChatCompletionRequest*>(request);
}

Task<absl::StatusOr<v1::CreateEmbeddingsResponse>> Embed(
    ChatService& /*service*/, const Caller& /*caller*/,
    const v1::CreateEmbeddingsRequest& /*request*/) {
  co_return RefuseCall(absl::StatusCode::kUnimplemented, "not_implemented",
                       "embeddings are not served by this version");
}

Task<absl::StatusOr<v1::ListModelsResponse>> List(
    ChatService& service, const Caller& caller,
    const v1::ListModelsRequest& /*request*/) {
  co_return service.ListModels(caller);
}

Task<absl::StatusOr<v1::GetUsageResponse>> Usage(
    ChatService& service, const Caller& caller,
    const v1::GetUsageRequest& request) {
  co_return co_await service.GetUsage(caller, request);
}

}  // namespace

grpc::ServerUnaryReactor* LlmServiceEdge::ChatCompletion(
    grpc::CallbackServerContext* context,
    const v1::ChatCompletionRequest* request,
    v1::ChatCompletionResponse* response) {
  auto* call = new ChatCall(lanes_.Next(), *context, Take(request), response);
  call->Begin();
  return call;
}

grpc::ServerWriteReactor<v1::ChatCompletionChunk>*
LlmServiceEdge::StreamChatCompletion(grpc::CallbackServerContext* context,
                                     const v1::ChatCompletionRequest* request) {
  auto* call = new StreamChatCall(lanes_.Next(), *context, Take(request));
  call->Begin();
  return call;
}

grpc::ServerUnaryReactor* LlmServiceEdge::CreateEmbeddings(
    grpc::CallbackServerContext* context,
    const v1::CreateEmbeddingsRequest* request,
    v1::CreateEmbeddingsResponse* response) {
  return (new SimpleCall(lanes_.Next(), *context, *request, response))
      ->Begin(Access::kCaller, Embed);
}

grpc::ServerUnaryReactor* LlmServiceEdge::ListModels(
    grpc::CallbackServerContext* context, const v1::ListModelsRequest* request,
    v1::ListModelsResponse* response) {
  return (new SimpleCall(lanes_.Next(), *context, *request, response))
      ->Begin(Access::kCaller, List);
}

grpc::ServerUnaryReactor* LlmServiceEdge::GetUsage(
    grpc::CallbackServerContext* context, const v1::GetUsageRequest* request,
    v1::GetUsageResponse* response) {
  return (new SimpleCall(lanes_.Next(), *context, *request, response))
      ->Begin(Access::kCaller, Usage);
}

}  // namespace llm::server
