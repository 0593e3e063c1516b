#include "router/route_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "router/cost_meter.h"
#include "router/rank_route.h"
#include "router/resolve_route.h"

namespace llm {
namespace {

enum class Verdict { kTake, kNotAllowed, kTooLong, kLacks, kLacksSoft };

// Words without an owner: nearly all candidates are taken, and fifty are
// judged.
struct Judged {
  Verdict verdict = Verdict::kTake;
  std::string_view why = {};
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

// The prompt's estimated tokens, or of embeddings the longest input's.
int64_t LongestInput(const PlanInput& input, const RequestNeeds& needs) {
  return input.embed == nullptr ? needs.estimated_input_tokens
                                : input.embed->longest_input_tokens;
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
  if (!why.empty()) return {Verdict::kLacks, why};
  // The estimate may be twice the truth: what could fit goes to the provider.
  if (traits.context_window > 0 &&
      LongestInput(input, needs) / 2 > traits.context_window) {
    return {Verdict::kTooLong};
  }
  const std::string_view lacks = LacksSoft(needs, traits);
  if (lacks.empty()) return {};
  const bool strict = input.strict || input.request->strict();
  return {strict ? Verdict::kLacks : Verdict::kLacksSoft, lacks};
}

// For an operator: "gpt-4o: no tools".
std::string ExcludedWords(const PlanInput& input, const RequestNeeds& needs,
                          const RouteCandidate& candidate,
                          const Judged& judged) {
  const std::string& id = candidate.model->id.value;
  if (judged.verdict != Verdict::kTooLong) {
    return absl::StrCat(id, ": ", ToAbsl(judged.why));
  }
  return absl::StrCat(id, input.embed == nullptr ? ": prompt" : ": input",
                      " of about ", LongestInput(input, needs),
                      " tokens exceeds the context window of ",
                      candidate.model->traits.context_window);
}

// Points into itself: moved, never copied.
struct Sieve {
  Sieve() = default;
  Sieve(Sieve&&) = default;
  Sieve& operator=(Sieve&&) = default;

  absl::Span<const RouteCandidate> taken;
  // What `taken` stands for where it is not all of the route.
  std::vector<RouteCandidate> kept;
  std::vector<RouteCandidate> weakened;
  std::vector<std::string> weakened_why;
  std::vector<std::string> excluded;
  bool any_allowed = false;
  bool all_too_long = true;
};

Sieve Sift(const PlanInput& input, const RequestNeeds& needs,
           absl::Span<const RouteCandidate> candidates) {
  Sieve sieve;
  bool all = true;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const RouteCandidate& candidate = candidates[i];
    const Judged judged = Judge(input, needs, candidate);
    if (judged.verdict != Verdict::kNotAllowed) {
      sieve.any_allowed = true;
      if (judged.verdict != Verdict::kTooLong) sieve.all_too_long = false;
    }
    if (judged.verdict == Verdict::kTake) {
      if (!all) sieve.kept.push_back(candidate);
      continue;
    }
    // Mostly all are taken, and none is copied.
    if (all) sieve.kept.assign(candidates.begin(), candidates.begin() + i);
    all = false;
    std::string line = ExcludedWords(input, needs, candidate, judged);
    if (judged.verdict == Verdict::kLacksSoft) {
      sieve.weakened.push_back(candidate);
      sieve.weakened.back().lacks = judged.why;
      sieve.weakened_why.push_back(std::move(line));
    } else if (std::find(sieve.excluded.begin(), sieve.excluded.end(), line) ==
               sieve.excluded.end()) {
      sieve.excluded.push_back(std::move(line));
    }
  }
  sieve.taken = all ? candidates : sieve.kept;
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
  if (it == ranked->order.end() || !it->view->ready() || it->view->low) return;
  std::rotate(ranked->order.begin(), it, it + 1);
  ranked->why_first = "kept for this conversation";
}

RouteTarget TargetOf(const RankedCandidate& ranked, Instant now) {
  const RouteCandidate& candidate = ranked.candidate;
  return {.model = candidate.model,
          .deployment = candidate.deployment,
          .by = candidate.by,
          .lacks = candidate.lacks,
          .health = HealthWords(*ranked.view, now)};
}

std::string Explain(const RoutePlan& plan, const RankedRoute& ranked) {
  const RouteTarget& first = plan.targets.front();
  std::string text = absl::StrCat(first.public_model().value, " at ",
                                  first.deployment->provider.value, ": ",
                                  ReasonOf(plan, first));
  if (!ranked.why_first.empty()) {
    absl::StrAppend(&text, ", ", ranked.why_first);
  }
  if (!plan.task_source.empty()) {
    absl::StrAppend(&text, " (task from ", plan.task_source, ")");
  }
  if (!ranked.order.front().view->ready()) {
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

std::string_view ChosenByWords(ChosenBy by) {
  switch (by) {
    case ChosenBy::kName:
      return "named by the request";
    case ChosenBy::kProviderName:
      return "named with its provider";
    case ChosenBy::kUpstreamName:
      return "named as provider and upstream id";
    case ChosenBy::kPrimary:
      return "primary of ";
    case ChosenBy::kFallback:
      return "fallback of ";
  }
  return "";
}

}  // namespace

// More than a call can ask, and room for some that are full.
size_t MostTargets(const RouteTable& table) {
  return static_cast<size_t>(std::max(2 * table.policy.max_attempts, 8));
}

std::string StickyName(const RouteTarget& target) {
  return absl::StrCat(target.public_model().value, "\n", target.deployment->id);
}

std::string ReasonOf(const RoutePlan& plan, const RouteTarget& target) {
  std::string words(ChosenByWords(target.by));
  if (target.by == ChosenBy::kPrimary || target.fallback()) {
    words += plan.task_type;
  }
  if (!target.lacks.empty()) {
    absl::StrAppend(&words, ", ", ToAbsl(target.lacks));
  }
  if (!target.health.empty()) absl::StrAppend(&words, ", ", target.health);
  return words;
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
  Sieve sieve = Sift(input, needs, route.all());
  // A named model is not replaced, so it is weakened; a task is weakened only
  // where none of its models fits as the request stands.
  if (sieve.taken.empty()) {
    sieve.taken = sieve.weakened;
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
  for (size_t i = 0; i < kept; ++i) {
    plan.targets.push_back(TargetOf(ranked.order[i], input.now));
  }
  plan.config_version = input.table->version;
  plan.ad_hoc = std::move(route.ad_hoc);
  plan.task_type = std::move(route.task_type);
  plan.task_source = std::move(route.task_source);
  plan.reason = Explain(plan, ranked);
  plan.excluded = std::move(sieve.excluded);
  plan.excluded.insert(plan.excluded.end(), route.left_out.begin(),
                       route.left_out.end());
  return plan;
}

}  // namespace llm
