#include "router/resolve_route.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "router/closest_names.h"
#include "router/rendezvous.h"
#include "router/route_index.h"

namespace llm {
namespace {

struct TaskName {
  std::string_view name;
  std::string_view source;
};

std::string_view MetadataTask(const v1::ChatCompletionRequest& request) {
  const auto it = request.metadata().find("task_type");
  return it == request.metadata().end() ? std::string_view() : it->second;
}

bool IsAuto(std::string_view model) {
  return model.empty() || model == "auto" || model == "auto-quick" ||
         model == "auto-deep" || model.starts_with("auto:");
}

// The task in the model field; empty for plain auto.
std::string_view AliasTask(std::string_view model,
                           const RoutingPolicy& policy) {
  if (model == "auto:") return model;  // no task has that name

  if (model == "auto-quick") return policy.quick_task;
  if (model == "auto-deep") return policy.deep_task;
  if (model.starts_with("auto:")) return model.substr(5);
  return {};
}

TaskName ChooseTask(const PlanInput& input, std::string_view alias) {
  const auto& request = *input.request;
  if (!request.task_type().empty()) return {request.task_type(), "request"};
  if (!alias.empty()) return {alias, "alias"};
  if (!input.path_task.empty()) return {input.path_task, "path"};
  const std::string_view metadata = MetadataTask(request);
  if (!metadata.empty()) return {metadata, "metadata"};
  return {input.table->policy.default_task, "default"};
}

absl::Status UnknownTask(const PlanInput& input, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [id, task] : input.table->tasks) names.push_back(id);
  for (const auto& [alias, id] : input.table->task_aliases) {
    names.push_back(alias);
  }
  return RefuseCall(
      absl::StatusCode::kNotFound, "model_not_found",
      absl::StrCat("Unknown task type '", ToAbsl(name.substr(0, 128)), "'",
                   DidYouMean(ClosestNames(name, std::move(names)))),
      "task_type");
}

absl::Status UnknownModel(const PlanInput& input, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [id, model] : input.table->models) {
    // What a key may not use it need not hear of.
    if (!input.MayUse(id)) continue;
    names.push_back(id);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  return RefuseCall(
      absl::StatusCode::kNotFound, "model_not_found",
      absl::StrCat("Unknown model '", ToAbsl(name.substr(0, 128)), "'",
                   DidYouMean(ClosestNames(name, std::move(names)))),
      "model");
}

// Deployments that are equals are ordered by the sticky key, the others stay
// as they are listed.
std::vector<const Deployment*> InOrder(const PublicModel& model,
                                       std::string_view sticky_key) {
  std::vector<const Deployment*> order;
  bool spread = model.spread;
  for (const Deployment& deployment : model.deployments) {
    order.push_back(&deployment);
    spread = spread || deployment.weight > 1;
  }
  if (!spread) return order;
  std::stable_sort(order.begin(), order.end(),
                   [sticky_key](const Deployment* a, const Deployment* b) {
                     return RendezvousScore(sticky_key, a->id, a->weight) >
                            RendezvousScore(sticky_key, b->id, b->weight);
                   });
  return order;
}

using Candidates = std::vector<RouteCandidate>;

void AddModel(const PublicModel& model, ChosenBy by,
              std::string_view sticky_key, Candidates* out) {
  if (model.deployments.size() == 1) {
    out->push_back({&model, &model.deployments.front(), by});
    return;
  }
  for (const Deployment* deployment : InOrder(model, sticky_key)) {
    out->push_back({&model, deployment, by});
  }
}

void AddTier(const RouteTable& table, const TaskRoute& task, ChosenBy by,
             std::string_view sticky_key, Candidates* out) {
  const auto& ids = by == ChosenBy::kFallback ? task.fallback : task.primary;
  for (const ModelId& id : ids) {
    const PublicModel* model = table.FindModel(id.value);
    // A model may stand in both tiers; its first place counts.
    const bool there = std::any_of(
        out->begin(), out->end(),
        [model](const RouteCandidate& known) { return known.model == model; });
    if (model != nullptr && !there) AddModel(*model, by, sticky_key, out);
  }
}

// A deployment that nobody has listed and nobody has priced.
std::unique_ptr<PublicModel> AdHocModel(const PlanInput& input,
                                        std::string_view name,
                                        std::string_view provider,
                                        std::string_view id) {
  auto model = std::make_unique<PublicModel>();
  model->id = ModelId{std::string(name)};
  Deployment& own = model->deployments.emplace_back();
  own.id = std::string(name);
  own.provider = ProviderId{std::string(provider)};
  own.upstream_model = ModelId{std::string(id)};
  // What the catalog knows of this upstream id holds here too.
  for (const std::string& known : input.table->model_order) {
    const PublicModel* listed = input.table->FindModel(known);
    if (listed == nullptr) continue;
    for (const Deployment& deployment : listed->deployments) {
      if (deployment.id == name) model->traits = listed->traits;
    }
  }
  return model;
}

// `provider/id`: a deployment of the catalog if that provider has one under
// that public id, else an ad-hoc one.
bool AddProviderModel(const PlanInput& input, std::string_view name,
                      ResolvedRoute* route) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || slash + 1 == name.size()) return false;
  const std::string_view provider = name.substr(0, slash);
  const std::string_view id = name.substr(slash + 1);
  if (!input.table->providers.contains(ToAbsl(provider))) return false;
  if (const PublicModel* model = input.table->FindModel(id)) {
    AddModel(*model, ChosenBy::kProviderName, input.sticky_key,
             &route->candidates);
    std::erase_if(route->candidates, [provider](const RouteCandidate& known) {
      return known.deployment->provider.value != provider;
    });
    if (!route->candidates.empty()) return true;
  }
  route->ad_hoc = AdHocModel(input, name, provider, id);
  AddModel(*route->ad_hoc, ChosenBy::kUpstreamName, input.sticky_key,
           &route->candidates);
  return true;
}

