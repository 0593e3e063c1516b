#include "adapters/anthropic/thinking_plan.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "adapters/dialect/reasoning_headroom.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

constexpr int64_t kLeastBudget = 1024;
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

class Planner {
 public:
  Planner(const v1::ChatCompletionRequest& request, JsonValue native,
          const ClaudeModel& model, const AttemptContext& context,
          const ThinkingSituation& situation, DroppedFields& dropped)
      : request_(request),
        native_(native),
        model_(model),
        context_(context),
        situation_(situation),
        dropped_(dropped) {}

  ThinkingPlan Plan();

 private:
  void Wish();
  void Switch();
  void TurnOff();
  void Obey();
  void Tokens();
  bool Blocked() const;
  int64_t Limit() const;

  const v1::ChatCompletionRequest& request_;
  const JsonValue native_;
  const ClaudeModel& model_;
  const AttemptContext& context_;
  const ThinkingSituation& situation_;
  DroppedFields& dropped_;
  ThinkingPlan plan_;
  // The field that asked; empty where nobody did.
  sv asked_by_;
  bool on_ = false;
  bool off_ = false;
  Level level_ = kUsual;
  // Of the caller's own `thinking`; 0 for none.
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

// Forced calls are refused beside a budget, and so is a tool loop whose
// thinking is not there: a loop is one turn of the model, and how it thinks
// changes only between turns (platform.claude.com/docs/build-with-claude/
// thinking-tool-workflows, 2026-11-27).
bool Planner::Blocked() const {
  const bool budget = model_.thinking == ThinkingMode::kBudget;
  return (situation_.forced_choice && budget) ||
         situation_.loop_without_thinking;
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

// The caller's own words go as they are, but for what the model is known to
// refuse.
void Planner::Obey() {
  native_budget_ = native_.Find("budget_tokens").AsInt64().value_or(0);
  plan_.active = !native_.Find("type").Equals("disabled");
  const bool budget = native_.Find("type").Equals("enabled");
  if (plan_.active && budget &&
      (situation_.forced_choice || situation_.loop_without_thinking)) {
    dropped_.Add("thinking");
    plan_.active = false;
    native_budget_ = 0;
    return TurnOff();
  }
  plan_.thinking = std::string(native_.raw());
}

void Planner::Switch() {
  if (native_.is_object() && !off_) return Obey();
  if (model_.effort && (on_ || off_) && !level_.effort.empty() &&
      request_.has_reasoning_effort()) {
    plan_.effort = std::string(level_.effort);
    if (plan_.effort == "xhigh" && !model_.xhigh) plan_.effort = "max";
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

void Planner::Tokens() {
  const bool newer = request_.has_max_completion_tokens();
  const bool older = !newer && request_.has_max_tokens();
  const int64_t limit = Limit();
  const bool sure = model_.known || context_.traits.max_output_tokens > 0;
  const bool budgeted = plan_.active && plan_.thinking.empty() &&
                        model_.thinking == ThinkingMode::kBudget;
  int64_t budget = budgeted ? level_.budget : native_budget_;
  int64_t cap = newer   ? request_.max_completion_tokens()
                : older ? request_.max_tokens()
                        : limit;
  const int64_t asked = cap;
  if (older && plan_.active && cap > 0) {
    // Who speaks of budgets knows that they are a part of max_tokens.
    const bool own_words = native_.is_object() && !off_;
    if (!own_words || (budget > 0 && budget >= cap)) {
      const int64_t room =
          budgeted ? level_.budget : ReasoningHeadroom(level_.name);
      cap += own_words ? budget : room;
    }
  }
  if (cap > limit && sure) {
    cap = limit;
    if (asked > limit)
      dropped_.Add(newer ? "max_completion_tokens" : "max_tokens");
  }
  plan_.max_tokens = cap;
  if (!budgeted) return;
  const bool fits = older && cap == asked + budget;
  if (!fits) budget = std::min(budget, std::max(kLeastBudget, cap / 2));
  if (budget >= cap) {
    plan_.active = false;
    dropped_.Add(asked_by_.empty() ? sv("reasoning_effort") : asked_by_);
    return;
  }
  plan_.thinking =
      absl::StrCat(R"({"type":"enabled","budget_tokens":)", budget, "}");
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
                          DroppedFields& dropped) {
  return Planner(request, native, model, context, situation, dropped).Plan();
}

}  // namespace llm::anthropic
