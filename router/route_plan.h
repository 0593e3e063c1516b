// The decision before the first attempt: where to go, in which order, why.
//
// A plan is a pure function of table, health and request, so it is tested as
// a table, and `POST /v1/route` shows it without calling anyone.
#ifndef LLM_ROUTER_ROUTE_PLAN_H_
#define LLM_ROUTER_ROUTE_PLAN_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/core/chat_request.h"
#include "router/health_board.h"
#include "router/route_table.h"

namespace llm {

class RouteIndex;

// How a candidate came to be one.
enum class ChosenBy {
  kName,          // "named by the request"
  kProviderName,  // "named with its provider"
  kUpstreamName,  // "named as provider and upstream id"
  kPrimary,       // "primary of TASK"
  kFallback,
};

// Light: eight are made for each call, and one is mostly enough. Borrows from
// the table, or from the plan for a model that only the request knows.
struct RouteTarget {
  const PublicModel* model = nullptr;
  const Deployment* deployment = nullptr;
  ChosenBy by = ChosenBy::kName;
  // What it cannot do and a dialect weakens: "no JSON schema". A literal.
  std::string_view lacks = {};
  // HealthWords when the plan was made: mostly empty.
  std::string health;

  bool fallback() const { return by == ChosenBy::kFallback; }
  const ModelId& public_model() const { return model->id; }
  const ModelTraits& traits() const { return model->traits; }
};

struct RoutePlan {
  std::string config_version;
  std::string variant;  // experiment; empty for now
  std::string task_type;
  // request, alias, path, metadata, default; empty when a model was named.
  std::string task_source;
  // The best first; of very many candidates only those that a call may come
  // to ask.
  std::vector<RouteTarget> targets;
  // `provider/id` beyond the catalog.
  std::shared_ptr<const PublicModel> ad_hoc;
  // What the targets borrow from, where the plan outlives its call.
  std::shared_ptr<const RouteTable> table;
  // Candidates that were left out, and why: "gpt-4o: no tools".
  std::vector<std::string> excluded;
  // Why the first target: one sentence for people.
  std::string reason;
  bool embeddings = false;
  // The prompt's tokens, and with the answer's: estimates.
  int64_t estimated_input_tokens = 0;
  int64_t estimated_tokens = 0;
};

// What the request needs of a model, and about how long its prompt is. The
// estimate errs on the high side, up to twice the truth, so a model is left
// out as too small only where half of it exceeds the window.
struct RequestNeeds {
  bool tools = false;
  bool forced_tool_choice = false;
  bool json_schema = false;
  bool vision = false;
  bool audio = false;
  // Estimated, not counted: see EstimateTokens.
  int64_t estimated_input_tokens = 0;
};
RequestNeeds NeedsOf(const v1::ChatCompletionRequest& request);

// Characters to tokens, on the safe side of both scripts: 0.6 per CJK
// character, 0.3 per other (users.md, 2026-11). An estimate, marked as such
// wherever it is used.
int64_t EstimateTokens(std::string_view utf8);

// What a request for embeddings asks of a plan. Its model, task and tags are
// in PlanInput.request, like those of a chat.
struct EmbedNeeds {
  // Estimated, as RequestNeeds says: of all inputs, and of the longest. A
  // model's window is for one input.
  int64_t estimated_input_tokens = 0;
  int64_t longest_input_tokens = 0;
};
EmbedNeeds NeedsOf(const v1::CreateEmbeddingsRequest& request);

struct PlanInput {
  const RouteTable* table = nullptr;
  // Of the table; null: worked out for this plan alone.
  const RouteIndex* index = nullptr;
  const v1::ChatCompletionRequest* request = nullptr;
  // Set: embeddings are asked for. Then all targets are of one public model
  // and have one upstream id: vectors of different models do not mix.
  const EmbedNeeds* embed = nullptr;
  // Candidate tasks in order of precedence: request, path, metadata.
  std::string_view path_task;
  // Models the key may use; empty: all.
  const std::vector<std::string>* allowed_models = nullptr;
  // What StickyName gave for the deployment this conversation should stay on;
  // it stays if that is still a candidate. A bare deployment id will do.
  std::optional<std::string> sticky_deployment;
  // The caller refuses a request that a model cannot take as it stands.
  bool strict = false;
  // What rendezvous hashing spreads by where no deployment is remembered.
  std::string_view sticky_key;
  const HealthBoard* health = nullptr;
  Instant now;
  // Start of the request: prices in force then.
  absl::Time at;
  // Draws lots; null: the first of equals.
  Random* random = nullptr;

  // Whether the caller's key may use it.
  bool MayUse(std::string_view public_model) const;
};

// A deployment with its provider's keys, as the board wants it. Borrows both.
HealthSubject SubjectOf(const RouteTable& table, const Deployment& deployment);

// How many targets a plan has at most.
size_t MostTargets(const RouteTable& table);

// How a target is remembered for stickiness: model and deployment, since two
// public models may share a deployment id and differ in reasoning.
std::string StickyName(const RouteTarget& target);

// Why a target stands in its plan, in a few words, made when it is asked for:
// "primary of financial_analysis, no JSON schema".
std::string ReasonOf(const RoutePlan& plan, const RouteTarget& target);

// True if a key restricted to `allowed` (ids or aliases; empty: all) may use
// the public model. Checked in the plan and again at every dispatch [SEC-2].
bool KeyAllows(const RouteTable& table, const std::vector<std::string>& allowed,
               std::string_view public_model);

// kNotFound (model_not_found, with the closest names), kPermissionDenied
// (model_not_allowed), kInvalidArgument (context_length_exceeded, or a
// capability nobody has); never an empty plan.
absl::StatusOr<RoutePlan> MakePlan(const PlanInput& input);

}  // namespace llm

#endif  // LLM_ROUTER_ROUTE_PLAN_H_
