// Anthropic's word for why an answer ended, in OpenAI's few words.
//
// Threads: Pure.
// Fact:    anthropic.md 4 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_STOP_REASON_H_
#define LLM_ADAPTERS_ANTHROPIC_STOP_REASON_H_

#include <string_view>

namespace llm::anthropic {

// stop, length, tool_calls or content_filter. Unknown and empty words, and
// those that end a turn, are told by whether there were calls.
std::string_view FinishReason(std::string_view stop_reason, bool has_calls);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_STOP_REASON_H_
