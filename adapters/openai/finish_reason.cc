#include "adapters/openai/finish_reason.h"

#include "absl/strings/match.h"
#include "adapters/core/text.h"

namespace llm::openai {
namespace {

struct FinishRow {
  std::string_view word;
  FinishMeaning meaning;
};

// Compared without regard to case: Gemini shouts. What is not here is "stop",
// which is also what end_turn, stop_sequence, eos and LANGUAGE come to.
constexpr FinishRow kFinishRows[] = {
    {"length", {"length"}},
    {"max_tokens", {"length"}},
    {"max_output_tokens", {"length"}},
    {"model_length", {"length"}},
    {"model_context_window_exceeded", {"length"}},
    {"tool_calls", {"tool_calls"}},
    {"tool_use", {"tool_calls"}},
    {"tool_call", {"tool_calls"}},
    {"function_call", {"function_call"}},
    {"content_filter", {"content_filter"}},
    {"content_filtered", {"content_filter"}},
    {"refusal", {"content_filter"}},
    {"sensitive", {"content_filter"}},
    {"safety", {"content_filter"}},
    {"recitation", {"content_filter"}},
    {"blocklist", {"content_filter"}},
    {"prohibited_content", {"content_filter"}},
    {"spii", {"content_filter"}},
    {"image_safety", {"content_filter"}},
    {"model_armor", {"content_filter"}},
    // OpenRouter, Mistral; Zhipu; vLLM and SGLang.
    {"error", {"stop", FailureClass::kServerError}},
    {"network_error", {"stop", FailureClass::kServerError}},
    {"abort", {"stop", FailureClass::kServerError}},
    // DeepSeek cut the generation for want of capacity: with text already
    // out, it is a truncated answer.
    {"insufficient_system_resource",
     {"length", FailureClass::kOverloaded, true}},
    {"malformed_function_call", {"stop", FailureClass::kBadAnswer, true}},
};

}  // namespace

FinishMeaning MeaningOfFinish(std::string_view word) {
  for (const FinishRow& row : kFinishRows) {
    if (absl::EqualsIgnoreCase(ToAbsl(row.word), ToAbsl(word))) {
      return row.meaning;
    }
  }
  return {"stop"};
}

}  // namespace llm::openai
