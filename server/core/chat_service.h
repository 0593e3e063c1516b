// What a door needs from the gateway, and nothing else.
//
// Gateway is the one implementation in production. The interface exists so
// that the doors' tests can script what comes back (a failure with every
// detail, a stream that stops half way) without a router below.
//
// Threads, ownership, errors: as gateway.h says for each method.
#ifndef LLM_SERVER_CORE_CHAT_SERVICE_H_
#define LLM_SERVER_CORE_CHAT_SERVICE_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/core/task.h"
#include "llm/v1/admin.pb.h"
#include "llm/v1/models.pb.h"
#include "llm/v1/usage.pb.h"
#include "router/router.h"

namespace llm::server {

class ChatService {
 public:
  virtual ~ChatService() = default;
  virtual absl::StatusOr<Caller> Authenticate(
      std::string_view authorization) const = 0;
  virtual absl::Status AuthoriseAdmin(std::string_view authorization) const = 0;
  virtual CallContext NewCall(Caller caller, std::string_view door) const = 0;
  virtual Task<CallResult> Chat(const CallContext& context,
                                const ChatRequest& request,
                                ChunkSink* sink) = 0;
  virtual Task<EmbedCallResult> Embed(
      const CallContext& /*context*/,
      const v1::CreateEmbeddingsRequest& /*request*/) {
    co_return EmbedCallResult{
        absl::UnimplementedError("no embeddings here"), std::nullopt, {}};
  }
  virtual v1::ListModelsResponse ListModels(const Caller& caller) const = 0;
  virtual Task<absl::StatusOr<v1::GetUsageResponse>> GetUsage(
      const Caller& caller, const v1::GetUsageRequest& request) = 0;
  virtual Task<absl::StatusOr<v1::CreateKeyResponse>> CreateKey(
      const v1::CreateKeyRequest& request) = 0;
  virtual Task<absl::StatusOr<v1::ListKeysResponse>> ListKeys(
      const v1::ListKeysRequest& request) = 0;
  virtual Task<absl::StatusOr<v1::RevokeKeyResponse>> RevokeKey(
      const v1::RevokeKeyRequest& request) = 0;
  // The admin listener's look at providers; see provider_check.h.
  virtual v1::ListProvidersResponse ListProviders() const { return {}; }
  virtual Task<absl::StatusOr<v1::TestProviderResponse>> TestProvider(
      const v1::TestProviderRequest& /*request*/) {
    co_return absl::UnimplementedError("no providers here");
  }
  // For every error a door answers without Chat: metrics and the log then
  // know of it. Chat tells of its own.
  virtual void NoteRefusal(const CallContext& /*context*/,
                           std::string_view /*code*/, int /*http_status*/) {}
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_CHAT_SERVICE_H_
