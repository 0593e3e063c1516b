// Admit, plan, attempt, settle: one call from either door to its end.
//
// Threads:      One router per event loop and configuration; calls run on
//               that loop. What is shared between loops (health, conversation
//               state) is passed in and safe.
// Ownership:    Everything in RouterParts outlives the router; `context`,
//               `request` and `sink` outlive the returned task.
// Cancellation: Cancelling the task closes every upstream transfer within a
//               second, starts no further attempt, and still writes its rows.
// Errors:       CallResult.status with an llm.v1.UpstreamError payload (see
//               call_error.h); the codes are the contract's.
#ifndef LLM_ROUTER_ROUTER_H_
#define LLM_ROUTER_ROUTER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/core/chat_request.h"
#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "adapters/core/random.h"
#include "adapters/core/task.h"
#include "router/admission.h"
#include "router/call_observer.h"
#include "router/conversation_state.h"
#include "router/embedding_cache.h"
#include "router/health_board.h"
#include "router/priority.h"
#include "router/route_plan.h"
#include "router/route_table.h"
#include "router/turn_memory.h"
#include "router/usage_ledger.h"

namespace llm {

// Who calls, as the door found out.
struct Caller {
  KeyId key_id;
  std::string org;
  std::string team;
  std::string user;
  // Public model ids this key may use; empty: all.
  std::vector<std::string> allowed_models;
  bool org_admin = false;
  bool admin = false;
  // Unforgeable scope of caches and stickiness: the key id, or "local" where
  // auth is off.
  std::string tenant;
};

// What became of the one attempt of a probing call.
struct ProbeTrace {
  std::optional<AttemptRecord> record;  // unset: nobody was asked
  UpstreamFailure failure;
};

struct CallContext {
  CallId call_id;
  Caller caller;
  // grpc or http.
  std::string door;
  Instant received;
  absl::Time received_wall;
  // The caller's own deadline; Never where it set none.
  Instant deadline = Instant::Never();
  // Tags that came with the URL or headers; the request's own fields win.
  std::string path_task;
  std::string path_run;
  std::string path_agent;
  std::string trace_id;
  // The caller's own name for this request, if it sent one; never unique.
  std::string client_request_id;
  bool strict = false;
  // x-llm-priority; the request's own field wins.
  Priority priority = Priority::kNormal;
  // The caller's Idempotency-Key; empty: none. Never logged, never stored.
  std::string idempotency_key;
  // True once the service itself cuts this call short: a cancellation is then
  // `overloaded` and no doing of the caller's. Null where nobody says so; else
  // outlives the call.
  const std::atomic<bool>* service_stopping = nullptr;
  // Not null: a look at one provider. Its attempt is of role `probe`, a
  // failure is answered and not repeated, and what happened is kept here.
  // Outlives the call.
  ProbeTrace* probe = nullptr;
};

// Where a streaming caller reads. Content chunks come as they arrive; the
// last chunk carries `llm_service` (and the usage chunk after it, if asked).
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  // Before everything else: what follows is an earlier call's answer.
  virtual void OnReplay() {}
  // Once, before the first Write of content: who answers, and after how many
  // attempts. Cost and usage are in the last chunk.
  virtual void OnCommit(const v1::ServiceInfo& known) {
    static_cast<void>(known);
  }
  // `chunk` lives until the task ends; what is wanted of it may be taken out.
  virtual Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) = 0;
};

struct CallResult {
  // OK, or the failure for the caller.
  absl::Status status;
  // Unary calls that succeeded.
  std::optional<v1::ChatCompletionResponse> response;
  // Facts for response headers, also on failure as far as known.
  v1::ServiceInfo info;
  // Streams: content had left before the failure, so it is in band.
  bool committed = false;
  // An earlier call's answer, by its Idempotency-Key.
  bool replayed = false;
};

struct EmbedCallResult {
  absl::Status status;
  // Where it succeeded.
  std::optional<v1::CreateEmbeddingsResponse> response;
  v1::ServiceInfo info;
};

struct RouterParts {
  std::shared_ptr<const RouteTable> table;
  // Of the table; made by the router where it is null.
  std::shared_ptr<const RouteIndex> index;
  // This loop's providers, by id.
  absl::flat_hash_map<std::string, std::unique_ptr<Provider>> providers;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  UsageLedger* ledger = nullptr;
  Admission* admission = nullptr;
  CallObserver* observer = nullptr;
  HealthBoard* health = nullptr;
  ConversationState* conversations = nullptr;
  // Null: what clients drop of their conversations stays lost.
  TurnMemory* turns = nullptr;
  EmbeddingCache* embeddings = nullptr;  // null: nothing is remembered
};

class Router {
 public:
  explicit Router(RouterParts parts);
  ~Router();

  // One chat. `sink` null: unary, the answer is in CallResult.response.
  Task<CallResult> Chat(const CallContext& context, const ChatRequest& request,
                        ChunkSink* sink);

  // One request for embeddings: a call like a chat, but for what providers are
  // asked and that no other model may answer.
  Task<EmbedCallResult> Embed(const CallContext& context,
                              const v1::CreateEmbeddingsRequest& request);

  // What Chat would choose, without calling anyone.
  absl::StatusOr<RoutePlan> Explain(const CallContext& context,
                                    const ChatRequest& request) const;

  // A look at one of its providers that costs nothing; kUnknown for a name it
  // does not know.
  Task<ProbeResult> Probe(const std::string& provider,
                          const ProbeContext& context) const;

  const RouteTable& table() const;

 private:
  class Call;
  RouterParts parts_;
};

}  // namespace llm

#endif  // LLM_ROUTER_ROUTER_H_
