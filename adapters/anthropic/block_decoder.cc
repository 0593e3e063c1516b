#include "adapters/anthropic/block_decoder.h"

#include "adapters/anthropic/block.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

// Blocks whose input the client gets, or deltas of such.
BlockDecoder::Kind KindOf(JsonValue start, sv answer_tool) {
  using Kind = BlockDecoder::Kind;
  const JsonValue type = start.Find("type");
  if (type.Equals("text") || type.Equals("text_delta") ||
      type.Equals("citations_delta")) {
    return Kind::kText;
  }
  if (type.Equals("thinking") || type.Equals("redacted_thinking") ||
      type.Equals("thinking_delta") || type.Equals("signature_delta")) {
    return Kind::kThinking;
  }
  if (type.Equals("tool_use")) {
    return !answer_tool.empty() && start.Find("name").Equals(answer_tool)
               ? Kind::kAnswer
               : Kind::kCall;
  }
  return Kind::kOpaque;
}

// Servers that show no input say {} and send it by pieces.
bool SaysSomething(JsonValue input) {
  if (input.is_object()) return input.size() > 0;
  return input.is_string() && !input.StringOr().empty();
}

}  // namespace

BlockDecoder::BlockDecoder(JsonValue start, int call_index, std::string id,
                           std::string_view answer_tool,
                           const FunctionNames& names)
    : kind_(KindOf(start, answer_tool)),
      call_index_(call_index),
      id_(std::move(id)),
      names_(names) {}

void BlockDecoder::AddText(std::string text, v1::Message* out) {
  text = joiner_.Push(std::move(text));
  if (text.empty()) return;
  has_answer_ = true;
  const int64_t count = CountCodePoints(text);
  characters_ += count;
  text_characters_ += count;
  out->add_parts()->mutable_text()->set_text(std::move(text));
}

void BlockDecoder::AddReasoning(std::string text, v1::Message* out) {
  text = joiner_.Push(std::move(text));
  if (text.empty()) return;
  has_reasoning_ = true;
  characters_ += CountCodePoints(text);
  out->add_parts()->mutable_reasoning()->set_text(std::move(text));
}

void BlockDecoder::AddArguments(std::string text, v1::Message* out) {
  if (text.empty()) return;
  arguments_came_ = true;
  if (kind_ == Kind::kAnswer) return AddText(std::move(text), out);
  text = joiner_.Push(std::move(text));
  if (text.empty()) return;
  characters_ += CountCodePoints(text);
  v1::ToolCall* call = out->add_parts()->mutable_tool_call();
  call->set_index(call_index_);
  call->mutable_function()->set_arguments(std::move(text));
}

void BlockDecoder::OpenCall(JsonValue start, v1::Message* out) {
  const JsonValue input = start.Find("input");
  if (SaysSomething(input)) {
    input_ = input.is_string() ? input.StringOr() : std::string(input.raw());
  }
  if (kind_ == Kind::kAnswer) return;
  has_answer_ = true;
  v1::ToolCall* call = out->add_parts()->mutable_tool_call();
  call->set_index(call_index_);
  const std::string id = start.Find("id").StringOr();
  call->set_id(id.empty() ? id_ : id);
  call->set_type("function");
  call->mutable_function()->set_name(
      names_.Given(start.Find("name").StringOr()));
  characters_ += CountCodePoints(call->function().name());
  // Who called it, where it was not the model itself: a program of its own
  // (programmatic tool calling) wants that back.
  const JsonValue caller = start.Find("caller");
  if (caller.is_object() && !caller.Find("type").Equals("direct")) {
    JsonWriter json(call->mutable_extra_json());
    json.BeginObject();
    json.MemberRaw("caller", caller.raw());
    json.EndObject();
  }
}

void BlockDecoder::Open(JsonValue start, v1::Message* out) {
  switch (kind_) {
    case Kind::kText: {
      AddText(start.Find("text").StringOr(), out);
      const JsonValue citations = start.Find("citations");
      for (JsonValue v = citations.is_array() ? citations.First() : JsonValue();
           v; v = v.Next()) {
        citations_.emplace_back(v.raw());
      }
      return;
    }
    case Kind::kThinking: {
      AddReasoning(start.Find("thinking").StringOr(), out);
      signature_ = start.Find("signature").StringOr();
      const std::string data = start.Find("data").StringOr();
      if (data.empty()) return;
      has_reasoning_ = true;
      v1::ReasoningPart* part = out->add_parts()->mutable_reasoning();
      part->set_redacted_data(data);
      part->set_origin(std::string(kOrigin));
      return;
    }
    case Kind::kCall:
    case Kind::kAnswer:
      return OpenCall(start, out);
    case Kind::kOpaque:
      for (JsonValue v = start.First(); v; v = v.Next()) {
        member_at_.try_emplace(v.Key(), members_.size());
        members_.emplace_back(v.Key(), std::string(v.raw()));
      }
      return;
  }
}

