#include "adapters/gemini/thinking_plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "adapters/core/json.h"
#include "adapters/dialect/reasoning_headroom.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr int64_t kAsNeeded = -1;

struct Level {
  sv effort;
  sv level;  // as thinkingLevel
  int64_t budget;
};

constexpr Level kLevels[] = {
    {"minimal", "minimal", 512}, {"low", "low", 1024},
    {"medium", "medium", 8192},  {"high", "high", 24576},
    {"xhigh", "high", 32768},    {"max", "high", 32768},
};

const Level* FindLevel(sv effort) {
  for (const Level& level : kLevels) {
    if (level.effort == effort) return &level;
  }
  return nullptr;
}

// What is asked, whoever asks it.
struct Wish {
  std::optional<bool> on;
  std::optional<int64_t> budget;
  std::string level;  // of kLevels
  std::optional<bool> visible;
  std::string name;  // of the field that says it
};

Wish ReadConfig(JsonValue config, const std::string& full, Rendering& to) {
  Wish wish;
  wish.name = full;
  std::string budget;  // as the caller spells it
  std::string level;
  bool odd_level = false;
  for (const auto& [name, v] : ReadMembers(config, full, to)) {
    const std::string word = absl::AsciiStrToLower(v.StringOr());
    if (name == "includeThoughts" && v.is_bool()) {
      wish.visible = v.AsBool();
    } else if (name == "thinkingBudget" && v.AsInt64()) {
      wish.budget = v.AsInt64();
      budget = full + "." + v.Key();
    } else if (name == "thinkingLevel" && FindLevel(word) != nullptr) {
      wish.level = word;
      level = full + "." + v.Key();
    } else if (!v.is_null()) {
      odd_level = odd_level || name == "thinkingLevel";
      to.dropped.Add(full + "." + v.Key());
    }
  }
  // Both are refused: the one that the family knows goes.
  if (wish.budget && !wish.level.empty()) {
    const bool by_level = to.family.thinking == Thinking::kLevel;
    to.dropped.Add(by_level ? budget : level);
    if (by_level) {
      wish.budget.reset();
    } else {
      wish.level.clear();
    }
  }
  // To be shown thoughts is not to ask for any.
  if (wish.budget || !level.empty() || odd_level) wish.on = wish.budget != 0;
  return wish;
}

// Google's own words for how much stand for the effort, which is named; words
// about what is shown do not.
void ReadNative(const NativeFields& native, Rendering& to, Wish& wish) {
  const auto doc = JsonDocument::Parse(sv(native.thinking));
  if (!doc.ok()) return;
  Wish effort =
      std::exchange(wish, ReadConfig(doc->root(), native.thinking_name, to));
  if (effort.name.empty()) return;
  if (wish.budget || !wish.level.empty()) return to.dropped.Add(effort.name);
  effort.visible = wish.visible;
  wish = std::move(effort);
}

Wish ReadWish(const v1::ChatCompletionRequest& request,
              const NativeFields& native, Rendering& to) {
  Wish wish;
  const std::string& effort = request.reasoning_effort();
  if (!effort.empty()) {
    wish.name = "reasoning_effort";
    wish.on = effort != "none";
    if (FindLevel(effort) != nullptr) {
      wish.level = effort;
    } else if (effort != "none") {
      to.dropped.Add(wish.name);
    }
  }
  if (!native.thinking.empty()) ReadNative(native, to, wish);
  if (to.context.reasoning == ReasoningSwitch::kAsAsked) return wish;
  const bool on = to.context.reasoning == ReasoningSwitch::kOn;
  if (wish.on ? *wish.on != on : !on && wish.visible.value_or(false)) {
    to.dropped.Add(wish.name);
    wish = Wish{};
  }
  wish.on = on;
  return wish;
}

class Planner {
 public:
  Planner(const Wish& wish, Rendering& to)
      : wish_(wish), to_(to), family_(to.family) {}

  ThinkingPlan Plan();

