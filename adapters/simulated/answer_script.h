// Decides what the simulated model says: tool calls, JSON or prose.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_SIMULATED_ANSWER_SCRIPT_H_
#define LLM_ADAPTERS_SIMULATED_ANSWER_SCRIPT_H_

#include <string>
#include <vector>

#include "llm/v1/chat.pb.h"

namespace llm {

struct AnswerScript {
  std::string reasoning;
  std::string text;
  std::vector<v1::ToolCall> tool_calls;
  std::string finish_reason;  // stop, length, tool_calls
  int64_t reasoning_tokens = 0;
  int64_t output_tokens = 0;  // all, reasoning included
};

// `choice` varies the answer when several are asked for.
AnswerScript WriteAnswer(const v1::ChatCompletionRequest& request, bool reasons,
                         int choice);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_ANSWER_SCRIPT_H_
