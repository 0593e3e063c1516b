// Gemini's word for why a candidate ended, in OpenAI's few words.
//
// Threads: Pure.
// Fact:    gemini.md section 3 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_FINISH_REASON_H_
#define LLM_ADAPTERS_GEMINI_FINISH_REASON_H_

#include <string_view>

namespace llm::gemini {

struct FinishMeaning {
  // stop, length or content_filter; "stop" is tool_calls where any was made.
  std::string_view reason = "stop";
  // Broken off: a failure while nothing useful has come.
  bool broken = false;
};

// Unknown words mean "stop".
FinishMeaning MeaningOfFinish(std::string_view word);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_FINISH_REASON_H_
