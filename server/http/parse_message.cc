#include "server/http/parse_message.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/http/flat_place.h"

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

  const JsonValue& Reasoning() const {
    return reasoning_content.has_value() ? reasoning_content : reasoning;
  }
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

absl::Status ReadToolCalls(const JsonValue& json, const JsonPath& path,
                           std::vector<Part>* out) {
  if (!json.has_value()) return absl::OkStatus();
  if (!json.is_array()) return BadField(path, "must be an array");
  int index = 0;
  for (JsonValue v = json.First(); v; v = v.Next(), ++index) {
    const JsonPath here(path, index);
    ToolCall* call = out->emplace_back().mutable_tool_call();
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

std::vector<PlacedPart> ReadDetails(const JsonValue& details) {
  std::vector<PlacedPart> out;
  for (JsonValue v = details.First(); v; v = v.Next()) {
    PlacedPart one{{}, ReadPlace(v)};
    if (!FillReasoning(v, one.part.mutable_reasoning())) continue;
    out.push_back(std::move(one));
  }
  return out;
}

bool IsSigned(const PlacedPart& one) {
  return !one.part.reasoning().signature().empty();
}

// Streams bring the signature of a block of reasoning without its text, which
// came before it. Where the places do not tell, one signature proves the whole
// text; of several nobody knows which piece each proves, and a wrong proof is
// refused. They become proofs of no maker, which every dialect leaves out and
// names [TRN-6].
bool JoinText(std::string_view text, std::vector<PlacedPart>& details) {
  if (std::count_if(details.begin(), details.end(), IsSigned) == 1) {
    std::find_if(details.begin(), details.end(), IsSigned)
        ->part.mutable_reasoning()
        ->mutable_text()
        ->assign(text);
    return true;
  }
  for (PlacedPart& one : details) {
    if (!IsSigned(one)) continue;
    ReasoningPart& proof = *one.part.mutable_reasoning();
    proof.set_redacted_data(std::move(*proof.mutable_signature()));
    proof.clear_signature();
    proof.clear_origin();
    proof.clear_origin_model();
  }
  return false;
}

// Details carry the signatures, so their text is used where they have some;
// the array itself stays in extra_json, since its maker wants it unchanged.
void AddReasoning(const Draft& draft, std::vector<PlacedPart>& details,
                  Message* out) {
  const JsonValue& text = draft.Reasoning();
  const bool has_text =
      std::any_of(details.begin(), details.end(), [](const PlacedPart& one) {
        return !one.part.reasoning().text().empty();
      });
  if (text.has_value() && !has_text && !JoinText(text.StringOr(), details)) {
    // In front of signatures and redacted data: text comes first.
    out->add_parts()->mutable_reasoning()->set_text(text.StringOr());
  }
  for (PlacedPart& one : details) *out->add_parts() = std::move(one.part);
}

absl::Status ReadOpaque(const JsonValue& list, const JsonPath& path,
                        std::vector<PlacedPart>* out) {
  if (!list.has_value()) return absl::OkStatus();
  if (!list.is_array()) return BadField(path, "must be an array");
  int index = 0;
  for (JsonValue v = list.First(); v; v = v.Next(), ++index) {
    const JsonPath here(path, index);
    if (!v.Find("origin").is_string() || !v.Find("part").is_object()) {
      return BadField(here, "must have an origin and a part");
    }
    PlacedPart& added = out->emplace_back(PlacedPart{{}, ReadPlace(v)});
    v1::OpaquePart* part = added.part.mutable_opaque();
    part->set_origin(v.Find("origin").StringOr());
    part->mutable_json()->assign(v.Find("part").raw());
    if (v.Find("extra").is_object()) {
      added.part.mutable_extra_json()->assign(v.Find("extra").raw());
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

absl::Status AddRefusal(const JsonValue& json, const JsonPath& path,
                        Message* out) {
  if (!json.has_value()) return absl::OkStatus();
  if (!json.is_string()) return BadField(path, "must be a string");
  out->add_parts()->mutable_refusal()->set_text(json.StringOr());
  return absl::OkStatus();
}

// The parts whose places are known among the text and calls around them.
bool AddPlaced(const Draft& draft, const std::vector<PlacedPart>& details,
               const std::vector<PlacedPart>& opaque, std::vector<Part>* calls,
               Message* out) {
  const bool flat = !draft.content.has_value() || draft.content.is_string();
  const auto has_place = [](const PlacedPart& one) {
    return one.at.has_value();
  };
  // Looked at before anything is copied: other services' details have none.
  if (!flat || (details.empty() && opaque.empty()) ||
      !std::all_of(details.begin(), details.end(), has_place) ||
      !std::all_of(opaque.begin(), opaque.end(), has_place)) {
    return false;
  }
  std::vector<PlacedPart> placed = details;
  placed.insert(placed.end(), opaque.begin(), opaque.end());
  FlatFields fields{draft.content.StringOr(), draft.Reasoning().StringOr(),
                    std::move(*calls)};
  const bool added = AddInPlace(fields, std::move(placed), out);
  *calls = std::move(fields.calls);
  return added;
}

absl::Status AddParts(const Draft& draft, const JsonPath& path, Message* out) {
  const JsonValue& reasoning = draft.Reasoning();
  if (reasoning.has_value() && !reasoning.is_string()) {
    return BadField(
        JsonPath(path, draft.reasoning_content.has_value() ? "reasoning_content"
                                                           : "reasoning"),
        "must be a string");
  }
  std::vector<PlacedPart> details = ReadDetails(draft.reasoning_details);
  std::vector<PlacedPart> opaque;
  LLM_RETURN_IF_ERROR(
      ReadOpaque(draft.opaque_parts, JsonPath(path, "opaque_parts"), &opaque));
  std::vector<Part> calls;
  LLM_RETURN_IF_ERROR(
      ReadToolCalls(draft.tool_calls, JsonPath(path, "tool_calls"), &calls));
  if (!AddPlaced(draft, details, opaque, &calls, out)) {
    AddReasoning(draft, details, out);
    for (PlacedPart& one : opaque) *out->add_parts() = std::move(one.part);
    LLM_RETURN_IF_ERROR(
        AddContent(draft.content, JsonPath(path, "content"), out));
  }
  LLM_RETURN_IF_ERROR(
      AddRefusal(draft.refusal, JsonPath(path, "refusal"), out));
  for (Part& call : calls) *out->add_parts() = std::move(call);
  return absl::OkStatus();
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
