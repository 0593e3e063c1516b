#include "server/grpc/admin_service_edge.h"

#include "server/grpc/simple_call.h"

namespace llm::server {
namespace {

Task<absl::StatusOr<v1::CreateKeyResponse>> Create(
    ChatService& service, const Caller& /*caller*/,
    const v1::CreateKeyRequest& request) {
  co_return co_await service.CreateKey(request);
}

Task<absl::StatusOr<v1::ListKeysResponse>> List(
    ChatService& service, const Caller& /*caller*/,
    const v1::ListKeysRequest& request) {
  co_return co_await service.ListKeys(request);
}

Task<absl::StatusOr<v1::RevokeKeyResponse>> Revoke(
    ChatService& service, const Caller& /*caller*/,
    const v1::RevokeKeyRequest& request) {
  co_return co_await service.RevokeKey(request);
}

}  // namespace

grpc::ServerUnaryReactor* AdminServiceEdge::CreateKey(
    grpc::CallbackServerContext* context, const v1::CreateKeyRequest* request,
    v1::CreateKeyResponse* response) {
  return (new SimpleCall(lanes_.Next(), *context, *request, response))
      ->Begin(Access::kAdmin, Create);
}

grpc::ServerUnaryReactor* AdminServiceEdge::ListKeys(
    grpc::CallbackServerContext* context, const v1::ListKeysRequest* request,
    v1::ListKeysResponse* response) {
  return (new SimpleCall(lanes_.Next(), *context, *request, response))
      ->Begin(Access::kAdmin, List);
}

grpc::ServerUnaryReactor* AdminServiceEdge::RevokeKey(
    grpc::CallbackServerContext* context, const v1::RevokeKeyRequest* request,
    v1::RevokeKeyResponse* response) {
  return (new SimpleCall(lanes_.Next(), *context, *request, response))
      ->Begin(Access::kAdmin, Revoke);
}

}  // namespace llm::server
