// The provider's word for why an answer ended, in OpenAI's few words.
//
// Threads: Pure.
// Fact:    providers/README.md "finish_reason normalisation", 2026-11-20;
//          the vendors' pages are named there per word.
#ifndef LLM_ADAPTERS_OPENAI_FINISH_REASON_H_
#define LLM_ADAPTERS_OPENAI_FINISH_REASON_H_

#include <string_view>

#include "adapters/core/failure.h"

namespace llm::openai {

struct FinishMeaning {
  // stop, length, tool_calls, content_filter or function_call.
  std::string_view reason;
  // Not kNone: the word means that the provider broke off.
  FailureClass failure = FailureClass::kNone;
  // The failure counts only while nothing useful was emitted.
  bool only_when_empty = false;
};

// Unknown and empty words mean "stop".
FinishMeaning MeaningOfFinish(std::string_view word);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_FINISH_REASON_H_
