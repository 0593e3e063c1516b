#include "router/route_plan.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/core/status_macros.h"
#include "router/call_error.h"
#include "router/resolve_route.h"

namespace llm {
namespace {

enum class Verdict { kTake, kNotAllowed, kTooLong, kLacks, kLacksSoft };

struct Judged {
  Verdict verdict = Verdict::kTake;
  std::string why;
};

std::string LacksHard(const RequestNeeds& needs, const ModelTraits& traits) {
  if (needs.tools && !traits.tools) return "no tools";
  if (needs.vision && !traits.vision) return "no vision";
  if (needs.audio && !traits.audio) return "no audio";
  return "";
}

// What a dialect can weaken and report in `dropped` instead of failing.
std::string LacksSoft(const RequestNeeds& needs, const ModelTraits& traits) {
  if (needs.json_schema && !traits.json_schema) return "no JSON schema";
  if (needs.forced_tool_choice && !traits.forced_tool_choice) {
    return "no forced tool choice";
  }
  return "";
}

Judged Judge(const PlanInput& input, const RequestNeeds& needs,
             const RouteTarget& target) {
  if (input.allowed_models != nullptr &&
      !KeyAllows(*input.table, *input.allowed_models,
                 target.public_model.value)) {
    return {Verdict::kNotAllowed, "not allowed for this key"};
  }
  std::string why = LacksHard(needs, target.traits);
  if (!why.empty()) return {Verdict::kLacks, std::move(why)};
  const int64_t window = target.traits.context_window;
  // The estimate may be twice the truth: what could fit goes to the provider.
  if (window > 0 && needs.estimated_input_tokens / 2 > window) {
    return {Verdict::kTooLong,
            absl::StrCat("prompt of about ", needs.estimated_input_tokens,
                         " tokens exceeds the context window of ", window)};
  }
  why = LacksSoft(needs, target.traits);
  if (why.empty()) return {};
  const bool strict = input.strict || input.request->strict();
  return {strict ? Verdict::kLacks : Verdict::kLacksSoft, std::move(why)};
}

struct Sieve {
  std::vector<RouteTarget> taken;
  std::vector<RouteTarget> weakened;
  std::vector<std::string> weakened_why;
  std::vector<std::string> excluded;
  bool any_allowed = false;
  bool all_too_long = true;
};

Sieve Sift(const PlanInput& input, ResolvedRoute& route) {
  const RequestNeeds needs = NeedsOf(*input.request);
  Sieve sieve;
  absl::flat_hash_set<std::string> seen;
  for (RouteTarget& target : route.candidates) {
    // A model may stand in both tiers; its first place counts.
    if (!seen.insert(StickyName(target)).second) continue;
    Judged judged = Judge(input, needs, target);
    if (judged.verdict != Verdict::kNotAllowed) {
      sieve.any_allowed = true;
      if (judged.verdict != Verdict::kTooLong) sieve.all_too_long = false;
    }
    std::string line =
        absl::StrCat(target.public_model.value, ": ", judged.why);
    if (judged.verdict == Verdict::kTake) {
      sieve.taken.push_back(std::move(target));
    } else if (judged.verdict == Verdict::kLacksSoft) {
      target.reason = absl::StrCat(target.reason, ", ", judged.why);
      sieve.weakened.push_back(std::move(target));
      sieve.weakened_why.push_back(std::move(line));
    } else if (std::find(sieve.excluded.begin(), sieve.excluded.end(), line) ==
               sieve.excluded.end()) {
      sieve.excluded.push_back(std::move(line));
    }
  }
  return sieve;
}

absl::Status NothingLeft(const Sieve& sieve) {
  const std::string why = absl::StrJoin(sieve.excluded, "; ");
  if (!sieve.any_allowed) {
    return RefuseCall(absl::StatusCode::kPermissionDenied, "model_not_allowed",
                      "This key may not use the requested model", "model");
  }
  if (sieve.all_too_long) {
    return RefuseCall(
        absl::StatusCode::kInvalidArgument, "context_length_exceeded",
        absl::StrCat("The prompt is too long: ", why), "messages");
  }
  return RefuseCall(absl::StatusCode::kInvalidArgument, "invalid_request",
                    absl::StrCat("No candidate model fits the request: ", why),
                    "model");
}

std::optional<Instant> BackAt(const PlanInput& input,
                              const RouteTarget& target) {
  if (input.health == nullptr) return std::nullopt;
  const auto cooling =
      input.health->CoolingUntil(target.deployment.id, input.now);
  const auto provider =
      input.table->providers.find(target.deployment.provider.value);
  if (provider == input.table->providers.end()) return cooling;
  const auto keys = input.health->KeysOutUntil(
      provider->first, provider->second.api_keys, input.now);
  if (cooling && keys) return std::max(*cooling, *keys);
  return cooling ? cooling : keys;
}

// Those that cool down go last, the one that comes back first before the
// others: with nothing else left, it is the best guess.
void CoolingLast(const PlanInput& input, std::vector<RouteTarget>* targets) {
  std::vector<RouteTarget> ready;
  std::vector<std::pair<Instant, RouteTarget>> cooling;
  for (RouteTarget& target : *targets) {
    const auto back = BackAt(input, target);
    if (!back) {
      ready.push_back(std::move(target));
      continue;
    }
    target.reason = absl::StrCat(target.reason, ", cooling down");
    cooling.emplace_back(*back, std::move(target));
  }
  std::stable_sort(
      cooling.begin(), cooling.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [back, target] : cooling) ready.push_back(std::move(target));
  *targets = std::move(ready);
}

void StickyFirst(const PlanInput& input, std::vector<RouteTarget>* targets) {
  if (!input.sticky_deployment) return;
  const std::string& wanted = *input.sticky_deployment;
  const auto it = std::find_if(
      targets->begin(), targets->end(), [&](const RouteTarget& target) {
        return StickyName(target) == wanted || target.deployment.id == wanted;
      });
  if (it == targets->end() || BackAt(input, *it)) return;
  it->reason = absl::StrCat(it->reason, ", kept for this conversation");
  std::rotate(targets->begin(), it, it + 1);
}

std::string Explain(const ResolvedRoute& route, const RouteTarget& first) {
  std::string text =
      absl::StrCat(first.public_model.value, " at ",
                   first.deployment.provider.value, ": ", first.reason);
  if (!route.task_source.empty()) {
    absl::StrAppend(&text, " (task from ", route.task_source, ")");
  }
  if (route.prefer == Prefer::kLatency) {
    absl::StrAppend(&text, "; latency is not measured yet, so in order");
  } else if (route.prefer == Prefer::kCost) {
    absl::StrAppend(&text, "; cost is not compared yet, so in order");
  }
  return text;
}

}  // namespace

std::string StickyName(const RouteTarget& target) {
  return absl::StrCat(target.public_model.value, "\n", target.deployment.id);
}

bool KeyAllows(const RouteTable& table, const std::vector<std::string>& allowed,
               std::string_view public_model) {
  if (allowed.empty()) return true;
  for (const std::string& name : allowed) {
    if (name == public_model) return true;
    const auto alias = table.model_aliases.find(name);
    if (alias != table.model_aliases.end() && alias->second == public_model) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<RoutePlan> MakePlan(const PlanInput& input) {
  LLM_ASSIGN_OR_RETURN(ResolvedRoute route, ResolveRoute(input));
  Sieve sieve = Sift(input, route);
  // A named model is not replaced, so it is weakened; a task is weakened only
  // where none of its models fits as the request stands.
  if (sieve.taken.empty()) {
    sieve.taken = std::move(sieve.weakened);
  } else {
    sieve.excluded.insert(sieve.excluded.end(), sieve.weakened_why.begin(),
                          sieve.weakened_why.end());
  }
  if (sieve.taken.empty()) return NothingLeft(sieve);
  CoolingLast(input, &sieve.taken);
  StickyFirst(input, &sieve.taken);
  RoutePlan plan;
  plan.config_version = input.table->version;
  plan.task_type = std::move(route.task_type);
  plan.task_source = std::move(route.task_source);
  plan.targets = std::move(sieve.taken);
  plan.excluded = std::move(sieve.excluded);
  plan.reason = Explain(route, plan.targets.front());
  return plan;
}

}  // namespace llm
