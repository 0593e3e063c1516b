#include "adapters/anthropic/thinking_plan.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "adapters/dialect/reasoning_headroom.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

constexpr int64_t kLeastBudget = 1024;
// Beyond any model's output; keeps sums far from overflow.
constexpr int64_t kMostBudget = int64_t{1} << 40;
constexpr sv kDisabled = R"({"type":"disabled"})";

struct Level {
  sv name;
  sv effort;
  int64_t budget;
};
constexpr Level kLevels[] = {
    {"minimal", "low", 1024},    {"low", "low", 2048},
    {"medium", "medium", 10000}, {"high", "high", 16384},
    {"xhigh", "xhigh", 32768},   {"max", "max", 32768}};
// What a model does that is told nothing (anthropic.md 3.4).
constexpr Level kUsual = {"", "", 10000};

const Level* FindLevel(sv name) {
  for (const Level& level : kLevels) {
    if (level.name == name) return &level;
  }
  return nullptr;
}

const Level& NearestLevel(int64_t budget) {
  const Level* best = std::begin(kLevels);
  for (const Level& level : kLevels) {
    if (std::abs(level.budget - budget) < std::abs(best->budget - budget)) {
      best = &level;
    }
  }
  return *best;
}

class Planner {
 public:
  Planner(const v1::ChatCompletionRequest& request, JsonValue native,
          const ClaudeModel& model, const AttemptContext& context,
          const ThinkingSituation& situation, RenderNotes& notes)
      : request_(request),
        native_(native),
        model_(model),
        context_(context),
        situation_(situation),
        notes_(notes),
        dropped_(notes.dropped) {}

  ThinkingPlan Plan();

 private:
  void Wish();
  void Switch();
  void TurnOff();
  void Obey();
  void ObeyOff();
  void ObeyOn(bool as_budget);
  void KeepEffort(bool thinks);
  void Tokens();
  void Budget(int64_t budget, bool fits);
  bool Blocked() const;
  bool Own() const { return native_.is_object() && !off_; }
  std::string EffortOf(const Level& level) const;
  std::string EffortAsked();
  int64_t Limit() const;

  const v1::ChatCompletionRequest& request_;
  const JsonValue native_;
  const ClaudeModel& model_;
  const AttemptContext& context_;
  const ThinkingSituation& situation_;
  RenderNotes& notes_;
  DroppedFields& dropped_;
  ThinkingPlan plan_;
  // The field that asked; empty where nobody did.
  sv asked_by_;
  bool on_ = false;
  bool off_ = false;
  Level level_ = kUsual;
  // It thinks by a budget, which is not written yet.
  bool budgeted_ = false;
  // Of the caller's own `thinking`, or what stands for it; 0 for none.
  int64_t native_budget_ = 0;
};

// The deployment's switch is the operator's and stands above the caller's
// wishes, whose level still counts where it does not contradict.
void Planner::Wish() {
  const std::string& effort = request_.reasoning_effort();
  const Level* const level = FindLevel(effort);
  const bool none = effort == "none";
  if (request_.has_reasoning_effort() && level == nullptr && !none) {
    dropped_.Add("reasoning_effort");
  }
  if (level != nullptr) level_ = *level;
  if (native_.is_object()) {
    asked_by_ = "thinking";
  } else if (level != nullptr || none) {
    asked_by_ = "reasoning_effort";
    on_ = level != nullptr;
    off_ = none;
  }
  if (context_.reasoning == ReasoningSwitch::kOff) {
    const bool contradicts = on_ || (native_.is_object() &&
                                     !native_.Find("type").Equals("disabled"));
    if (contradicts) dropped_.Add(asked_by_);
    if (level != nullptr) dropped_.Add("reasoning_effort");
    on_ = false;
    off_ = true;
  }
  if (context_.reasoning == ReasoningSwitch::kOn && !native_.is_object()) {
    if (off_) dropped_.Add(asked_by_);
    on_ = true;
    off_ = false;
    if (level == nullptr && model_.thinking == ThinkingMode::kBudget) {
      level_ = *FindLevel("medium");
    }
  }
}

// Forced calls are refused beside a budget, prefills beside all thinking
// (anthropic.md 3.1), and so is a tool loop whose thinking is not there: a loop
// is one turn of the model, and how it thinks changes only between turns
// (platform.claude.com/docs/build-with-claude/thinking-tool-workflows,
// 2026-11-27).
bool Planner::Blocked() const {
  const bool budget = model_.thinking == ThinkingMode::kBudget;
  return (situation_.forced_choice && budget) ||
         situation_.loop_without_thinking || situation_.prefill;
}

