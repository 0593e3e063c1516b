// Whether the model is to think, how it is told, and how much longer that
// makes the answer.
//
// Wishes, strongest first: the deployment's switch, Gemini's own
// thinkingConfig in the request, reasoning_effort. Levels for the third
// generation, budgets before it (none 0, minimal 512, low 1024, medium 8192,
// high 24576, as Google's own OpenAI endpoint maps them), never both, never
// for a model without thinking. The nearest a model knows is sent, and the
// wish named as dropped where that is another than was asked. Whether thoughts
// are shown (includeThoughts) is passed on; alone it turns nothing on or off.
//
// Threads: Pure.
// Fact:    gemini.md section 2.3 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_THINKING_PLAN_H_
#define LLM_ADAPTERS_GEMINI_THINKING_PLAN_H_

#include <cstdint>
#include <string>

#include "adapters/gemini/native_fields.h"
#include "adapters/gemini/rendering.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

struct ThinkingPlan {
  // The model will think, as far as is known.
  bool thinking = false;
  // thinkingConfig as JSON; empty: nothing is said.
  std::string config;
  // Tokens that are likely to go to thoughts, the budget where there is one:
  // what `max_tokens` is raised by [TRN-8].
  int64_t headroom = 0;
};

ThinkingPlan PlanThinking(const v1::ChatCompletionRequest& request,
                          const NativeFields& native, Rendering& to);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_THINKING_PLAN_H_
