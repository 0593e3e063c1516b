#include <algorithm>

#include "adapters/core/json.h"
#include "adapters/core/utf8.h"
#include "router/route_plan.h"
#include "router/token_estimate.h"

namespace llm {
namespace {

void CountPart(const v1::Part& part, TokenEstimate* estimate) {
  switch (part.kind_case()) {
    case v1::Part::kText:
      estimate->Add(part.text().text());
      break;
    case v1::Part::kReasoning:
      estimate->Add(part.reasoning().text());
      break;
    case v1::Part::kToolCall:
      estimate->Add(part.tool_call().function().name());
      estimate->Add(part.tool_call().function().arguments());
      estimate->Add(part.tool_call().custom().input());
      break;
    case v1::Part::kRefusal:
      estimate->Add(part.refusal().text());
      break;
    default:
      break;
  }
}

void CountMessage(const v1::Message& message, TokenEstimate* estimate) {
  for (const v1::Part& part : message.parts()) CountPart(part, estimate);
  estimate->Add(message.function_call());
}

void CountTool(const v1::Tool& tool, TokenEstimate* estimate) {
  estimate->Add(tool.function().name());
  estimate->Add(tool.function().description());
  estimate->Add(tool.function().parameters());
  estimate->Add(tool.custom().description());
  estimate->Add(tool.custom().format());
  estimate->Add(tool.other_json());
}

void NoteMedia(const v1::Message& message, RequestNeeds* needs) {
  for (const v1::Part& part : message.parts()) {
    if (!part.has_media()) continue;
    switch (part.media().kind()) {
      case v1::MediaPart::IMAGE:
      case v1::MediaPart::VIDEO:
        needs->vision = true;
        break;
      case v1::MediaPart::AUDIO:
        needs->audio = true;
        break;
      default:
        break;
    }
  }
}

bool ForcesTool(const v1::ToolChoice& choice) {
  if (choice.other_json().empty()) {
    return choice.mode() == "required" || choice.has_function() ||
           choice.has_custom();
  }
  // {"type":"allowed_tools", …} with the mode in it or beside; Anthropic's own.
  const auto doc = JsonDocument::Parse(choice.other_json());
  const JsonValue root = doc.ok() ? doc->root() : JsonValue();
  const JsonValue allowed = root.Find("allowed_tools");
  const JsonValue mode = (allowed.is_object() ? allowed : root).Find("mode");
  return mode.Equals("required") || root.Find("type").Equals("any") ||
         root.Find("type").Equals("tool");
}

}  // namespace

void TokenEstimate::Add(std::string_view utf8) {
  const CharacterCount count = CountCharacters(utf8);
  cjk_ += count.cjk;
  other_ += count.all - count.cjk;
}

int64_t EstimateTokens(std::string_view utf8) {
  TokenEstimate estimate;
  estimate.Add(utf8);
  return estimate.Tokens();
}

RequestNeeds NeedsOf(const v1::ChatCompletionRequest& request) {
  RequestNeeds needs;
  needs.tools = request.tools_size() > 0 || !request.functions().empty();
  needs.forced_tool_choice = ForcesTool(request.tool_choice());
  needs.json_schema = request.response_format().type() == "json_schema";
  TokenEstimate estimate;
  for (const v1::Message& message : request.messages()) {
    CountMessage(message, &estimate);
    NoteMedia(message, &needs);
  }
  for (const v1::Tool& tool : request.tools()) CountTool(tool, &estimate);
  estimate.Add(request.functions());
  estimate.Add(request.response_format().json_schema().schema());
  for (const std::string& modality : request.modalities()) {
    if (modality == "audio") needs.audio = true;
  }
  needs.estimated_input_tokens = estimate.Tokens();
  return needs;
}

EmbedNeeds NeedsOf(const v1::CreateEmbeddingsRequest& request) {
  EmbedNeeds needs;
  const auto add = [&needs](int64_t tokens) {
    needs.estimated_input_tokens += tokens;
    needs.longest_input_tokens = std::max(needs.longest_input_tokens, tokens);
  };
  for (const std::string& text : request.input()) add(EstimateTokens(text));
  for (const v1::TokenInput& input : request.token_inputs()) {
    add(input.tokens_size());
  }
  return needs;
}

}  // namespace llm