void Planner::TurnOff() {
  if (model_.thinks == ThinkingDefault::kOff) return;
  if (model_.thinks == ThinkingDefault::kOn) {
    plan_.thinking = std::string(kDisabled);
    return;
  }
  // It cannot be turned off; as little as can be had.
  plan_.effort = "low";
  plan_.active = true;
  if (!asked_by_.empty()) dropped_.Add(asked_by_);
}

std::string Planner::EffortOf(const Level& level) const {
  const bool lesser = level.effort == "xhigh" && !model_.xhigh;
  return std::string(lesser ? sv("max") : level.effort);
}

// Of reasoning_effort; named where it is another.
std::string Planner::EffortAsked() {
  std::string effort = EffortOf(level_);
  if (effort != level_.effort) dropped_.Add("reasoning_effort");
  return effort;
}

// reasoning_effort beside the caller's own `thinking`: how hard, where there
// is a word for it.
void Planner::KeepEffort(bool thinks) {
  if (!request_.has_reasoning_effort()) return;
  const bool level = !level_.name.empty();
  if (thinks && level && model_.effort) {
    plan_.effort = EffortAsked();
  } else if (level ? !thinks || native_budget_ > 0 : thinks) {
    dropped_.Add("reasoning_effort");
  }
}

void Planner::ObeyOff() {
  KeepEffort(false);
  if (model_.thinks == ThinkingDefault::kAlways) return TurnOff();
  const bool cannot = model_.known && model_.thinking == ThinkingMode::kNone;
  if (!cannot) plan_.thinking = std::string(native_.raw());
}

// What the model does not take becomes the nearest that it does.
void Planner::ObeyOn(bool as_budget) {
  const bool enabled = native_.Find("type").Equals("enabled");
  KeepEffort(true);
  plan_.active = true;
  if (as_budget) {
    budgeted_ = true;
    if (!enabled) dropped_.Add("thinking.type");
    const bool said = native_.Find("budget_tokens").has_value();
    native_budget_ =
        said ? std::max(native_budget_, kLeastBudget) : level_.budget;
    return;
  }
  if (!enabled) {
    plan_.thinking = std::string(native_.raw());
    return;
  }
  dropped_.Add(native_budget_ > 0 ? "thinking.budget_tokens" : "thinking.type");
  if (native_budget_ > 0 && plan_.effort.empty() && model_.effort) {
    plan_.effort = EffortOf(NearestLevel(native_budget_));
  }
  // Said by default beside a budget, but not by the newest.
  const JsonValue display = native_.Find("display");
  plan_.thinking = R"({"type":"adaptive")";
  if (display.is_string()) {
    absl::StrAppend(&plan_.thinking, R"(,"display":)", ToAbsl(display.raw()));
  } else if (model_.hides_thinking) {
    plan_.thinking += R"(,"display":"summarized")";
  }
  plan_.thinking += '}';
}

// The caller's own words go as they are, but for what the model is known to
// refuse (anthropic.md 3.4).
void Planner::Obey() {
  const JsonValue type = native_.Find("type");
  if (type.Equals("disabled")) return ObeyOff();
  native_budget_ = std::clamp<int64_t>(
      native_.Find("budget_tokens").AsInt64().value_or(0), 0, kMostBudget);
  const bool enabled = type.Equals("enabled");
  const bool none = model_.thinking == ThinkingMode::kNone;
  if ((none && !model_.known) || (!enabled && !type.Equals("adaptive"))) {
    // Another maker's, or newer than we are.
    KeepEffort(true);
    const bool said = request_.has_reasoning_effort();
    if (said && !model_.effort) dropped_.Add("reasoning_effort");
    plan_.active = true;
    plan_.thinking = std::string(native_.raw());
    return;
  }
  if (situation_.prefill && !none) {
    return notes_.Refuse("thinking",
                         "Claude does not think where an assistant message"
                         " stands at the end");
  }
  const bool as_budget = model_.thinking == ThinkingMode::kBudget ||
                         (enabled && model_.budget_too);
  const bool always = model_.thinks == ThinkingDefault::kAlways;
  const bool lost =
      situation_.loop_without_thinking && (as_budget || enabled) && !always;
  if (none || lost || (situation_.forced_choice && as_budget)) {
    dropped_.Add("thinking");
    native_budget_ = 0;
    KeepEffort(false);
    return TurnOff();
  }
  ObeyOn(as_budget);
}

