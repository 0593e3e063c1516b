// Ids of function calls. Older models and Vertex give none; the caller needs
// one, unique over the conversation, and it must not reach the provider as if
// it were its own.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_GEMINI_CALL_IDS_H_
#define LLM_ADAPTERS_GEMINI_CALL_IDS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace llm::gemini {

// `seed` is unique to the attempt, `at` to the call within it.
std::string MakeCallId(std::string_view seed, size_t at);

// True for what MakeCallId makes.
bool IsMadeCallId(std::string_view id);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_CALL_IDS_H_
