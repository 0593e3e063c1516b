#include "router/join_parts.h"

#include <string>

namespace llm {
namespace {

// Identifying fields come once; text is appended.
void KeepFirst(std::string* to, const std::string& from) {
  if (to->empty()) *to = from;
}

// A signature proves one piece of text, which is a part of its own.
bool JoinText(v1::Part* last, const v1::Part& next) {
  if (!last->has_text() || !next.has_text()) return false;
  if (!last->text().signature().empty() || !next.text().signature().empty()) {
    return false;
  }
  last->mutable_text()->mutable_text()->append(next.text().text());
  return true;
}

bool JoinRefusal(v1::Part* last, const v1::Part& next) {
  if (!last->has_refusal() || !next.has_refusal()) return false;
  last->mutable_refusal()->mutable_text()->append(next.refusal().text());
  return true;
}

// A signature closes a block of reasoning: it proves the text before it, so
// what follows belongs to the next block, which may have no text at all.
// Redacted data is a block alone.
bool JoinReasoning(v1::Part* last, const v1::Part& next) {
  if (!last->has_reasoning() || !next.has_reasoning()) return false;
  v1::ReasoningPart& to = *last->mutable_reasoning();
  const v1::ReasoningPart& from = next.reasoning();
  if (to.summary() != from.summary() || !to.redacted_data().empty() ||
      !from.redacted_data().empty() || !to.signature().empty()) {
    return false;
  }
  to.mutable_text()->append(from.text());
  to.set_signature(from.signature());
  KeepFirst(to.mutable_origin(), from.origin());
  KeepFirst(to.mutable_origin_model(), from.origin_model());
  return true;
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
  KeepFirst(to->mutable_origin_model(), from.origin_model());
}

v1::ToolCall* FindCall(v1::Message* message, int index) {
  for (v1::Part& part : *message->mutable_parts()) {
    if (part.has_tool_call() && part.tool_call().index() == index) {
      return part.mutable_tool_call();
    }
  }
  return nullptr;
}

}  // namespace

bool JoinPart(const v1::Part& part, v1::Message* message) {
  if (part.has_tool_call()) {
    v1::ToolCall* call = FindCall(message, part.tool_call().index());
    if (call == nullptr) return false;
    JoinToolCall(call, part.tool_call());
    return true;
  }
  if (message->parts().empty() || !part.extra_json().empty()) return false;
  v1::Part* last = message->mutable_parts(message->parts_size() - 1);
  return JoinText(last, part) || JoinRefusal(last, part) ||
         JoinReasoning(last, part);
}

bool IsEmptyFragment(const v1::Part& part) {
  return part.has_text() && part.text().text().empty() &&
         part.text().signature().empty() && part.extra_json().empty();
}

}  // namespace llm