absl::StatusOr<ResolvedRoute> ResolveModel(const PlanInput& input,
                                           std::string_view name) {
  ResolvedRoute route;
  if (const PublicModel* model = input.table->FindModel(name)) {
    AddModel(*model, ChosenBy::kName, input.sticky_key, &route.candidates);
  } else if (!AddProviderModel(input, name, &route)) {
    return UnknownModel(input, name);
  }
  // Here a task routes nothing. Who says one to us must say one that exists;
  // metadata is the caller's own, and any word will do for the usage row.
  const TaskName task = ChooseTask(input, {});
  if (task.source != "default") {
    const TaskRoute* known = input.table->FindTask(task.name);
    if (known == nullptr && task.source != "metadata") {
      return UnknownTask(input, task.name);
    }
    route.task_type =
        known == nullptr ? std::string(task.name.substr(0, 128)) : known->id;
  }
  return route;
}

}  // namespace

bool IsNamed(const RouteCandidate& candidate, std::string_view name) {
  const std::string& id = candidate.deployment->id;
  if (name == id) return true;
  // MODEL "\n" DEPLOYMENT, without making it.
  const std::string& model = candidate.model->id.value;
  return name.size() == model.size() + 1 + id.size() && name.ends_with(id) &&
         name.starts_with(model) && name[model.size()] == '\n';
}

std::vector<RouteCandidate> CandidatesOf(const RouteTable& table,
                                         const TaskRoute& task,
                                         std::string_view sticky_key) {
  Candidates out;
  AddTier(table, task, ChosenBy::kPrimary, sticky_key, &out);
  AddTier(table, task, ChosenBy::kFallback, sticky_key, &out);
  return out;
}

absl::StatusOr<ResolvedRoute> ResolveRoute(const PlanInput& input) {
  const std::string_view name = input.request->model();
  if (input.embed != nullptr && name.empty()) {
    return RefuseField("model", "model is required for embeddings");
  }
  if (!IsAuto(name)) return ResolveModel(input, name);
  const TaskName chosen =
      ChooseTask(input, AliasTask(name, input.table->policy));
  const TaskRoute* task = input.table->FindTask(chosen.name);
  if (task == nullptr) return UnknownTask(input, chosen.name);
  ResolvedRoute route;
  route.task_type = task->id;
  route.task_source = std::string(chosen.source);
  route.prefer = task->prefer;
  if (input.index != nullptr) route.known = input.index->Candidates(*task);
  if (route.known == nullptr) {
    route.candidates = CandidatesOf(*input.table, *task, input.sticky_key);
  }
  if (route.all().empty()) {
    return RefuseCall(
        absl::StatusCode::kNotFound, "model_not_found",
        absl::StrCat("No model is served here for task type '", task->id, "'"),
        "task_type");
  }
  return route;
}

}  // namespace llm
