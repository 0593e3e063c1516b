#include "router/response_assembler.h"

#include <algorithm>
#include <utility>

#include "router/chunk_content.h"
#include "router/join_parts.h"

namespace llm {
namespace {

bool HasToolCall(const v1::Message& message) {
  return std::any_of(message.parts().begin(), message.parts().end(),
                     [](const v1::Part& part) { return part.has_tool_call(); });
}

}  // namespace

void ResponseAssembler::AddPart(v1::Part& part, Growing* to) {
  v1::Message* message = to->choice.mutable_message();
  if (part.kind_case() == v1::Part::KIND_NOT_SET) return;
  if (part.has_tool_call()) {
    v1::ToolCall& from = *part.mutable_tool_call();
    to->call_extra[from.index()].Add(from.extra_json());
    from.clear_extra_json();
  }
  if (!JoinPart(part, message)) message->add_parts()->Swap(&part);
}

void ResponseAssembler::AddDelta(v1::Message& delta, Growing* to) {
  for (v1::Part& part : *delta.mutable_parts()) {
    if (!IsEmptyFragment(part)) AddPart(part, to);
  }
  to->audio.Add(delta.audio());
  to->function_call.Add(delta.function_call());
  to->annotations.Add(delta.annotations());
  to->message_extra.Add(delta.extra_json());
}

void ResponseAssembler::AddChoice(v1::ChunkChoice& from) {
  Growing& to = choices_[from.index()];
  AddDelta(*from.mutable_delta(), &to);
  if (!from.finish_reason().empty()) {
    to.choice.set_finish_reason(from.finish_reason());
  }
  if (!from.native_finish_reason().empty()) {
    to.choice.set_native_finish_reason(from.native_finish_reason());
  }
  to.logprobs.Add(from.logprobs());
  to.choice_extra.Add(from.extra_json());
}

void ResponseAssembler::Add(v1::ChatCompletionChunk chunk) {
  for (v1::ChunkChoice& choice : *chunk.mutable_choices()) AddChoice(choice);
  if (!chunk.service_tier().empty()) {
    frame_.set_service_tier(chunk.service_tier());
  }
  if (!chunk.system_fingerprint().empty()) {
    frame_.set_system_fingerprint(chunk.system_fingerprint());
  }
  frame_extra_.Add(chunk.extra_json());
}

void ResponseAssembler::Close(Growing* whole) {
  v1::Message& message = *whole->choice.mutable_message();
  message.set_role("assistant");
  message.set_audio(whole->audio.JoinObjects());
  message.set_function_call(whole->function_call.JoinObjects());
  message.set_annotations(whole->annotations.JoinArrays());
  message.set_extra_json(whole->message_extra.JoinObjects());
  for (v1::Part& part : *message.mutable_parts()) {
    if (!part.has_tool_call()) continue;
    v1::ToolCall& call = *part.mutable_tool_call();
    call.set_extra_json(whole->call_extra[call.index()].JoinObjects());
  }
  whole->choice.set_logprobs(whole->logprobs.JoinObjects());
  whole->choice.set_extra_json(whole->choice_extra.JoinObjects());
  whole->choice.set_finish_reason(
      FinishReason(whole->choice.finish_reason(), HasToolCall(message)));
}

v1::ChatCompletionResponse ResponseAssembler::Take() {
  if (choices_.empty()) choices_[0];
  for (auto& [index, growing] : choices_) {
    Close(&growing);
    growing.choice.set_index(index);
    frame_.add_choices()->Swap(&growing.choice);
  }
  choices_.clear();
  frame_.set_extra_json(frame_extra_.JoinObjects());
  return std::move(frame_);
}

}  // namespace llm
