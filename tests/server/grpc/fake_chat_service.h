// A gateway that says what the test wrote down for it.
//
// Threads: Any loop; what is recorded is guarded. `chat` is set before the
//          first call and runs on the loops.
#ifndef LLM_TESTS_SERVER_GRPC_FAKE_CHAT_SERVICE_H_
#define LLM_TESTS_SERVER_GRPC_FAKE_CHAT_SERVICE_H_

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/core/mutex.h"
#include "adapters/core/system_clock.h"
#include "router/call_error.h"
#include "server/core/chat_service.h"

namespace llm::server {

class FakeChatService : public ChatService {
 public:
  using ChatBody = std::function<Task<CallResult>(
      const CallContext&, const ChatRequest&, ChunkSink*)>;

  static constexpr std::string_view kKey = "Bearer sk-good";
  static constexpr std::string_view kAdminKey = "Bearer admin";

  ChatBody chat;
  // Before usage is reported; not OK: instead of it.
  std::function<Task<absl::Status>()> before_usage;
  // The user that every listed key and model is called after.
  std::string label = "one";

  // The last chat that arrived.
  std::pair<CallContext, v1::ChatCompletionRequest> Last() const {
    MutexLock lock(mutex_);
    return {context_, request_};
  }

  absl::StatusOr<Caller> Authenticate(
      std::string_view authorization) const override {
    if (authorization != kKey) return Refused();
    Caller caller;
    caller.user = "ann";
    return caller;
  }
  absl::Status AuthoriseAdmin(std::string_view authorization) const override {
    return authorization == kAdminKey ? absl::OkStatus() : Refused();
  }
  CallContext NewCall(Caller caller, std::string_view door) const override {
    CallContext context;
    context.call_id.value = absl::StrCat("call-", ++calls_);
    context.caller = std::move(caller);
    context.door = std::string(door);
    context.received = clock_.Monotonic();
    context.received_wall = clock_.WallNow();
    return context;
  }
  Task<CallResult> Chat(const CallContext& context, const ChatRequest& request,
                        ChunkSink* sink) override {
    Record(context, request.message);
    co_return co_await chat(context, request, sink);
  }
  Task<EmbedCallResult> Embed(
      const CallContext& context,
      const v1::CreateEmbeddingsRequest& request) override {
    Record(context, {});
    EmbedCallResult result;
    result.info.set_model(request.model());
    result.info.set_provider("fake");
    if (request.model() == "bad") {
      result.status = RefuseCall(absl::StatusCode::kNotFound, "model_not_found",
                                 "no such model", "model");
      co_return result;
    }
    v1::CreateEmbeddingsResponse& response = result.response.emplace();
    for (const std::string& text : request.input()) {
      response.add_data()->add_embedding(static_cast<float>(text.size()));
    }
    *response.mutable_llm_service() = result.info;
    co_return result;
  }
  v1::ListModelsResponse ListModels(const Caller& caller) const override {
    v1::ListModelsResponse response;
    response.add_data()->set_id(label);
    response.mutable_data(0)->set_owned_by(caller.user);
    return response;
  }
  Task<absl::StatusOr<v1::GetUsageResponse>> GetUsage(
      const Caller& caller, const v1::GetUsageRequest& request) override {
    if (before_usage) {
      const absl::Status status = co_await before_usage();
      if (!status.ok()) co_return status;
    }
    v1::GetUsageResponse response;
    response.set_currency(request.from());
    (*response.mutable_models())[caller.user].set_requests(3);
    co_return response;
  }
  Task<absl::StatusOr<v1::CreateKeyResponse>> CreateKey(
      const v1::CreateKeyRequest& request) override {
    v1::CreateKeyResponse response;
    response.mutable_key()->set_name(request.name());
    response.set_secret("sk-new");
    co_return response;
  }
  Task<absl::StatusOr<v1::ListKeysResponse>> ListKeys(
      const v1::ListKeysRequest& request) override {
    v1::ListKeysResponse response;
    response.add_keys()->set_id(request.include_revoked() ? "all" : "live");
    co_return response;
  }
  Task<absl::StatusOr<v1::RevokeKeyResponse>> RevokeKey(
      const v1::RevokeKeyRequest& request) override {
    co_return RefuseCall(absl::StatusCode::kNotFound, "invalid_request",
                         absl::StrCat("no key ", request.id()), "id");
  }
  v1::ListProvidersResponse ListProviders() const override {
    v1::ListProvidersResponse response;
    response.add_providers()->set_id(label);
    return response;
  }
  Task<absl::StatusOr<v1::TestProviderResponse>> TestProvider(
      const v1::TestProviderRequest& request) override {
    v1::TestProviderResponse response;
    response.set_provider(request.id());
    response.set_model(request.model());
    co_return response;
  }

 private:
  static absl::Status Refused() {
    return RefuseCall(absl::StatusCode::kUnauthenticated, "invalid_api_key",
                      "missing or wrong API key");
  }
  void Record(const CallContext& context,
              const v1::ChatCompletionRequest& request) {
    MutexLock lock(mutex_);
    context_ = context;
    request_ = request;
  }

  SystemClock clock_;
  mutable std::atomic<int> calls_{0};
  mutable Mutex mutex_;
  CallContext context_ ABSL_GUARDED_BY(mutex_);
  v1::ChatCompletionRequest request_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm::server

#endif  // LLM_TESTS_SERVER_GRPC_FAKE_CHAT_SERVICE_H_
