// generationConfig, and the request fields that Gemini has no word for.
//
// Threads: Pure but for the rendering it is given.
// Fact:    gemini.md section 2.3 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_CONFIG_WRITER_H_
#define LLM_ADAPTERS_GEMINI_CONFIG_WRITER_H_

#include <string>

#include "adapters/gemini/native_fields.h"
#include "adapters/gemini/rendering.h"
#include "adapters/gemini/thinking_plan.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

// A JSON object; empty where nothing is set. A member of the caller's own
// generationConfig stands for the field that means the same.
std::string GenerationConfig(const v1::ChatCompletionRequest& request,
                             const NativeFields& native,
                             const ThinkingPlan& thinking, Rendering& to);

// Whether the answer has a responseMimeType of JSON.
bool AnswersInJson(const v1::ChatCompletionRequest& request,
                   const NativeFields& native, const Rendering& to);

// The schema in words, where the model cannot be given one beside tools;
// empty for none. The loss is named by GenerationConfig.
std::string SchemaInstruction(const v1::ChatCompletionRequest& request,
                              const NativeFields& native, const Rendering& to);

// "flex" or "priority"; empty: the usual tier. Others are named.
std::string ServiceTier(const v1::ChatCompletionRequest& request,
                        Rendering& to);

// Names what is set and cannot be said, and is not recorded here.
void NameUnsaid(const v1::ChatCompletionRequest& request, Rendering& to);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_CONFIG_WRITER_H_
