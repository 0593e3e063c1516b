// Reads a recorded Anthropic request into the canonical form, as a door for
// Anthropic's own clients would. For tests: what comes out of the renderer is
// compared with what went in here.
#ifndef LLM_TESTS_ADAPTERS_ANTHROPIC_NATIVE_READER_H_
#define LLM_TESTS_ADAPTERS_ANTHROPIC_NATIVE_READER_H_

#include "adapters/core/chat_request.h"
#include "adapters/core/json.h"

namespace llm {

ChatRequest ReadNativeRequest(JsonValue body);

// Empty if the two bodies say the same, else where they differ. Text and a
// list of one text block are the same; `stream` is ours to decide.
std::string DifferenceOfBodies(JsonValue before, JsonValue after);

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_ANTHROPIC_NATIVE_READER_H_
