// From the request's words to candidate models: which task or model was
// meant, and which deployments stand behind it, before any of them is judged.
//
// Pure. Errors: kNotFound (model_not_found) with the closest names.
#ifndef LLM_ROUTER_RESOLVE_ROUTE_H_
#define LLM_ROUTER_RESOLVE_ROUTE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "router/route_plan.h"

namespace llm {

struct ResolvedRoute {
  std::string task_type;
  std::string task_source;
  // A model was named: its deployments only, never another model's.
  bool explicit_model = false;
  Prefer prefer = Prefer::kOrder;
  // In order: primary tier, then fallback; within a model its deployments.
  std::vector<RouteTarget> candidates;
};

absl::StatusOr<ResolvedRoute> ResolveRoute(const PlanInput& input);

}  // namespace llm

#endif  // LLM_ROUTER_RESOLVE_ROUTE_H_
