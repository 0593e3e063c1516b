#include "router/response_assembler.h"

#include <algorithm>
#include <utility>

#include "router/chunk_content.h"

namespace llm {
namespace {

bool JoinText(v1::Part* last, const v1::Part& next) {
  if (!last->has_text() || !next.has_text()) return false;
  last->mutable_text()->mutable_text()->append(next.text().text());
  return true;
}

bool JoinRefusal(v1::Part* last, const v1::Part& next) {
  if (!last->has_refusal() || !next.has_refusal()) return false;
  last->mutable_refusal()->mutable_text()->append(next.refusal().text());
  return true;
}

// A signature closes a block of reasoning: it proves the text before it, so
// text after it belongs to the next block. Redacted data is a block alone.
bool JoinReasoning(v1::Part* last, const v1::Part& next) {
  if (!last->has_reasoning() || !next.has_reasoning()) return false;
  v1::ReasoningPart& to = *last->mutable_reasoning();
  const v1::ReasoningPart& from = next.reasoning();
  if (to.summary() != from.summary() || !to.redacted_data().empty() ||
      !from.redacted_data().empty() ||
      (!to.signature().empty() && !from.text().empty())) {
    return false;
  }
  to.mutable_text()->append(from.text());
  to.mutable_signature()->append(from.signature());
  if (to.origin().empty()) to.set_origin(from.origin());
  return true;
}

// Identifying fields come once; text is appended.
void KeepFirst(std::string* to, const std::string& from) {
  if (to->empty()) *to = from;
}

void JoinToolCall(v1::ToolCall* to, const v1::ToolCall& from) {
  KeepFirst(to->mutable_id(), from.id());
  KeepFirst(to->mutable_type(), from.type());
  if (from.has_function()) {
    v1::FunctionCall& function = *to->mutable_function();
    KeepFirst(function.mutable_name(), from.function().name());
    function.mutable_arguments()->append(from.function().arguments());
  }
  if (from.has_custom()) {
    KeepFirst(to->mutable_custom()->mutable_name(), from.custom().name());
    to->mutable_custom()->mutable_input()->append(from.custom().input());
  }
  to->mutable_signature()->append(from.signature());
  KeepFirst(to->mutable_signature_origin(), from.signature_origin());
}

v1::ToolCall* FindCall(v1::Message* message, int index) {
  for (v1::Part& part : *message->mutable_parts()) {
    if (part.has_tool_call() && part.tool_call().index() == index) {
      return part.mutable_tool_call();
    }
  }
  return nullptr;
}

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
    v1::ToolCall* call = FindCall(message, from.index());
    if (call != nullptr) {
      JoinToolCall(call, from);
      return;
    }
  } else if (message->parts_size() > 0 && part.extra_json().empty()) {
    v1::Part* last = message->mutable_parts(message->parts_size() - 1);
    if (JoinText(last, part) || JoinRefusal(last, part) ||
        JoinReasoning(last, part)) {
      return;
    }
  }
  message->add_parts()->Swap(&part);
}

void ResponseAssembler::AddDelta(v1::Message& delta, Growing* to) {
  for (v1::Part& part : *delta.mutable_parts()) {
    // An empty fragment would stand between two that belong together.
    if (part.has_text() && part.text().text().empty() &&
        part.extra_json().empty()) {
      continue;
    }
    AddPart(part, to);
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
