#include "adapters/openai/reasoning_plan.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace llm::openai {
namespace {

constexpr std::string_view kSwitches[] = {"thinking", "enable_thinking",
                                          "reasoning", "chat_template_kwargs"};

// A switch of the request that this vendor knows; a foreign one says nothing
// here and is dropped with the other foreign fields.
JsonValue KnownField(JsonValue extra, const Profile& profile,
                     std::string_view name) {
  const auto& known = profile.extra_fields;
  if (profile.checks_extra_fields &&
      std::find(known.begin(), known.end(), name) == known.end()) {
    return {};
  }
  return extra.Find(name);
}

// What the vendor's own fields in the request say, if anything.
std::optional<bool> VendorWish(JsonValue extra, const Profile& profile) {
  const auto field = [&](std::string_view name) {
    return KnownField(extra, profile, name);
  };
  const JsonValue type = field("thinking").Find("type");
  if (type.is_string()) return !type.Equals("disabled");
  if (auto on = field("enable_thinking").AsBool()) return on;
  const JsonValue reasoning = field("reasoning");
  if (auto on = reasoning.Find("enabled").AsBool()) return on;
  if (reasoning.Find("effort").is_string()) {
    return !reasoning.Find("effort").Equals("none");
  }
  return field("chat_template_kwargs").Find("enable_thinking").AsBool();
}

struct Wish {
  std::optional<bool> on;
  std::string effort;   // empty: none, or switched off
  bool forced = false;  // by the deployment
};

Wish ReadWish(const v1::ChatCompletionRequest& request,
              std::optional<bool> vendor_wish, ReasoningSwitch fixed) {
  Wish wish;
  wish.effort = request.reasoning_effort();
  if (!wish.effort.empty()) wish.on = wish.effort != "none";
  if (vendor_wish) wish.on = vendor_wish;
  if (fixed != ReasoningSwitch::kAsAsked) {
    wish.forced = true;
    wish.on = fixed == ReasoningSwitch::kOn;
  }
  if (wish.effort == "none" || wish.on == false) wish.effort.clear();
  return wish;
}

// How much a level asks for; what nobody knows asks for the usual.
int Rank(std::string_view effort) {
  constexpr std::string_view kOrder[] = {"none", "minimal", "low", "medium",
                                         "high", "xhigh",   "max"};
  const auto* const at =
      std::find(std::begin(kOrder), std::end(kOrder), effort);
  return at == std::end(kOrder) ? 3 : static_cast<int>(at - std::begin(kOrder));
}

// The nearest level that the model knows, the higher of two as near; "none"
// stands for off and is nobody's nearest.
std::string_view NearestLevel(std::span<const std::string_view> levels,
                              std::string_view effort) {
  std::string_view best = levels.empty() ? effort : std::string_view();
  for (const std::string_view level : levels) {
    if (level == effort) return level;
    if (level == "none") continue;
    const int distance = std::abs(Rank(level) - Rank(effort));
    const bool nearer = best.empty() ||
                        distance < std::abs(Rank(best) - Rank(effort)) ||
                        (distance == std::abs(Rank(best) - Rank(effort)) &&
                         Rank(level) > Rank(best));
    if (nearer) best = level;
  }
  return best;
}

bool AlwaysReasons(ReasoningStyle style) {
  return style == ReasoningStyle::kAlwaysOn ||
         style == ReasoningStyle::kLevelOnly;
}

class Writer {
 public:
  Writer(const Wish& wish, std::span<const std::string_view> levels,
         std::string* out)
      : wish_(wish), levels_(levels), json_(out) {}

  void Effort(std::string_view fallback_on) {
    if (wish_.on == false) {
      json_.Member("reasoning_effort", "none");
    } else if (!wish_.effort.empty()) {
      PlainEffort();
    } else if (wish_.forced && !fallback_on.empty()) {
      json_.Member("reasoning_effort", NearestLevel(levels_, fallback_on));
    }
  }
  void Thinking() {
    if (!wish_.on) return;
    json_.MemberRaw("thinking", *wish_.on ? R"({"type":"enabled"})"
                                          : R"({"type":"disabled"})");
  }
  void Enable() {
    if (!wish_.on) return;
    json_.Key("enable_thinking");
    json_.Bool(*wish_.on);
  }
  void Template() {
    if (!wish_.on || (*wish_.on && !wish_.forced)) return;
    json_.MemberRaw("chat_template_kwargs",
                    *wish_.on ? R"({"enable_thinking":true})"
                              : R"({"enable_thinking":false})");
  }
  void Object(bool with_effort) {
    if (!wish_.on) return;
    json_.Key("reasoning");
    json_.BeginObject();
    json_.Key("enabled");
    json_.Bool(*wish_.on);
    if (with_effort && !wish_.effort.empty()) {
      json_.Member("effort", wish_.effort);
    }
    json_.EndObject();
  }
  void PlainEffort() {
    if (wish_.effort.empty()) return;
    json_.Member("reasoning_effort", NearestLevel(levels_, wish_.effort));
  }
  JsonWriter& json() { return json_; }

