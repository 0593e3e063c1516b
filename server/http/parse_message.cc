#include "server/http/parse_message.h"

#include <algorithm>
#include <string>
#include <utility>

namespace llm::server {
namespace {

using v1::Message;
using v1::Part;
using v1::ReasoningPart;
using v1::ToolCall;

// The members that become parts, held back until their order is made.
struct Draft {
  Message* message;
  JsonValue content;
  JsonValue reasoning_content;
  JsonValue reasoning;
  JsonValue reasoning_details;
  JsonValue opaque_parts;
  JsonValue refusal;
  JsonValue tool_calls;
};

template <JsonValue Draft::*kMember>
absl::Status Hold(const JsonValue& v, const JsonPath&, Draft* draft) {
  draft->*kMember = v;
  return absl::OkStatus();
}

template <auto kMutable>
absl::Status Text(const JsonValue& v, const JsonPath& path, Draft* draft) {
  return ReadString<kMutable, Message>(v, path, draft->message);
}

template <auto kMutable>
absl::Status Raw(const JsonValue& v, const JsonPath& path, Draft* draft) {
  return ReadRaw<kMutable, Message>(v, path, draft->message);
}

// `reasoning` and `reasoning_content` are two vendors' names of one thing
// (providers' pages, 2026-11).
constexpr JsonField<Draft> kMessageFields[] = {
    {"role", Text<&Message::mutable_role>},
    {"content", Hold<&Draft::content>},
    {"name", Text<&Message::mutable_name>},
    {"tool_call_id", Text<&Message::mutable_tool_call_id>},
    {"tool_calls", Hold<&Draft::tool_calls>},
    {"refusal", Hold<&Draft::refusal>},
    {"reasoning_content", Hold<&Draft::reasoning_content>},
    {"reasoning", Hold<&Draft::reasoning>},
    {"opaque_parts", Hold<&Draft::opaque_parts>},
    {"audio", Raw<&Message::mutable_audio>},
    {"annotations", Raw<&Message::mutable_annotations>},
    {"function_call", Raw<&Message::mutable_function_call>},
};

// --- tool calls

absl::Status ReadArguments(const JsonValue& v, const JsonPath&,
                           v1::FunctionCall* out) {
  // Text by contract; some callers send the object itself.
  out->set_arguments(v.is_string() ? v.StringOr() : std::string(v.raw()));
  return absl::OkStatus();
}

constexpr JsonField<v1::FunctionCall> kFunctionFields[] = {
    {"name", ReadString<&v1::FunctionCall::mutable_name, v1::FunctionCall>},
    {"arguments", ReadArguments},
};
constexpr JsonField<v1::CustomCall> kCustomFields[] = {
    {"name", ReadString<&v1::CustomCall::mutable_name, v1::CustomCall>},
    {"input", ReadString<&v1::CustomCall::mutable_input, v1::CustomCall>},
};

absl::Status ReadFunction(const JsonValue& v, const JsonPath& path,
                          ToolCall* out) {
  return ReadFields<v1::FunctionCall>(v, path, kFunctionFields,
                                      out->mutable_function(), nullptr);
}

absl::Status ReadCustom(const JsonValue& v, const JsonPath& path,
                        ToolCall* out) {
  return ReadFields<v1::CustomCall>(v, path, kCustomFields,
                                    out->mutable_custom(), nullptr);
}

// The position in the array is what counts.
absl::Status IgnoreIndex(const JsonValue&, const JsonPath&, ToolCall*) {
  return absl::OkStatus();
}

constexpr JsonField<ToolCall> kCallFields[] = {
    {"id", ReadString<&ToolCall::mutable_id, ToolCall>},
    {"type", ReadString<&ToolCall::mutable_type, ToolCall>},
    {"index", IgnoreIndex},
    {"function", ReadFunction},
    {"custom", ReadCustom},
};

// A signature as render_message.cc writes it, or as Google's own endpoint
// does. Only what is marked as ours is taken out: the rest is the provider's.
void TakeSignature(const JsonValue& call, ToolCall* out) {
  const JsonValue content = call.Find("extra_content");
  const JsonValue proof = content.Find("google").Find("thought_signature");
  if (!proof.is_string()) return;
  const JsonValue ours = content.Find("llm_service");
  out->set_signature(proof.StringOr());
  out->set_signature_origin(ours.Find("origin").StringOr("gemini"));
  out->set_origin_model(ours.Find("model").StringOr());
  if (!ours) return;
  const std::string all = std::move(*out->mutable_extra_json());
  std::string others;
  ExtraMembers members(&others);
  const auto doc = JsonDocument::Parse(all);
  const JsonValue root = doc.ok() ? doc->root() : JsonValue();
  for (JsonValue v = root.First(); v; v = v.Next()) {
    if (!v.KeyEquals("extra_content")) members.Add(v);
  }
  members.Finish();
  out->set_extra_json(std::move(others));
}

absl::Status AddToolCalls(const JsonValue& json, const JsonPath& path,
                          Message* out) {
  if (!json.is_array()) return BadField(path, "must be an array");
  int index = 0;
  for (JsonValue v = json.First(); v; v = v.Next(), ++index) {
    const JsonPath here(path, index);
    ToolCall* call = out->add_parts()->mutable_tool_call();
    call->set_index(index);
    LLM_RETURN_IF_ERROR(ReadFields<ToolCall>(v, here, kCallFields, call,
                                             call->mutable_extra_json()));
    TakeSignature(v, call);
    if (call->type().empty()) {
      call->set_type(call->has_custom() ? "custom" : "function");
    }
    if (call->type() == "function" && !call->has_function()) {
      return BadField(JsonPath(here, "function"), "is missing");
    }
  }
  return absl::OkStatus();
}

// --- reasoning

// The dialect behind OpenRouter's `format` ("anthropic-claude-v1",
// "google-gemini-v1", "openai-responses-v1"; openrouter.ai/docs/
// reasoning-tokens, 2026-11).
std::string_view OriginOfFormat(std::string_view format) {
  if (format.starts_with("anthropic")) return "anthropic";
  if (format.starts_with("google")) return "gemini";
  return "openai";
}

bool FillReasoning(const JsonValue& detail, ReasoningPart* out) {
  const JsonValue type = detail.Find("type");
  if (type.Equals("reasoning.text")) {
    out->set_text(detail.Find("text").StringOr());
    out->set_signature(detail.Find("signature").StringOr());
  } else if (type.Equals("reasoning.summary")) {
    out->set_text(detail.Find("summary").StringOr());
    out->set_summary(true);
  } else if (type.Equals("reasoning.encrypted")) {
    out->set_redacted_data(detail.Find("data").StringOr());
  } else {
    return false;
  }
  if (!out->signature().empty() || !out->redacted_data().empty()) {
    out->set_origin(
        std::string(OriginOfFormat(detail.Find("format").StringOr())));
    out->set_origin_model(detail.Find("model").StringOr());
  }
  return true;
}

bool AddReasoningDetails(const JsonValue& details, Message* out) {
  bool text = false;
  for (JsonValue v = details.First(); v; v = v.Next()) {
    Part part;
    if (!FillReasoning(v, part.mutable_reasoning())) continue;
    text = text || !part.reasoning().text().empty();
    *out->add_parts() = std::move(part);
  }
  return text;
}

// Streams bring the signature of a block of reasoning without its text, which
// came before it. One signature proves the whole text; of several nobody knows
// which piece each proves, and a wrong proof is refused.
bool JoinText(std::string text, Message* out) {
  ReasoningPart* proof = nullptr;
  int proofs = 0;
  for (Part& part : *out->mutable_parts()) {
    if (part.reasoning().signature().empty()) continue;
    proof = part.mutable_reasoning();
    ++proofs;
  }
  if (proofs == 1) {
    proof->set_text(std::move(text));
    return true;
  }
  auto& parts = *out->mutable_parts();
  parts.erase(std::remove_if(parts.begin(), parts.end(),
                             [](const Part& part) {
                               return !part.reasoning().signature().empty();
                             }),
              parts.end());
  return false;
}

// Details carry the signatures, so their text is used where they have some;
// the array itself stays in extra_json, since its maker wants it unchanged.
absl::Status AddReasoning(const Draft& draft, const JsonPath& path,
                          Message* out) {
  if (AddReasoningDetails(draft.reasoning_details, out)) {
    return absl::OkStatus();
  }
  const bool first = draft.reasoning_content.has_value();
  const JsonValue& text = first ? draft.reasoning_content : draft.reasoning;
  if (!text.has_value()) return absl::OkStatus();
  if (!text.is_string()) {
    return BadField(JsonPath(path, first ? "reasoning_content" : "reasoning"),
                    "must be a string");
  }
  if (JoinText(text.StringOr(), out)) return absl::OkStatus();
  Part part;
  part.mutable_reasoning()->set_text(text.StringOr());
  *out->add_parts() = std::move(part);
  // In front of signatures and redacted data: text comes first.
  const int last = out->parts_size() - 1;
  for (int i = last; i > 0; --i) out->mutable_parts()->SwapElements(i, i - 1);
  return absl::OkStatus();
}

// Before the text: where they stood in it the flat fields cannot say.
absl::Status AddOpaque(const JsonValue& list, const JsonPath& path,
                       Message* out) {
  if (!list.has_value()) return absl::OkStatus();
  if (!list.is_array()) return BadField(path, "must be an array");
  int index = 0;
  for (JsonValue v = list.First(); v; v = v.Next(), ++index) {
    const JsonPath here(path, index);
    if (!v.Find("origin").is_string() || !v.Find("part").is_object()) {
      return BadField(here, "must have an origin and a part");
    }
    v1::Part& added = *out->add_parts();
    v1::OpaquePart* part = added.mutable_opaque();
    part->set_origin(v.Find("origin").StringOr());
    part->mutable_json()->assign(v.Find("part").raw());
    if (v.Find("extra").is_object()) {
      added.mutable_extra_json()->assign(v.Find("extra").raw());
    }
  }
  return absl::OkStatus();
}

absl::Status AddContent(const JsonValue& json, const JsonPath& path,
                        Message* out) {
  if (!json.has_value()) return absl::OkStatus();
  if (json.is_string()) {
    out->add_parts()->mutable_text()->set_text(json.StringOr());
    return absl::OkStatus();
  }
  if (!json.is_array()) {
    return BadField(path, "must be a string, an array of parts or null");
  }
  int index = 0;
  for (JsonValue v = json.First(); v; v = v.Next(), ++index) {
    LLM_RETURN_IF_ERROR(
        ParseContentPart(v, JsonPath(path, index), out->add_parts()));
  }
  return absl::OkStatus();
}

absl::Status AddParts(const Draft& draft, const JsonPath& path, Message* out) {
  LLM_RETURN_IF_ERROR(AddReasoning(draft, path, out));
  LLM_RETURN_IF_ERROR(
      AddOpaque(draft.opaque_parts, JsonPath(path, "opaque_parts"), out));
  LLM_RETURN_IF_ERROR(
      AddContent(draft.content, JsonPath(path, "content"), out));
  if (draft.refusal.has_value()) {
    if (!draft.refusal.is_string()) {
      return BadField(JsonPath(path, "refusal"), "must be a string");
    }
    out->add_parts()->mutable_refusal()->set_text(draft.refusal.StringOr());
  }
  if (!draft.tool_calls.has_value()) return absl::OkStatus();
  return AddToolCalls(draft.tool_calls, JsonPath(path, "tool_calls"), out);
}

}  // namespace

absl::Status ParseMessage(const JsonValue& json, const JsonPath& path,
                          v1::Message* out) {
  Draft draft{out, {}, {}, {}, {}, {}, {}, {}};
  LLM_RETURN_IF_ERROR(ReadFields<Draft>(json, path, kMessageFields, &draft,
                                        out->mutable_extra_json()));
  if (out->role().empty())
    return BadField(JsonPath(path, "role"), "is missing");
  draft.reasoning_details = json.Find("reasoning_details");
  return AddParts(draft, path, out);
}

}  // namespace llm::server
