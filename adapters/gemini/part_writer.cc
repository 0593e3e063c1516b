#include "adapters/gemini/part_writer.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "adapters/gemini/media_writer.h"
#include "adapters/gemini/native_fields.h"
#include "adapters/gemini/tool_results.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

// https://ai.google.dev/gemini-api/docs/thought-signatures, 2026-11-20
constexpr sv kStandIn = "skip_thought_signature_validator";

// {"extra_content":{"google":{"thought_signature":…}}}: how Google's own
// OpenAI endpoint carries it, and so its callers.
std::string CarriedSignature(sv extra_json) {
  if (extra_json.find("thought_signature") == sv::npos) return {};
  const auto doc = JsonDocument::Parse(extra_json);
  if (!doc.ok()) return {};
  return doc->root()
      .Find("extra_content")
      .Find("google")
      .Find("thought_signature")
      .StringOr();
}

// Bytes, as base64 in either alphabet: what else came under that name is none
// of Google's, and refused by each of its models.
bool CanBeSignature(sv text) {
  std::string bytes;
  return absl::Base64Unescape(ToAbsl(text), &bytes) ||
         absl::WebSafeBase64Unescape(ToAbsl(text), &bytes);
}

// What the decoder notes beside a part that has no field for it.
JsonValue GoogleNote(const JsonDocument& extra) {
  return extra.root().Find("google");
}

}  // namespace

void NamePartExtra(sv extra_json, Rendering& to) {
  if (extra_json.empty()) return;
  const auto extra = JsonDocument::Parse(extra_json);
  if (!extra.ok()) return;
  for (JsonValue v = extra->root().First(); v; v = v.Next()) {
    if (!v.is_null()) to.dropped.Add("messages.content." + v.Key());
  }
}

void SignWithStandIn(WrittenPart& part) {
  part.json += ",\"thoughtSignature\":" + JsonQuote(kStandIn);
  part.signed_part = true;
}

// Where the maker is known, it decides alone.
bool PartWriter::Takes(std::string_view signature, std::string_view origin,
                       std::string_view origin_model) const {
  return to_.TakesSignature(origin, origin_model) &&
         (!origin_model.empty() || CanBeSignature(signature));
}

void PartWriter::Sign(std::string_view signature, WrittenPart& out) {
  out.json += ",\"thoughtSignature\":" + JsonQuote(signature);
  out.signed_part = true;
}

WrittenPart PartWriter::Text(std::string_view text) {
  WrittenPart out;
  if (!text.empty()) out.json = "{\"text\":" + JsonQuote(text);
  return out;
}

WrittenPart PartWriter::WriteText(const v1::TextPart& text) {
  WrittenPart out = Text(text.text());
  if (text.signature().empty()) return out;
  if (!Takes(text.signature(), text.signature_origin(), text.origin_model())) {
    to_.NameProof("messages.content.signature");
    return out;
  }
  if (out.json.empty()) out.json = "{\"text\":\"\"";
  Sign(text.signature(), out);
  return out;
}

// Thoughts without a signature say nothing to the model that had them; they
// are left out without a word, since callers send back what they were given.
WrittenPart PartWriter::WriteReasoning(const v1::ReasoningPart& reasoning) {
  WrittenPart out;
  const bool redacted = !reasoning.redacted_data().empty();
  if (reasoning.signature().empty() && !redacted) return out;
  const std::string& signature =
      redacted ? reasoning.redacted_data() : reasoning.signature();
  if (!Takes(signature, reasoning.origin(), reasoning.origin_model())) {
    to_.NameProof("messages.reasoning");
    return out;
  }
  out.json = "{\"text\":" + JsonQuote(reasoning.text());
  if (!redacted) out.json += ",\"thought\":true";
  Sign(signature, out);
  return out;
}

// Copied as the caller wrote them; they have to be an object.
std::string PartWriter::Arguments(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == sv::npos) return "{}";
  const auto doc = JsonDocument::Parse(text);
  if (doc.ok() && doc->root().is_object()) return std::string(text);
  if (doc.ok() && doc->root().is_null()) return "{}";
  to_.dropped.Add("messages.tool_calls.function.arguments");
  return "{\"arguments\":" + JsonQuote(text) + "}";
}

WrittenPart PartWriter::Call(std::string_view id, std::string_view name,
                             std::string_view arguments) {
  WrittenPart out;
  out.call = true;
  out.json = "{\"functionCall\":";
  JsonWriter writer(&out.json);
  writer.BeginObject();
  const std::string sent = SentCallId(id, to_);
  if (!sent.empty()) writer.Member("id", sent);
  writer.Member("name", to_.names.Sent(name));
  writer.MemberRaw("args", arguments);
  writer.EndObject();
  return out;
}

