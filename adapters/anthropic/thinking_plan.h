// Whether and how a request thinks, and the output tokens that takes [TRN-8].
//
// The wish comes from the deployment's switch, the caller's own `thinking`
// member, or reasoning_effort, in this order.
//
//   effort     minimal    low  medium   high  xhigh    max
//   budget        1024   2048   10000  16384  32768  32768  tokens
//
// A budget is what older models are told, and their headroom: it is added to
// `max_tokens`, which in OpenAI's days capped the visible answer. Where there
// is no budget to tell, the headroom is every dialect's
// (dialect/reasoning_headroom.h). `max_completion_tokens` caps all and stays: a
// budget takes half of it at most (but 1024 at least), and where that is not
// below the cap there is no thinking. Everything is clamped to the model's
// limit.
//
// The caller's own `thinking` goes as it is where the model takes it. What it
// does not take becomes the nearest it does, named in `dropped` by the member
// that changed ("thinking.type", "thinking.budget_tokens"), or by "thinking"
// where nothing is near.
//
// Threads: Pure but for the notes it is given.
// Fact:    anthropic.md 3.1, 3.4 and 3.6 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_THINKING_PLAN_H_
#define LLM_ADAPTERS_ANTHROPIC_THINKING_PLAN_H_

#include <cstdint>
#include <string>

#include "adapters/anthropic/block.h"
#include "adapters/anthropic/claude_models.h"
#include "adapters/core/json.h"
#include "adapters/core/provider.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

// What the rest of the request means for thinking.
struct ThinkingSituation {
  // A call is forced by tool_choice, or by structured output through a tool.
  bool forced_choice = false;
  // In a tool loop that has begun without thinking, or lost it.
  bool loop_without_thinking = false;
  // The last word is the assistant's, for the model to go on from.
  bool prefill = false;
  // By a beta a budget counts over all calls of a turn, so that it may be
  // above max_tokens.
  bool interleaved = false;
};

struct ThinkingPlan {
  // The `thinking` member, JSON; empty: not sent.
  std::string thinking;
  // output_config.effort; empty: not sent.
  std::string effort;
  int64_t max_tokens = 0;
  // The request as sent thinks, as far as is known.
  bool active = false;
};

// `native` is the caller's own `thinking` member, kNone where there is none.
ThinkingPlan PlanThinking(const v1::ChatCompletionRequest& request,
                          JsonValue native, const ClaudeModel& model,
                          const AttemptContext& context,
                          const ThinkingSituation& situation,
                          RenderNotes& notes);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_THINKING_PLAN_H_
