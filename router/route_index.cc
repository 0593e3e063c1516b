#include "router/route_index.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace llm {
namespace {

bool Spreads(const PublicModel& model) {
  return model.deployments.size() > 1 &&
         (model.spread ||
          std::any_of(model.deployments.begin(), model.deployments.end(),
                      [](const Deployment& one) { return one.weight > 1; }));
}

}  // namespace

RouteIndex::RouteIndex(const RouteTable& table) {
  absl::flat_hash_map<const Deployment*, const HealthSubject*> known;
  for (const auto& [id, task] : table.tasks) {
    std::vector<RouteCandidate> candidates = CandidatesOf(table, task, "");
    const bool spreads = std::any_of(
        candidates.begin(), candidates.end(),
        [](const RouteCandidate& one) { return Spreads(*one.model); });
    if (spreads) continue;
    for (RouteCandidate& candidate : candidates) {
      const HealthSubject*& subject = known[candidate.deployment];
      if (subject == nullptr) {
        HealthSubject made = SubjectOf(table, *candidate.deployment);
        made.hash = HealthBoard::HashOf(made.deployment);
        subject = &subjects_.emplace_back(made);
      }
      candidate.subject = subject;
    }
    tasks_[&task] = std::move(candidates);
  }
}

const std::vector<RouteCandidate>* RouteIndex::Candidates(
    const TaskRoute& task) const {
  const auto found = tasks_.find(&task);
  return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace llm
