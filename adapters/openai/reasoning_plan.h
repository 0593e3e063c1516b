// Whether the model is to reason, and how this vendor is told.
//
// Wishes, strongest first: the deployment's switch, the vendor's own field in
// the request (thinking, enable_thinking, reasoning), reasoning_effort. A
// level that a vendor only knows as on or off becomes "on" (the table in
// providers/README.md, "Reasoning switch", 2026-11-20); a wish that cannot be
// met is named as dropped.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_OPENAI_REASONING_PLAN_H_
#define LLM_ADAPTERS_OPENAI_REASONING_PLAN_H_

#include <optional>
#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

struct ReasoningPlan {
  // The model will reason, as far as is known.
  bool thinking = false;
  // Switched off by the request or the deployment.
  bool off = false;
  // A JSON object of the members to send.
  std::string members;
  // What the deployment says, over the vendor's own switches in the request;
  // unset: those are passed on as they are.
  std::optional<bool> forced;
};

// `extra` is the request's unmodelled fields.
ReasoningPlan PlanReasoning(const ChatRequest& request, JsonValue extra,
                            const AttemptContext& context,
                            const Profile& profile, DroppedFields& dropped);

// True for the fields that PlanReasoning speaks for.
bool IsReasoningSwitch(std::string_view name);

// True where the switch `name` holds `on` and nothing else, so that leaving it
// out for another spelling of `on` loses nothing.
bool SaysOnly(std::string_view name, JsonValue value, bool on);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_REASONING_PLAN_H_
