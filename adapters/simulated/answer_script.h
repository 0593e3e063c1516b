// Decides what the simulated model says: tool calls, JSON or prose.
//
// Threads:   One object per call, on one thread.
// Ownership: The request outlives the writer.
#ifndef LLM_ADAPTERS_SIMULATED_ANSWER_SCRIPT_H_
#define LLM_ADAPTERS_SIMULATED_ANSWER_SCRIPT_H_

#include <string>
#include <vector>

#include "adapters/simulated/prompt_facts.h"
#include "adapters/simulated/schema_sample.h"
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

class AnswerWriter {
 public:
  AnswerWriter(const v1::ChatCompletionRequest& request, bool reasons);

  // `choice` varies the answer when several are asked for. All choices share
  // one budget; what it has no room for is empty.
  AnswerScript Write(int choice);

 private:
  void WriteCalls(uint64_t digest, AnswerScript& script);
  std::string Text(uint64_t seed);

  const v1::ChatCompletionRequest& request_;
  const bool reasons_;
  const PromptFacts facts_;
  const uint64_t digest_;
  SampleBudget budget_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_ANSWER_SCRIPT_H_
