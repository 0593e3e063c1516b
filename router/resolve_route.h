// From the request's words to candidate models: which task or model was
// meant, and which deployments stand behind it, before any of them is judged.
//
// Pure. Errors: kNotFound (model_not_found) with the closest names.
#ifndef LLM_ROUTER_RESOLVE_ROUTE_H_
#define LLM_ROUTER_RESOLVE_ROUTE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "router/route_plan.h"

namespace llm {

// Light: fifty are weighed for each call, a few become targets. Borrows from
// the table, or from the route for a model that only the request knows.
struct RouteCandidate {
  const PublicModel* model = nullptr;
  const Deployment* deployment = nullptr;
  ChosenBy by = ChosenBy::kName;
  // What it cannot do and a dialect weakens: "no JSON schema".
  std::string_view lacks = {};
  // For the health board, where the table has an index.
  const HealthSubject* subject = nullptr;

  bool fallback() const { return by == ChosenBy::kFallback; }
};

// Whether a conversation remembers it by `name`; see StickyName.
bool IsNamed(const RouteCandidate& candidate, std::string_view name);

struct ResolvedRoute {
  std::string task_type;
  std::string task_source;
  Prefer prefer = Prefer::kOrder;
  // In order: primary tier, then fallback; within a model its deployments.
  // No deployment of a model stands there twice.
  absl::Span<const RouteCandidate> all() const {
    return known != nullptr ? *known : candidates;
  }
  // A task's from the table's index, or else the request's own.
  const std::vector<RouteCandidate>* known = nullptr;
  std::vector<RouteCandidate> candidates;
  // What was no candidate for embeddings, and why.
  std::vector<std::string> left_out;
  // `provider/id` beyond the catalog.
  std::unique_ptr<PublicModel> ad_hoc;
};

absl::StatusOr<ResolvedRoute> ResolveRoute(const PlanInput& input);

// A task's, in order. Deployments that share a model's load are ordered by
// `sticky_key`.
std::vector<RouteCandidate> CandidatesOf(const RouteTable& table,
                                         const TaskRoute& task,
                                         std::string_view sticky_key);

// For embeddings: leaves one model, of a task's the first that makes vectors
// and that the caller's key may use, and of its deployments those that share
// the upstream id of the one listed first. Neither health nor prices have a
// say: a model's vectors must stay one model's. kInvalidArgument where a task
// has no embedding model.
absl::Status KeepOneSpace(const PlanInput& input, ResolvedRoute* route);

}  // namespace llm

#endif  // LLM_ROUTER_RESOLVE_ROUTE_H_
