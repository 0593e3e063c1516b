// Embeddings: the one model, and those of its deployments that make the same
// vectors.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "router/call_error.h"
#include "router/resolve_route.h"

namespace llm {
namespace {

absl::Status NoEmbeddingModel(const RouteTable& table,
                              std::string_view task_type) {
  std::vector<std::string> served;
  for (const std::string& id : table.model_order) {
    const PublicModel* model = table.FindModel(id);
    if (model != nullptr && model->traits.embeddings.value_or(false)) {
      served.push_back(id);
    }
  }
  constexpr size_t kListed = 5;
  if (served.size() > kListed) served.resize(kListed);
  return RefuseField(
      "model",
      absl::StrCat("Task type '", std::string(task_type),
                   "' has no embedding model; name one in model",
                   served.empty() ? "" : ": ", absl::StrJoin(served, ", ")));
}

// A key that may use none gets the first, and is refused by its name.
const PublicModel* FirstThatEmbeds(
    const PlanInput& input, const std::vector<RouteCandidate>& candidates) {
  const PublicModel* first = nullptr;
  for (const RouteCandidate& candidate : candidates) {
    const PublicModel* model = candidate.model;
    if (!model->traits.embeddings.value_or(false)) continue;
    if (input.MayUse(model->id.value)) return model;
    if (first == nullptr) first = model;
  }
  return first;
}

// Candidates may stand in the order of a hash; the model's own list does not.
const Deployment* FirstListed(const std::vector<RouteCandidate>& candidates) {
  for (const Deployment& known : candidates.front().model->deployments) {
    for (const RouteCandidate& candidate : candidates) {
      if (candidate.deployment == &known) return &known;
    }
  }
  return candidates.front().deployment;
}

}  // namespace

absl::Status KeepOneSpace(const PlanInput& input, ResolvedRoute* route) {
  std::vector<RouteCandidate>& all = route->candidates;
  if (route->known != nullptr) all = *std::exchange(route->known, nullptr);
  // A model that was named stands, and is judged by what it is.
  const bool by_task = !route->task_source.empty();
  if (by_task) {
    const PublicModel* model = FirstThatEmbeds(input, all);
    if (model == nullptr) {
      return NoEmbeddingModel(*input.table, route->task_type);
    }
    std::erase_if(all, [model](const RouteCandidate& candidate) {
      return candidate.model != model;
    });
  }
  const Deployment* first = FirstListed(all);
  std::erase_if(all, [&](const RouteCandidate& candidate) {
    if (candidate.deployment->upstream_model == first->upstream_model) {
      return false;
    }
    route->left_out.push_back(absl::StrCat(
        candidate.deployment->id, ": another vector space than ", first->id));
    return true;
  });
  return absl::OkStatus();
}

}  // namespace llm
