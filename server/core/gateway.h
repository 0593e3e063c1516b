// What both doors call: authenticate, chat, list models, report usage, manage
// keys. The doors stay stateless translators; everything they decide is here.
//
// Threads:   One gateway per event loop; calls run on that loop.
// Ownership: Everything in GatewayParts outlives the gateway. A call holds the
//            router it started with, so a reload never disturbs it.
// Errors:    Statuses carry an llm.v1.UpstreamError payload (call_error.h).
#ifndef LLM_SERVER_CORE_GATEWAY_H_
#define LLM_SERVER_CORE_GATEWAY_H_

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/core/task.h"
#include "llm/v1/admin.pb.h"
#include "llm/v1/models.pb.h"
#include "llm/v1/usage.pb.h"
#include "router/router.h"
#include "server/auth/key_store.h"
#include "server/core/body_budget.h"
#include "server/core/http_service.h"
#include "server/core/idempotency.h"
#include "server/core/model_listing.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

// Facts about the process that all loops share.
struct ServiceState {
  // Not ready any more: balancers take their traffic elsewhere.
  std::atomic<bool> draining{false};
  // New calls are refused: a moment after `draining`.
  std::atomic<bool> refusing{false};
  std::atomic<bool> ready{false};
  std::atomic<int64_t> inflight{0};
  // Beyond it calls are refused, and counted in `shed_calls`.
  int64_t max_in_flight = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> shed_calls{0};
};

// What a reload replaces, at once and as a whole.
struct GatewaySnapshot {
  std::shared_ptr<Router> router;
  ApiKey admin_key;  // empty: no admin access by key
  // For prices of the model list in other currencies than USD.
  std::vector<ExchangeRate> rates;
};

// Told when a key was made or revoked: "key_created", "key_revoked".
using KeyLog =
    std::function<void(std::string_view event, const v1::VirtualKey& key)>;

struct GatewayParts {
  GatewaySnapshot snapshot;
  KeyStore* keys = nullptr;  // null: auth.mode none
  UsageStore* usage = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  ServiceState* state = nullptr;
  HealthBoard* health = nullptr;
  IdempotencyStore* idempotency = nullptr;  // null: keys are ignored
  BodyBudget* bodies = nullptr;             // null: unbounded
  CallObserver* observer = nullptr;         // of refusals; may be null
  KeyLog key_log;                           // may be empty
};

class Gateway final : public HttpService {
 public:
  explicit Gateway(GatewayParts parts);

  // `authorization`: the header's or metadata's whole value, "Bearer sk-…".
  // kUnauthenticated with one constant message for anything wrong [SEC-7];
  // with auth off everyone is the local caller. The admin key is a caller
  // too, with `admin` set.
  absl::StatusOr<Caller> Authenticate(
      std::string_view authorization) const override;
  // Only the admin key, or anyone on a loopback listener with auth off.
  absl::Status AuthoriseAdmin(std::string_view authorization) const override;

  // A context with ids minted and times taken; the door fills in the rest.
  CallContext NewCall(Caller caller, std::string_view door) const override;

  // kUnavailable (overloaded) at the end of a drain, and at the limits of
  // calls and of memory. With an idempotency key, the answer of the first
  // request that had it.
  Task<CallResult> Chat(const CallContext& context, const ChatRequest& request,
                        ChunkSink* sink) override;
  // The same gate. An Idempotency-Key means nothing here: the same inputs have
  // the same vectors.
  Task<EmbedCallResult> Embed(
      const CallContext& context,
      const v1::CreateEmbeddingsRequest& request) override;
  absl::StatusOr<RoutePlan> Explain(const CallContext& context,
                                    const ChatRequest& request) const override;

  v1::ListModelsResponse ListModels(const Caller& caller) const override;
  // kNotFound with the closest names.
  absl::StatusOr<v1::Model> GetModel(const Caller& caller,
                                     std::string_view id) const override;

  // A caller sees its own rows, an org admin its org's, the admin all.
  Task<absl::StatusOr<v1::GetUsageResponse>> GetUsage(
      const Caller& caller, const v1::GetUsageRequest& request) override;

  Task<absl::StatusOr<v1::CreateKeyResponse>> CreateKey(
      const v1::CreateKeyRequest& request) override;
  Task<absl::StatusOr<v1::ListKeysResponse>> ListKeys(
      const v1::ListKeysRequest& request) override;
  Task<absl::StatusOr<v1::RevokeKeyResponse>> RevokeKey(
      const v1::RevokeKeyRequest& request) override;

  v1::ListProvidersResponse ListProviders() const override;
  // kNotFound for a provider that is not configured, kInvalidArgument where
  // no model is named and none is served by it.
  Task<absl::StatusOr<v1::TestProviderResponse>> TestProvider(
      const v1::TestProviderRequest& request) override;

  void NoteRefusal(const CallContext& context, std::string_view code,
                   int http_status) override;

  // False while starting, draining, while the store takes no rows, or while
  // keys cannot be verified.
  bool Ready() const override;
  // {"ready", "draining", "config_version", "store", "deployments", "detail",
  // "providers"} as JSON; the last three as readiness.h says.
  std::string ReadinessJson() const override;

  // Swaps the configuration for calls that start from now on.
  void SetSnapshot(GatewaySnapshot snapshot);
  const ServiceState& state() const { return *parts_.state; }
  // That new calls start with.
  std::shared_ptr<Router> router() const { return parts_.snapshot.router; }

 private:
  const RouteTable& table() const { return parts_.snapshot.router->table(); }
  ListingFacts Facts() const;
  absl::Status StoreHealth() const;
  Task<CallResult> ChatOnce(const CallContext& context,
                            const ChatRequest& request, ChunkSink* sink);
  CallResult ShedBody(const CallContext& context);
  // At a limit of the service. Requires that the call is counted in flight.
  std::optional<CallResult> ShedCall(const CallContext& context);
  CallResult Shed(const CallContext& context, std::string_view message);

  GatewayParts parts_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_GATEWAY_H_
