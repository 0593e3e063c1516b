#include "router/route_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "router/cost_meter.h"
#include "router/rank_route.h"
#include "router/resolve_route.h"

namespace llm {
namespace {

enum class Verdict { kTake, kNotAllowed, kTooLong, kLacks, kLacksSoft };

struct Judged {
  Verdict verdict = Verdict::kTake;
  std::string why;
  std::string_view lacks = {};
};

std::string_view LacksHard(const RequestNeeds& needs,
                           const ModelTraits& traits) {
  if (needs.tools && !traits.tools) return "no tools";
  if (needs.vision && !traits.vision) return "no vision";
  if (needs.audio && !traits.audio) return "no audio";
  return "";
}

// What a dialect can weaken and report in `dropped` instead of failing.
std::string_view LacksSoft(const RequestNeeds& needs,
                           const ModelTraits& traits) {
  if (needs.json_schema && !traits.json_schema) return "no JSON schema";
  if (needs.forced_tool_choice && !traits.forced_tool_choice) {
    return "no forced tool choice";
  }
  return "";
}

Judged Judge(const PlanInput& input, const RequestNeeds& needs,
             const RouteCandidate& candidate) {
  const ModelTraits& traits = candidate.model->traits;
  if (!input.MayUse(candidate.model->id.value)) {
    return {Verdict::kNotAllowed, "not allowed for this key"};
  }
  std::string_view why = LacksHard(needs, traits);
  if (traits.embeddings == (input.embed == nullptr)) {
    why = input.embed == nullptr ? "makes embeddings and does not chat"
                                 : "makes no embeddings";
  }
  if (!why.empty()) return {Verdict::kLacks, std::string(why)};
  const int64_t window = traits.context_window;
  // The estimate may be twice the truth: what could fit goes to the provider.
  const int64_t longest = input.embed == nullptr
                              ? needs.estimated_input_tokens
                              : input.embed->longest_input_tokens;
  if (window > 0 && longest / 2 > window) {
    return {Verdict::kTooLong,
            absl::StrCat(input.embed == nullptr ? "prompt" : "input",
                         " of about ", longest,
                         " tokens exceeds the context window of ", window)};
  }
  const std::string_view lacks = LacksSoft(needs, traits);
  if (lacks.empty()) return {};
  const bool strict = input.strict || input.request->strict();
  return {strict ? Verdict::kLacks : Verdict::kLacksSoft, std::string(lacks),
          lacks};
}

struct Sieve {
  std::vector<RouteCandidate> taken;
  std::vector<RouteCandidate> weakened;
  std::vector<std::string> weakened_why;
  std::vector<std::string> excluded;
  bool any_allowed = false;
  bool all_too_long = true;
};

Sieve Sift(const PlanInput& input, const RequestNeeds& needs,
           const ResolvedRoute& route) {
  Sieve sieve;
  sieve.taken.reserve(route.candidates.size());
  for (const RouteCandidate& candidate : route.candidates) {
    Judged judged = Judge(input, needs, candidate);
    if (judged.verdict != Verdict::kNotAllowed) {
      sieve.any_allowed = true;
      if (judged.verdict != Verdict::kTooLong) sieve.all_too_long = false;
    }
    if (judged.verdict == Verdict::kTake) {
      sieve.taken.push_back(candidate);
      continue;
    }
    std::string line =
        absl::StrCat(candidate.model->id.value, ": ", judged.why);
    if (judged.verdict == Verdict::kLacksSoft) {
      sieve.weakened.push_back(candidate);
      sieve.weakened.back().lacks = judged.lacks;
      sieve.weakened_why.push_back(std::move(line));
    } else if (std::find(sieve.excluded.begin(), sieve.excluded.end(), line) ==
               sieve.excluded.end()) {
      sieve.excluded.push_back(std::move(line));
    }
  }
  return sieve;
}

absl::Status NothingLeft(const PlanInput& input, const Sieve& sieve) {
  const std::string why = absl::StrJoin(sieve.excluded, "; ");
  if (!sieve.any_allowed) {
    return RefuseCall(absl::StatusCode::kPermissionDenied, "model_not_allowed",
                      "This key may not use the requested model", "model");
  }
  if (sieve.all_too_long) {
    return RefuseCall(absl::StatusCode::kInvalidArgument,
                      "context_length_exceeded",
                      absl::StrCat("The prompt is too long: ", why),
                      input.embed == nullptr ? "messages" : "input");
  }
  return RefuseField(
      "model", absl::StrCat("No candidate model fits the request: ", why));
}

// The conversation's deployment, while it can be asked.
void StickyFirst(const PlanInput& input, RankedRoute* ranked) {
  if (!input.sticky_deployment) return;
  const std::string& wanted = *input.sticky_deployment;
  const auto it = std::find_if(ranked->order.begin(), ranked->order.end(),
                               [&](const RankedCandidate& known) {
                                 return IsNamed(known.candidate, wanted);
                               });
  if (it == ranked->order.end() || !it->view.ready() || it->view.low) return;
  std::rotate(ranked->order.begin(), it, it + 1);
  ranked->why_first = "kept for this conversation";
}

std::string BaseReason(const ResolvedRoute& route,
                       const RouteCandidate& candidate) {
  switch (candidate.by) {
    case ChosenBy::kName:
      return "named by the request";
    case ChosenBy::kProviderName:
      return "named with its provider";
    case ChosenBy::kUpstreamName:
      return "named as provider and upstream id";
    case ChosenBy::kPrimary:
      return absl::StrCat("primary of ", route.task_type);
    case ChosenBy::kFallback:
      return absl::StrCat("fallback of ", route.task_type);
  }
  return "";
}

RouteTarget TargetOf(const PlanInput& input, const std::string& base_reason,
                     const RankedCandidate& ranked) {
  const RouteCandidate& candidate = ranked.candidate;
  RouteTarget target;
  target.model = candidate.model;
  target.deployment = candidate.deployment;
  target.fallback_tier = candidate.fallback();
  target.reason = base_reason;
  if (!candidate.lacks.empty()) {
    absl::StrAppend(&target.reason, ", ", ToAbsl(candidate.lacks));
  }
  const std::string words = HealthWords(ranked.view, input.now);
  if (!words.empty()) absl::StrAppend(&target.reason, ", ", words);
  return target;
}

std::string Explain(const ResolvedRoute& route, const RankedRoute& ranked,
                    const RouteTarget& first) {
  std::string text =
      absl::StrCat(first.public_model().value, " at ",
                   first.deployment->provider.value, ": ", first.reason);
  if (!ranked.why_first.empty()) {
    absl::StrAppend(&text, ", ", ranked.why_first);
  }
  if (!route.task_source.empty()) {
    absl::StrAppend(&text, " (task from ", route.task_source, ")");
  }
  if (!ranked.order.front().view.ready()) {
    absl::StrAppend(&text, "; last resort, all ", ranked.order.size(),
                    " candidates are out");
  }
  constexpr size_t kListed = 3;
  for (size_t i = 0; i < std::min(ranked.passed_over.size(), kListed); ++i) {
    absl::StrAppend(&text, i == 0 ? "; passed over " : ", ",
                    ranked.passed_over[i]);
  }
  if (ranked.passed_over.size() > kListed) {
    absl::StrAppend(&text, " and ", ranked.passed_over.size() - kListed,
                    " more");
  }
  return text;
}

}  // namespace

// More than a call can ask, and room for some that are full.
size_t MostTargets(const RouteTable& table) {
  return static_cast<size_t>(std::max(2 * table.policy.max_attempts, 8));
}

std::string StickyName(const RouteTarget& target) {
  return absl::StrCat(target.public_model().value, "\n", target.deployment->id);
}

bool PlanInput::MayUse(std::string_view public_model) const {
  return allowed_models == nullptr ||
         KeyAllows(*table, *allowed_models, public_model);
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

HealthSubject SubjectOf(const RouteTable& table, const Deployment& deployment) {
  HealthSubject subject;
  subject.deployment = deployment.id;
  subject.provider = deployment.provider.value;
  const auto provider = table.providers.find(deployment.provider.value);
  if (provider != table.providers.end()) {
    subject.keys = provider->second.api_keys;
  }
  return subject;
}

absl::StatusOr<RoutePlan> MakePlan(const PlanInput& input) {
  LLM_ASSIGN_OR_RETURN(ResolvedRoute route, ResolveRoute(input));
  RequestNeeds needs = NeedsOf(*input.request);
  if (input.embed != nullptr) {
    LLM_RETURN_IF_ERROR(KeepOneSpace(input, &route));
    needs.estimated_input_tokens = input.embed->estimated_input_tokens;
  }
  Sieve sieve = Sift(input, needs, route);
  // A named model is not replaced, so it is weakened; a task is weakened only
  // where none of its models fits as the request stands.
  if (sieve.taken.empty()) {
    sieve.taken = std::move(sieve.weakened);
  } else {
    sieve.excluded.insert(sieve.excluded.end(), sieve.weakened_why.begin(),
                          sieve.weakened_why.end());
  }
  if (sieve.taken.empty()) return NothingLeft(input, sieve);
  TokenUsage usage = LikelyUsage(*input.request, needs.estimated_input_tokens);
  if (input.embed != nullptr) usage.output = 0;
  RankedRoute ranked = RankRoute(input, route, sieve.taken, usage);
  StickyFirst(input, &ranked);
  RoutePlan plan;
  plan.embeddings = input.embed != nullptr;
  plan.estimated_input_tokens = needs.estimated_input_tokens;
  plan.estimated_tokens = needs.estimated_input_tokens + *usage.output;
  const size_t kept = std::min(ranked.order.size(), MostTargets(*input.table));
  plan.targets.reserve(kept);
  std::string base_reason;
  for (size_t i = 0; i < kept; ++i) {
    const RouteCandidate& candidate = ranked.order[i].candidate;
    // Most stand there for the same reason as the one before.
    if (i == 0 || candidate.by != ranked.order[i - 1].candidate.by) {
      base_reason = BaseReason(route, candidate);
    }
    plan.targets.push_back(TargetOf(input, base_reason, ranked.order[i]));
  }
  plan.config_version = input.table->version;
  plan.reason = Explain(route, ranked, plan.targets.front());
  plan.ad_hoc = std::move(route.ad_hoc);
  plan.task_type = std::move(route.task_type);
  plan.task_source = std::move(route.task_source);
  plan.excluded = std::move(sieve.excluded);
  plan.excluded.insert(plan.excluded.end(), route.left_out.begin(),
                       route.left_out.end());
  return plan;
}

}  // namespace llm
