#include "join_parts.h"

#include <string>

namespace llm::client {
namespace {

// Identifying fields come once; text is appended.
void KeepFirst(const std::string& from, std::string* to) {
  if (to->empty()) *to = from;
}

// A signature proves one piece of text, which is a part of its own.
bool JoinText(const v1::Part& next, v1::Part* last) {
  if (!last->has_text() || !next.has_text()) return false;
  if (!last->text().signature().empty() || !next.text().signature().empty()) {
    return false;
  }
  last->mutable_text()->mutable_text()->append(next.text().text());
  return true;
}

bool JoinRefusal(const v1::Part& next, v1::Part* last) {
  if (!last->has_refusal() || !next.has_refusal()) return false;
  last->mutable_refusal()->mutable_text()->append(next.refusal().text());
  return true;
}

// A signature closes a block of reasoning; redacted data is a block alone.
bool JoinReasoning(const v1::Part& next, v1::Part* last) {
  if (!last->has_reasoning() || !next.has_reasoning()) return false;
  v1::ReasoningPart& to = *last->mutable_reasoning();
  const v1::ReasoningPart& from = next.reasoning();
  if (to.summary() != from.summary() || !to.redacted_data().empty() ||
      !from.redacted_data().empty() || !to.signature().empty()) {
    return false;
  }
  to.mutable_text()->append(from.text());
  to.set_signature(from.signature());
  KeepFirst(from.origin(), to.mutable_origin());
  KeepFirst(from.origin_model(), to.mutable_origin_model());
  return true;
}

void JoinCall(const v1::ToolCall& from, v1::ToolCall* to) {
  KeepFirst(from.id(), to->mutable_id());
  KeepFirst(from.type(), to->mutable_type());
  if (from.has_function()) {
    v1::FunctionCall& function = *to->mutable_function();
    KeepFirst(from.function().name(), function.mutable_name());
    function.mutable_arguments()->append(from.function().arguments());
  }
  if (from.has_custom()) {
    KeepFirst(from.custom().name(), to->mutable_custom()->mutable_name());
    to->mutable_custom()->mutable_input()->append(from.custom().input());
  }
  to->mutable_signature()->append(from.signature());
  KeepFirst(from.signature_origin(), to->mutable_signature_origin());
  KeepFirst(from.origin_model(), to->mutable_origin_model());
  if (!from.extra_json().empty()) to->set_extra_json(from.extra_json());
}

// Calls join by index wherever they come.
bool JoinToolCall(const v1::Part& next, v1::Message* message) {
  for (v1::Part& part : *message->mutable_parts()) {
    if (part.has_tool_call() &&
        part.tool_call().index() == next.tool_call().index()) {
      JoinCall(next.tool_call(), part.mutable_tool_call());
      return true;
    }
  }
  return false;
}

// An empty text stands for nothing: between two fragments it would keep them
// apart.
bool IsNothing(const v1::Part& part) {
  if (part.kind_case() == v1::Part::KIND_NOT_SET) return true;
  return part.has_text() && part.text().text().empty() &&
         part.text().signature().empty() && part.extra_json().empty();
}

bool Join(const v1::Part& part, v1::Message* message) {
  if (part.has_tool_call()) return JoinToolCall(part, message);
  if (message->parts().empty() || !part.extra_json().empty()) return false;
  v1::Part* last = message->mutable_parts(message->parts_size() - 1);
  return JoinText(part, last) || JoinRefusal(part, last) ||
         JoinReasoning(part, last);
}

void AddPart(const v1::Part& part, v1::Message* message) {
  if (IsNothing(part) || Join(part, message)) return;
  *message->add_parts() = part;
}

void AddFlat(const v1::Message& delta, v1::Message* message) {
  v1::Part part;
  if (delta.has_reasoning_content()) {
    part.mutable_reasoning()->set_text(delta.reasoning_content());
    AddPart(part, message);
  }
  if (delta.has_content()) {
    part.mutable_text()->set_text(delta.content());
    AddPart(part, message);
  }
  if (delta.has_refusal()) {
    part.mutable_refusal()->set_text(delta.refusal());
    AddPart(part, message);
  }
  for (const v1::ToolCall& call : delta.tool_calls()) {
    *part.mutable_tool_call() = call;
    AddPart(part, message);
  }
}

// Position of a part in the order of the flat view; -1: that would lose
// something of it.
int FlatRank(const v1::Part& part) {
  if (!part.extra_json().empty()) return -1;
  switch (part.kind_case()) {
    case v1::Part::kReasoning: {
      const v1::ReasoningPart& reasoning = part.reasoning();
      const bool plain = reasoning.signature().empty() &&
                         reasoning.redacted_data().empty() &&
                         reasoning.origin().empty() && !reasoning.summary();
      return plain ? 0 : -1;
    }
    case v1::Part::kText:
      return part.text().signature().empty() ? 1 : -1;
    case v1::Part::kRefusal:
      return 2;
    case v1::Part::kToolCall:
      return part.tool_call().signature().empty() ? 3 : -1;
    default:
      return -1;
  }
}

bool FlatLosesNothing(const v1::Message& message) {
  constexpr int kToolCalls = 3;
  int last = -1;
  int calls = 0;
  for (const v1::Part& part : message.parts()) {
    const int rank = FlatRank(part);
    if (rank < 0 || rank < last) return false;
    if (rank == kToolCalls && part.tool_call().index() != calls++) {
      return false;
    }
    if (rank == last && rank != kToolCalls) return false;
    last = rank;
  }
  return true;
}

}  // namespace

void AddDelta(const v1::Message& delta, v1::Message* message) {
  message->set_role("assistant");
  for (const v1::Part& part : delta.parts()) AddPart(part, message);
  // Where there are parts, the flat fields say the same again.
  if (delta.parts().empty()) AddFlat(delta, message);
  if (!delta.audio().empty()) message->set_audio(delta.audio());
  if (!delta.annotations().empty()) {
    message->set_annotations(delta.annotations());
  }
  if (!delta.function_call().empty()) {
    message->set_function_call(delta.function_call());
  }
  if (!delta.extra_json().empty()) message->set_extra_json(delta.extra_json());
}

void FillFlatView(v1::Message* message) {
  for (const v1::Part& part : message->parts()) {
    switch (part.kind_case()) {
      case v1::Part::kReasoning:
        message->mutable_reasoning_content()->append(part.reasoning().text());
        break;
      case v1::Part::kText:
        message->mutable_content()->append(part.text().text());
        break;
      case v1::Part::kRefusal:
        message->mutable_refusal()->append(part.refusal().text());
        break;
      case v1::Part::kToolCall:
        *message->add_tool_calls() = part.tool_call();
        break;
      default:
        break;
    }
  }
  if (FlatLosesNothing(*message)) message->clear_parts();
}

}  // namespace llm::client
