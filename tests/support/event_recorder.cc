#include "tests/support/event_recorder.h"

namespace llm {
namespace {

void AddCall(const v1::ToolCall& part, CollectedChoice& choice) {
  const auto at = static_cast<size_t>(part.index());
  if (choice.calls.size() <= at) choice.calls.resize(at + 1);
  CollectedCall& call = choice.calls[at];
  // Only the first fragment may carry them; a second one shows up here.
  call.id += part.id();
  call.name += part.function().name() + part.custom().name();
  call.arguments += part.function().arguments() + part.custom().input();
}

void AddPart(const v1::Part& part, CollectedChoice& choice) {
  if (part.has_text()) choice.text += part.text().text();
  if (part.has_reasoning()) choice.reasoning += part.reasoning().text();
  if (part.has_refusal()) choice.refusal += part.refusal().text();
  if (part.has_tool_call()) AddCall(part.tool_call(), choice);
  if (part.has_opaque()) choice.opaque.push_back(part.opaque().json());
}

}  // namespace

Task<absl::Status> EventRecorder::Write(v1::ChatCompletionChunk&& chunk) {
  chunks.push_back(std::move(chunk));
  co_return answer;
}

std::map<int, CollectedChoice> Collect(
    const std::vector<v1::ChatCompletionChunk>& chunks) {
  std::map<int, CollectedChoice> out;
  for (const v1::ChatCompletionChunk& chunk : chunks) {
    for (const v1::ChunkChoice& from : chunk.choices()) {
      CollectedChoice& choice = out[from.index()];
      choice.role += from.delta().role();
      for (const v1::Part& part : from.delta().parts()) AddPart(part, choice);
      choice.function_call += from.delta().function_call();
      choice.audio += from.delta().audio();
      choice.annotations += from.delta().annotations();
      choice.logprobs += from.logprobs();
      choice.extra += from.delta().extra_json() + from.extra_json();
      if (from.finish_reason().empty()) continue;
      choice.finish = from.finish_reason();
      choice.native_finish = from.native_finish_reason();
      ++choice.finishes;
    }
  }
  return out;
}

std::string Describe(const CollectedChoice& choice) {
  std::string out;
  const auto add = [&out](std::string_view mark, std::string_view text) {
    if (text.empty()) return;
    if (!out.empty()) out += ' ';
    out += mark;
    out += text;
  };
  add("R:", choice.reasoning);
  add("T:", choice.text);
  add("X:", choice.refusal);
  for (const CollectedCall& call : choice.calls) {
    add("C:", call.id + "/" + call.name + "(" + call.arguments + ")");
  }
  add("FC:", choice.function_call);
  add("F:", choice.finish);
  add("N:", choice.native_finish);
  return out;
}

}  // namespace llm