 private:
  std::optional<int64_t> Budget();
  std::string LevelWord();
  void PlanOff(JsonWriter& out);
  void PlanOn(JsonWriter& out);

  const Wish& wish_;
  Rendering& to_;
  const ModelFamily& family_;
  ThinkingPlan plan_;
};

// Unset: as needed, which is what a model does that thinks by default.
std::optional<int64_t> Planner::Budget() {
  std::optional<int64_t> budget = wish_.budget;
  if (!budget && !wish_.level.empty()) budget = FindLevel(wish_.level)->budget;
  if (!budget && !family_.on_by_default) return kAsNeeded;
  if (!budget || *budget < 0) return budget;
  const int64_t nearest =
      std::clamp<int64_t>(*budget, family_.min_budget, family_.max_budget);
  if (nearest != *budget) to_.dropped.Add(wish_.name);
  return nearest;
}

std::string Planner::LevelWord() {
  if (wish_.level.empty()) return {};
  sv word = FindLevel(wish_.level)->level;
  if (word == "minimal") word = family_.lowest_level;
  if (word != wish_.level) to_.dropped.Add(wish_.name);
  return std::string(word);
}

void Planner::PlanOff(JsonWriter& out) {
  if (family_.thinking == Thinking::kBudget && family_.can_be_off) {
    return out.MemberInt("thinkingBudget", 0);
  }
  // The least there is, and the caller is told.
  if (!wish_.name.empty()) to_.dropped.Add(wish_.name);
  plan_.thinking = true;
  plan_.headroom = ReasoningHeadroom("minimal");
  if (family_.thinking == Thinking::kBudget) {
    out.MemberInt("thinkingBudget", family_.min_budget);
  } else {
    out.Member("thinkingLevel", family_.lowest_level);
  }
}

void Planner::PlanOn(JsonWriter& out) {
  plan_.thinking = true;
  plan_.headroom = ReasoningHeadroom("");
  if (wish_.visible || wish_.on.value_or(false)) {
    out.Key("includeThoughts");
    out.Bool(wish_.visible.value_or(true));
  }
  if (family_.thinking == Thinking::kLevel) {
    const std::string word = LevelWord();
    if (!word.empty()) {
      out.Member("thinkingLevel", word);
      plan_.headroom = ReasoningHeadroom(word);
    } else if (wish_.budget) {
      // The older way to say it is still understood, alone.
      out.MemberInt("thinkingBudget", *wish_.budget);
      if (*wish_.budget > 0) plan_.headroom = *wish_.budget;
    }
    return;
  }
  const auto budget = Budget();
  if (!budget) return;
  out.MemberInt("thinkingBudget", *budget);
  if (*budget > 0) plan_.headroom = *budget;
}

ThinkingPlan Planner::Plan() {
  if (family_.thinking == Thinking::kNone) {
    const bool said = wish_.on.value_or(wish_.visible.has_value());
    if (said && !wish_.name.empty()) {
      to_.dropped.Add(wish_.name);
    }
    return std::move(plan_);
  }
  if (!wish_.on) {
    plan_.thinking = family_.on_by_default;
    plan_.headroom = plan_.thinking ? ReasoningHeadroom("") : 0;
    if (wish_.visible) {
      JsonWriter out(&plan_.config);
      out.BeginObject();
      out.Key("includeThoughts");
      out.Bool(*wish_.visible);
      out.EndObject();
    }
    return std::move(plan_);
  }
  JsonWriter out(&plan_.config);
  out.BeginObject();
  if (*wish_.on) {
    PlanOn(out);
  } else {
    PlanOff(out);
  }
  out.EndObject();
  return std::move(plan_);
}

}  // namespace

ThinkingPlan PlanThinking(const v1::ChatCompletionRequest& request,
                          const NativeFields& native, Rendering& to) {
  const Wish wish = ReadWish(request, native, to);
  return Planner(wish, to).Plan();
}

}  // namespace llm::gemini