void PartWriter::NameCallExtra(std::string_view extra_json) {
  const auto extra = JsonDocument::Parse(extra_json);
  if (!extra.ok()) return;
  for (JsonValue v = extra->root().First(); v; v = v.Next()) {
    const bool google =
        v.KeyEquals("extra_content") && v.Find("google").is_object();
    if (!google && !v.is_null()) {
      to_.dropped.Add("messages.tool_calls." + v.Key());
    }
  }
}

WrittenPart PartWriter::WriteCall(const v1::ToolCall& call) {
  WrittenPart out;
  if (call.has_custom()) {
    to_.dropped.Add("messages.tool_calls.custom");
    out = Call(call.id(), call.custom().name(),
               "{\"input\":" + JsonQuote(call.custom().input()) + "}");
  } else {
    out = Call(call.id(), call.function().name(),
               Arguments(call.function().arguments()));
  }
  NameCallExtra(call.extra_json());
  const bool carried = call.signature().empty();
  const std::string signature =
      carried ? CarriedSignature(call.extra_json()) : call.signature();
  if (signature.empty()) return out;
  if (Takes(signature, carried ? "gemini" : call.signature_origin(),
            call.origin_model())) {
    Sign(signature, out);
  } else {
    to_.NameProof("messages.tool_calls.signature");
  }
  return out;
}

WrittenPart PartWriter::FunctionCall(std::string_view json) {
  const auto doc = JsonDocument::Parse(json);
  if (!doc.ok()) {
    to_.dropped.Add("messages.function_call");
    return {};
  }
  return Call({}, doc->root().Find("name").StringOr(),
              Arguments(doc->root().Find("arguments").StringOr()));
}

WrittenPart PartWriter::WriteOpaque(const v1::Part& part) {
  WrittenPart out;
  const std::string& json = part.opaque().json();
  const auto doc = JsonDocument::Parse(json);
  const bool ours =
      part.opaque().origin() == "gemini" && doc.ok() && doc->root().is_object();
  if (!ours) {
    const bool details = json.find("\"reasoning_details\"") != sv::npos;
    to_.NameProof(details ? "messages.reasoning_details" : "messages.content");
    return out;
  }
  out.whole = true;
  const auto note = JsonDocument::Parse(part.extra_json());
  const std::string maker =
      note.ok() ? GoogleNote(*note).Find("model").StringOr() : std::string();
  if (maker.empty() || to_.TakesSignature("gemini", maker) ||
      !doc->root().Find("thoughtSignature")) {
    out.json = json;
    return out;
  }
  to_.NameProof("messages.content.signature");
  JsonWriter writer(&out.json);
  writer.BeginObject();
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (!v.KeyEquals("thoughtSignature")) writer.MemberRaw(v.Key(), v.raw());
  }
  writer.EndObject();
  return out;
}

// videoMetadata and mediaResolution go along; what else stood beside the part
// (cache_control) is named.
void PartWriter::WriteModifiers(std::string_view extra_json, WrittenPart& out) {
  const auto extra = JsonDocument::Parse(extra_json);
  if (!extra.ok()) return;
  for (JsonValue v = extra->root().First(); v; v = v.Next()) {
    const std::string name = CamelCase(v.Key());
    if (name == "google") {
      const std::string signature = v.Find("thought_signature").StringOr();
      if (signature.empty() || out.json.empty()) continue;
      if (Takes(signature, "gemini", v.Find("model").StringOr())) {
        Sign(signature, out);
      } else {
        to_.NameProof("messages.content.signature");
      }
    } else if (name == "videoMetadata" || name == "mediaResolution" ||
               name == "partMetadata") {
      if (!out.json.empty()) {
        out.json += "," + JsonQuote(name) + ":" + std::string(v.raw());
      }
    } else if (!v.is_null()) {
      to_.dropped.Add("messages.content." + v.Key());
    }
  }
}

WrittenPart PartWriter::Write(const v1::Part& part) {
  WrittenPart out;
  switch (part.kind_case()) {
    case v1::Part::kText:
      out = WriteText(part.text());
      break;
    case v1::Part::kRefusal:
      out = Text(part.refusal().text());
      break;
    case v1::Part::kReasoning:
      out = WriteReasoning(part.reasoning());
      break;
    case v1::Part::kToolCall:
      out = WriteCall(part.tool_call());
      break;
    case v1::Part::kOpaque:
      return WriteOpaque(part);
    case v1::Part::kMedia: {
      const std::string member = MediaMember(part.media(), to_);
      if (!member.empty()) out.json = "{" + member;
      break;
    }
    default:
      break;
  }
  if (!part.extra_json().empty()) WriteModifiers(part.extra_json(), out);
  return out;
}

}  // namespace llm::gemini
