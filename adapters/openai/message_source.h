// A message as its caller spelt it: what a look at the text tells, and the
// text without what is not for the provider.
//
// Providers' prompt caches go by bytes, so of a message that may not go as it
// came as little as possible is changed [TRN-7].
//
// Threads:   Pure.
// Ownership: `source` is one JSON object.
#ifndef LLM_ADAPTERS_OPENAI_MESSAGE_SOURCE_H_
#define LLM_ADAPTERS_OPENAI_MESSAGE_SOURCE_H_

#include <string>
#include <string_view>

namespace llm::openai {

// Whether the content is an array; a wrong guess only costs a rewrite that
// means the same.
bool ContentIsArray(std::string_view source);

// Whether it has its reasoning where DeepSeek wants it, and nowhere else.
bool HasReasoningContent(std::string_view source);

// All but the members that hold reasoning.
std::string WithoutReasoning(std::string_view source);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_MESSAGE_SOURCE_H_