 private:
  const Wish& wish_;
  const std::span<const std::string_view> levels_;
  JsonWriter json_;
};

void WriteSwitch(ReasoningStyle style, bool vendor_field, Writer& out) {
  switch (style) {
    case ReasoningStyle::kForward:
      return out.Effort("");
    case ReasoningStyle::kEffort:
      return out.Effort("medium");
    case ReasoningStyle::kThinking:
      return vendor_field ? void() : out.Thinking();
    case ReasoningStyle::kThinkingEffort:
      if (!vendor_field) out.Thinking();
      return out.PlainEffort();
    case ReasoningStyle::kEnable:
      return vendor_field ? void() : out.Enable();
    case ReasoningStyle::kEnableLevel:
      if (!vendor_field) out.Enable();
      return out.PlainEffort();
    case ReasoningStyle::kTemplate:
      if (!vendor_field) out.Template();
      return out.PlainEffort();
    case ReasoningStyle::kObject:
      return vendor_field ? void() : out.Object(true);
    case ReasoningStyle::kObjectSwitch:
      return vendor_field ? void() : out.Object(false);
    case ReasoningStyle::kLevelOnly:
      return out.PlainEffort();
    case ReasoningStyle::kNone:
    case ReasoningStyle::kAlwaysOn:
      return;
  }
}

// Wishes of the request that this model's way of asking cannot carry.
void NameUnmet(ReasoningStyle style, const Wish& wish,
               const v1::ChatCompletionRequest& request,
               DroppedFields& dropped) {
  const bool asked = !request.reasoning_effort().empty();
  const bool asked_off = request.reasoning_effort() == "none";
  if (style == ReasoningStyle::kForward && !wish.forced) return;
  if (asked && wish.on.has_value() && *wish.on == asked_off) {
    dropped.Add("reasoning_effort");  // overruled
  }
  if (style == ReasoningStyle::kNone && asked && !asked_off) {
    dropped.Add("reasoning_effort");
  }
  if (AlwaysReasons(style) && asked_off) {
    dropped.Add("reasoning_effort");
  }
}

}  // namespace

bool IsReasoningSwitch(std::string_view name) {
  return std::find(std::begin(kSwitches), std::end(kSwitches), name) !=
         std::end(kSwitches);
}

bool SaysOnly(std::string_view name, JsonValue value, bool on) {
  if (name == "enable_thinking") return value.AsBool() == on;
  if (value.size() != 1) return false;
  if (name == "thinking") {
    return value.Find("type").Equals(on ? "enabled" : "disabled");
  }
  if (name == "chat_template_kwargs") {
    return value.Find("enable_thinking").AsBool() == on;
  }
  return value.Find("enabled").AsBool() == on ||
         (!on && value.Find("effort").Equals("none"));
}

ReasoningPlan PlanReasoning(const ChatRequest& request, JsonValue extra,
                            const AttemptContext& context,
                            const Profile& profile, DroppedFields& dropped) {
  const ReasoningStyle style =
      ReasoningStyleFor(profile, context.upstream_model.value);
  const std::optional<bool> vendor_wish = VendorWish(extra, profile);
  const Wish wish = ReadWish(request.message, vendor_wish, context.reasoning);
  ReasoningPlan plan;
  if (wish.forced) plan.forced = wish.on;
  const bool vendor_field = !wish.forced && vendor_wish.has_value();
  plan.off = wish.on == false && !AlwaysReasons(style);
  plan.thinking =
      AlwaysReasons(style) || (style != ReasoningStyle::kNone &&
                               wish.on.value_or(profile.thinks_by_default));
  const ModelKind* const kind = FindKind(profile, context.upstream_model.value);
  Writer writer(wish, kind == nullptr ? profile.levels : kind->levels,
                &plan.members);
  writer.json().BeginObject();
  if (style == ReasoningStyle::kForward && !wish.forced) {
    // Untouched, whatever else the request says: the server is to judge.
    if (!request.message.reasoning_effort().empty()) {
      writer.json().Member("reasoning_effort",
                           request.message.reasoning_effort());
    }
  } else {
    WriteSwitch(style, vendor_field, writer);
  }
  writer.json().EndObject();
  NameUnmet(style, wish, request.message, dropped);
  return plan;
}

}  // namespace llm::openai
