// Gemini's logprobsResult as OpenAI's {"content": […]}.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_GEMINI_LOGPROBS_H_
#define LLM_ADAPTERS_GEMINI_LOGPROBS_H_

#include <string>

#include "adapters/core/json.h"

namespace llm::gemini {

// Empty where there are none.
std::string OpenAiLogprobs(JsonValue result);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_LOGPROBS_H_