// A delta of a block we do not know: text goes on, anything else is newer.
void BlockDecoder::Keep(JsonValue delta) {
  for (JsonValue v = delta.First(); v; v = v.Next()) {
    const std::string key = v.Key();
    if (key == "type") continue;
    if (key == "partial_json" && v.is_string()) {
      partial_input_ += v.StringOr();
      continue;
    }
    const auto [at, is_new] = member_at_.try_emplace(key, members_.size());
    if (is_new) {
      members_.emplace_back(key, std::string(v.raw()));
      continue;
    }
    std::string& member = members_[at->second].second;
    if (v.is_string() && member.starts_with('"')) {
      member.pop_back();
      member += v.raw().substr(1);
    } else if (!v.is_null()) {
      member = std::string(v.raw());
    }
  }
}

void BlockDecoder::Push(JsonValue delta, v1::Message* out) {
  if (closed_) return;
  switch (kind_) {
    case Kind::kText:
      AddText(delta.Find("text").StringOr(), out);
      if (delta.Find("citation").is_object()) {
        citations_.emplace_back(delta.Find("citation").raw());
      }
      return;
    case Kind::kThinking:
      AddReasoning(delta.Find("thinking").StringOr(), out);
      signature_ += delta.Find("signature").StringOr();
      return;
    case Kind::kCall:
    case Kind::kAnswer:
      return AddArguments(delta.Find("partial_json").StringOr(), out);
    case Kind::kOpaque:
      return Keep(delta);
  }
}

void BlockDecoder::CloseCall(v1::Message* out) {
  if (!arguments_came_) AddArguments(input_.empty() ? "{}" : input_, out);
  const std::string rest = joiner_.Flush();
  if (rest.empty()) return;
  characters_ += CountCodePoints(rest);
  if (kind_ == Kind::kAnswer) {
    out->add_parts()->mutable_text()->set_text(rest);
    return;
  }
  v1::ToolCall* call = out->add_parts()->mutable_tool_call();
  call->set_index(call_index_);
  call->mutable_function()->set_arguments(rest);
}

void BlockDecoder::CloseOpaque(v1::Message* out) {
  if (members_.empty()) return;
  has_answer_ = true;
  v1::OpaquePart* part = out->add_parts()->mutable_opaque();
  part->set_origin(std::string(kOrigin));
  JsonWriter json(part->mutable_json());
  json.BeginObject();
  const bool input = JsonDocument::Parse(sv(partial_input_)).ok();
  bool written = false;
  for (const auto& [key, value] : members_) {
    const bool replaced = key == "input" && input;
    written = written || replaced;
    json.MemberRaw(key, replaced ? sv(partial_input_) : sv(value));
  }
  if (input && !written) json.MemberRaw("input", partial_input_);
  json.EndObject();
}

void BlockDecoder::Close(v1::Message* out) {
  if (closed_) return;
  switch (kind_) {
    case Kind::kText:
      if (std::string rest = joiner_.Flush(); !rest.empty()) {
        has_answer_ = true;
        ++characters_;
        ++text_characters_;
        out->add_parts()->mutable_text()->set_text(std::move(rest));
      }
      break;
    case Kind::kThinking:
      if (std::string rest = joiner_.Flush(); !rest.empty()) {
        ++characters_;
        out->add_parts()->mutable_reasoning()->set_text(std::move(rest));
      }
      if (!signature_.empty()) {
        has_reasoning_ = true;
        v1::ReasoningPart* part = out->add_parts()->mutable_reasoning();
        part->set_signature(signature_);
        part->set_origin(std::string(kOrigin));
      }
      break;
    case Kind::kCall:
    case Kind::kAnswer:
      CloseCall(out);
      break;
    case Kind::kOpaque:
      CloseOpaque(out);
      break;
  }
  closed_ = true;
}

}  // namespace llm::anthropic
