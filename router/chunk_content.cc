#include "router/chunk_content.h"

#include <algorithm>

#include "router/join_parts.h"

namespace llm {

bool PartHasContent(const v1::Part& part) {
  switch (part.kind_case()) {
    case v1::Part::kText:
      return !part.text().text().empty();
    case v1::Part::kReasoning:
      return !part.reasoning().text().empty() ||
             !part.reasoning().redacted_data().empty();
    case v1::Part::kToolCall:
      return true;
    case v1::Part::kRefusal:
      return !part.refusal().text().empty();
    case v1::Part::kMedia:
      return true;
    case v1::Part::kOpaque:
    case v1::Part::KIND_NOT_SET:
      return false;
  }
  return false;
}

bool ChunkHasContent(const v1::ChatCompletionChunk& chunk) {
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    const v1::Message& delta = choice.delta();
    if (!delta.audio().empty() || !delta.function_call().empty() ||
        std::any_of(delta.parts().begin(), delta.parts().end(),
                    PartHasContent)) {
      return true;
    }
  }
  return false;
}

bool DeltaSaysAnything(const v1::Message& delta) {
  if (!delta.audio().empty() || !delta.annotations().empty() ||
      !delta.function_call().empty() || !delta.extra_json().empty()) {
    return true;
  }
  for (const v1::Part& part : delta.parts()) {
    if (part.kind_case() != v1::Part::KIND_NOT_SET && !IsEmptyFragment(part)) {
      return true;
    }
  }
  return false;
}

void CountOutput(const v1::ChatCompletionChunk& chunk,
                 TokenEstimate* estimate) {
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    for (const v1::Part& part : choice.delta().parts()) {
      if (part.has_text()) estimate->Add(part.text().text());
      if (part.has_reasoning()) estimate->Add(part.reasoning().text());
      if (part.has_refusal()) estimate->Add(part.refusal().text());
      if (part.has_tool_call()) {
        estimate->Add(part.tool_call().function().name());
        estimate->Add(part.tool_call().function().arguments());
        estimate->Add(part.tool_call().custom().name());
        estimate->Add(part.tool_call().custom().input());
      }
    }
    estimate->Add(choice.delta().function_call());
  }
}

std::string FinishReason(std::string_view said, bool has_tool_call) {
  if (has_tool_call && (said.empty() || said == "stop")) return "tool_calls";
  return said.empty() ? "stop" : std::string(said);
}

}  // namespace llm
