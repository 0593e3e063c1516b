#include "server/grpc/accept_calls.h"

#include <utility>

#include "server/grpc/chat_call.h"
#include "server/grpc/embed_call.h"
#include "server/grpc/reflection_call.h"
#include "server/grpc/simple_call.h"

namespace llm::server {
namespace {

// Callers that find none waiting are held by gRPC until one is renewed, which
// happens at once; a few more save that wait in a burst.
constexpr int kWaitingChats = 16;
constexpr int kWaitingEmbeds = 8;

Task<absl::StatusOr<v1::ListModelsResponse>> Models(
    ChatService& service, const Caller& caller,
    const v1::ListModelsRequest& /*request*/) {
  co_return service.ListModels(caller);
}

Task<absl::StatusOr<v1::GetUsageResponse>> Usage(
    ChatService& service, const Caller& caller,
    const v1::GetUsageRequest& request) {
  co_return co_await service.GetUsage(caller, request);
}

Task<absl::StatusOr<v1::CreateKeyResponse>> CreateKey(
    ChatService& service, const Caller& /*caller*/,
    const v1::CreateKeyRequest& request) {
  co_return co_await service.CreateKey(request);
}

Task<absl::StatusOr<v1::ListKeysResponse>> ListKeys(
    ChatService& service, const Caller& /*caller*/,
    const v1::ListKeysRequest& request) {
  co_return co_await service.ListKeys(request);
}

Task<absl::StatusOr<v1::RevokeKeyResponse>> RevokeKey(
    ChatService& service, const Caller& /*caller*/,
    const v1::RevokeKeyRequest& request) {
  co_return co_await service.RevokeKey(request);
}

Task<absl::StatusOr<v1::ListProvidersResponse>> ListProviders(
    ChatService& service, const Caller& /*caller*/,
    const v1::ListProvidersRequest& /*request*/) {
  co_return service.ListProviders();
}

Task<absl::StatusOr<v1::TestProviderResponse>> TestProvider(
    ChatService& service, const Caller& /*caller*/,
    const v1::TestProviderRequest& request) {
  co_return co_await service.TestProvider(request);
}

std::vector<std::string> AllNames(std::vector<std::string> services) {
  for (const char* name :
       {Health::service_full_name(), Reflection::service_full_name(),
        OldReflection::service_full_name()}) {
    services.emplace_back(name);
  }
  return services;
}

}  // namespace

StandardServices::StandardServices(std::vector<std::string> services)
    : serving(services), names(AllNames(std::move(services))) {}

void StandardServices::Register(grpc::ServerBuilder* builder) {
  builder->RegisterService(&health);
  builder->RegisterService(&reflection);
  builder->RegisterService(&old_reflection);
}

void AcceptStandardCalls(const Acceptor& acceptor, StandardServices& services) {
  // They own themselves (queue_call.h).
  new CheckCall(acceptor, services.health, services.serving);
  new WatchCall(acceptor, services.health, services.serving);
  new ReflectionCall(acceptor, services.reflection, services.names);
  new ReflectionCall(acceptor, services.old_reflection, services.names);
}

void AcceptLlmCalls(const Acceptor& acceptor, RawLlmService& service) {
  // They own themselves (queue_call.h). One kind after the other, so that both
  // go round all lanes.
  for (int i = 0; i < kWaitingChats; ++i) new ChatCall(acceptor, service);
  for (int i = 0; i < kWaitingChats; ++i) new StreamChatCall(acceptor, service);
  for (int i = 0; i < kWaitingEmbeds; ++i) new EmbedCall(acceptor, service);
  AcceptSimple(acceptor, service,
               SimpleMethod<RawLlmService, v1::ListModelsRequest,
                            v1::ListModelsResponse>{
                   Access::kCaller, &RawLlmService::RequestListModels, Models});
  AcceptSimple(
      acceptor, service,
      SimpleMethod<RawLlmService, v1::GetUsageRequest, v1::GetUsageResponse>{
          Access::kCaller, &RawLlmService::RequestGetUsage, Usage});
}

void AcceptAdminCalls(const Acceptor& acceptor, RawAdminService& service) {
  AcceptSimple(
      acceptor, service,
      SimpleMethod<RawAdminService, v1::CreateKeyRequest,
                   v1::CreateKeyResponse>{
          Access::kAdmin, &RawAdminService::RequestCreateKey, CreateKey});
  AcceptSimple(
      acceptor, service,
      SimpleMethod<RawAdminService, v1::ListKeysRequest, v1::ListKeysResponse>{
          Access::kAdmin, &RawAdminService::RequestListKeys, ListKeys});
  AcceptSimple(
      acceptor, service,
      SimpleMethod<RawAdminService, v1::RevokeKeyRequest,
                   v1::RevokeKeyResponse>{
          Access::kAdmin, &RawAdminService::RequestRevokeKey, RevokeKey});
  AcceptSimple(acceptor, service,
               SimpleMethod<RawAdminService, v1::ListProvidersRequest,
                            v1::ListProvidersResponse>{
                   Access::kAdmin, &RawAdminService::RequestListProviders,
                   ListProviders});
  AcceptSimple(
      acceptor, service,
      SimpleMethod<RawAdminService, v1::TestProviderRequest,
                   v1::TestProviderResponse>{
          Access::kAdmin, &RawAdminService::RequestTestProvider, TestProvider});
}

}  // namespace llm::server