void Planner::Switch() {
  if (Own()) return Obey();
  if (model_.effort && (on_ || off_) && !level_.effort.empty() &&
      request_.has_reasoning_effort()) {
    plan_.effort = EffortAsked();
  }
  if (off_) {
    plan_.effort.clear();
    return TurnOff();
  }
  const bool always = model_.thinks == ThinkingDefault::kAlways;
  if (on_ && Blocked() && !always) {
    dropped_.Add(asked_by_.empty() ? sv("reasoning_effort") : asked_by_);
    const bool top = plan_.effort == "xhigh" || plan_.effort == "max";
    if (model_.low_effort_when_disabled && top) plan_.effort = "high";
    return TurnOff();
  }
  if (!on_) {
    plan_.active = model_.thinks != ThinkingDefault::kOff;
    return;
  }
  if (model_.thinking == ThinkingMode::kNone) {
    if (!asked_by_.empty()) dropped_.Add(asked_by_);
    return;
  }
  plan_.active = true;
  budgeted_ = model_.thinking == ThinkingMode::kBudget;
  if (model_.thinking == ThinkingMode::kAdaptive) {
    plan_.thinking = model_.hides_thinking
                         ? R"({"type":"adaptive","display":"summarized"})"
                         : R"({"type":"adaptive"})";
  }
}

int64_t Planner::Limit() const {
  if (context_.traits.max_output_tokens > 0) {
    return context_.traits.max_output_tokens;
  }
  return model_.max_output;
}

// Ours, where it does not fit, is half of what there is; so is the caller's,
// which is named.
void Planner::Budget(int64_t budget, bool fits) {
  const int64_t asked = native_.Find("budget_tokens").AsInt64().value_or(0);
  const int64_t cap = plan_.max_tokens;
  if (!fits) budget = std::min(budget, std::max(kLeastBudget, cap / 2));
  const bool beyond = budget >= cap && !(fits && Own());
  if (beyond) {
    plan_.active = false;
    dropped_.Add(asked_by_.empty() ? sv("reasoning_effort") : asked_by_);
    return;
  }
  if (Own() && budget == asked && native_.Find("type").Equals("enabled")) {
    plan_.thinking = std::string(native_.raw());
    return;
  }
  if (Own() && asked > 0) dropped_.Add("thinking.budget_tokens");
  plan_.thinking =
      absl::StrCat(R"({"type":"enabled","budget_tokens":)", budget);
  const JsonValue display = native_.Find("display");
  if (Own() && display.is_string()) {
    absl::StrAppend(&plan_.thinking, R"(,"display":)", ToAbsl(display.raw()));
  }
  plan_.thinking += '}';
}

void Planner::Tokens() {
  const bool newer = request_.has_max_completion_tokens();
  const bool older = !newer && request_.has_max_tokens();
  const int64_t limit = Limit();
  const bool sure = model_.known || context_.traits.max_output_tokens > 0;
  const int64_t budget = budgeted_ && !Own() ? level_.budget : native_budget_;
  int64_t cap = newer   ? request_.max_completion_tokens()
                : older ? request_.max_tokens()
                        : limit;
  const int64_t asked = cap;
  if (older && plan_.active && cap > 0) {
    // Who speaks of budgets knows that they are a part of max_tokens.
    if (!Own()) {
      cap = SaturatingSum(
          cap, budgeted_ ? level_.budget : ReasoningHeadroom(level_.name));
    } else if (budget > 0 && budget >= cap) {
      cap = SaturatingSum(cap, budget);
    }
  }
  // A guess of the limit holds for our own additions, not for the caller's
  // number; of other makers' models there is none.
  const bool guessed = !sure && model_.thinking != ThinkingMode::kNone;
  if (guessed) cap = std::min(cap, std::max(asked, limit));
  if (cap > limit && sure) {
    cap = limit;
    if (asked > limit)
      dropped_.Add(newer ? "max_completion_tokens" : "max_tokens");
  }
  plan_.max_tokens = cap;
  if (!budgeted_) return;
  const bool own_fits = budget < cap || situation_.interleaved;
  Budget(budget, Own() ? own_fits : older && cap - asked == budget);
}

ThinkingPlan Planner::Plan() {
  Wish();
  Switch();
  Tokens();
  return std::move(plan_);
}

}  // namespace

ThinkingPlan PlanThinking(const v1::ChatCompletionRequest& request,
                          JsonValue native, const ClaudeModel& model,
                          const AttemptContext& context,
                          const ThinkingSituation& situation,
                          RenderNotes& notes) {
  return Planner(request, native, model, context, situation, notes).Plan();
}

}  // namespace llm::anthropic
