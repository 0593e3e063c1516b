#include "adapters/openai/message_writer.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "adapters/openai/content_writer.h"
#include "adapters/openai/message_source.h"

namespace llm::openai {
namespace {

std::string JoinReasoning(const v1::Message& message) {
  std::string text;
  for (const v1::Part& part : message.parts()) {
    if (part.has_reasoning()) text += part.reasoning().text();
  }
  return text;
}

bool HasToolCalls(const v1::Message& message) {
  for (const v1::Part& part : message.parts()) {
    if (part.has_tool_call()) return true;
  }
  return false;
}

bool HasReasoningPart(const v1::Message& message) {
  for (const v1::Part& part : message.parts()) {
    if (part.has_reasoning()) return true;
  }
  return false;
}

bool SaysNothing(const v1::Message& message) {
  return message.audio().empty() && message.function_call().empty() &&
         std::all_of(message.parts().begin(), message.parts().end(),
                     [](const v1::Part& part) { return part.has_reasoning(); });
}

bool HasFile(const v1::Message& message) {
  for (const v1::Part& part : message.parts()) {
    if (part.media().kind() == v1::MediaPart::FILE) return true;
  }
  return false;
}

bool HasReasoning(const v1::Message& message) {
  if (HasReasoningPart(message)) return true;
  return message.extra_json().find("\"reasoning_details\"") !=
         std::string::npos;
}

// Members that this service put into an answer for its caller to bring back:
// they are for the maker of what they hold, and for nobody else.
bool HasOurMembers(const v1::Message& message, std::string_view source) {
  for (const v1::Part& part : message.parts()) {
    if (part.has_opaque() &&
        source.find("\"opaque_parts\"") != std::string_view::npos) {
      return true;
    }
    const v1::ToolCall& call = part.tool_call();
    const bool own =
        call.extra_json().find("thought_signature") != std::string::npos;
    if (!call.signature().empty() && !own) return true;
  }
  return false;
}

}  // namespace

std::string ShortCallId(std::string_view id) {
  // One that fits already is the vendor's own.
  const bool fits =
      id.size() == 9 && std::all_of(id.begin(), id.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c));
      });
  if (fits) return std::string(id);
  static constexpr char kAlphabet[] =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : id) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  std::string out;
  for (int i = 0; i < 9; ++i) {
    out += kAlphabet[hash % 62];
    hash /= 62;
  }
  return out;
}

std::string MessageWriter::CallId(const std::string& id) const {
  return setting_.profile.short_call_ids ? ShortCallId(id) : id;
}

bool MessageWriter::Ours(const v1::OpaquePart& part) const {
  return part.origin() == setting_.provider ||
         (IsContentPart(part.json()) && part.origin() == "openai");
}

bool MessageWriter::HasOwnDetails(const v1::Message& message) const {
  if (message.extra_json().find("\"reasoning_details\"") != std::string::npos) {
    return true;
  }
  return std::any_of(message.parts().begin(), message.parts().end(),
                     [this](const v1::Part& part) {
                       return part.has_opaque() && Ours(part.opaque()) &&
                              !IsContentPart(part.opaque().json());
                     });
}

bool MessageWriter::HasForeignPart(const v1::Message& message) const {
  for (const v1::Part& part : message.parts()) {
    if (part.has_opaque() && !Ours(part.opaque())) return true;
  }
  return false;
}

bool MessageWriter::NeedsReasoningChange(const v1::Message& message) const {
  switch (setting_.replay) {
    case ReasoningReplay::kForward:
      return false;
    case ReasoningReplay::kEcho:
      if (HasToolCalls(message)) return true;
      break;
    case ReasoningReplay::kDetails:
    case ReasoningReplay::kDetailsOrTags:
      // What is kept in reasoning_details may stay as it is.
      return HasReasoningPart(message);
    case ReasoningReplay::kStrip:
    case ReasoningReplay::kThinkTags:
      break;
  }
  return HasReasoning(message);
}

bool MessageWriter::MayCopy(const v1::Message& message,
                            std::string_view source) const {
  const Profile& profile = setting_.profile;
  if (source.empty()) return false;
  if (!profile.developer_role && message.role() == "developer") return false;
  if (!profile.message_names && !message.name().empty()) return false;
  if (profile.short_call_ids &&
      (HasToolCalls(message) || !message.tool_call_id().empty())) {
    return false;
  }
  if (profile.flatten_text && ContentIsArray(source)) return false;
  if (profile.document_urls && HasFile(message)) return false;
  if (message.role() == "assistant" &&
      (profile.plain_messages || &message == prefill_)) {
    return false;
  }
  return !HasOurMembers(message, source) &&
         (AsSent() || !HasForeignPart(message));
}

void MessageWriter::WriteOrCopy(const v1::Message& message,
                                std::string_view source) {
  if (!MayCopy(message, source)) return Write(message);
  if (AsSent() || !NeedsReasoningChange(message)) return out_.Raw(source);
  // Without its reasoning it says nothing, and needs an empty content.
  if (SaysNothing(message)) return Write(message);
  switch (setting_.replay) {
    case ReasoningReplay::kStrip:
      return out_.Raw(WithoutReasoning(source));
    case ReasoningReplay::kEcho:
      if (!restored_ && HasReasoningContent(source)) return out_.Raw(source);
      break;
    default:
      break;
  }
  Write(message);
}

void MessageWriter::WriteAll(const ChatRequest& request) {
  const RequestSource& source = request.source;
  const int count = request.message.messages_size();
  const bool spans = source.dialect == "openai" &&
                     source.messages.size() == static_cast<size_t>(count);
  if (!setting_.profile.prefill_flag.empty() && count > 0) {
    const v1::Message& last = request.message.messages(count - 1);
    if (last.role() == "assistant" && !HasToolCalls(last)) prefill_ = &last;
  }
  for (int i = 0; i < count; ++i) {
    const v1::Message& message = request.message.messages(i);
    const std::string_view text =
        spans ? source.View(source.messages[static_cast<size_t>(i)])
              : std::string_view();
    restored_ = request.IsRestored(i);
    WriteOrCopy(message, text);
  }
}

void MessageWriter::Write(const v1::Message& message) {
  const bool system =
      message.role() == "developer" && !setting_.profile.developer_role;
  out_.BeginObject();
  out_.Member("role", system ? "system" : message.role());
  WriteName(message);
  WriteContent(message);
  WriteReasoning(message);
  WriteToolCalls(message);
  if (!message.tool_call_id().empty()) {
    out_.Member("tool_call_id", CallId(message.tool_call_id()));
  }
  if (!setting_.profile.plain_messages) WriteOddMembers(message);
  WriteExtra(message);
  if (&message == prefill_) {
    const auto extra = JsonDocument::Parse(message.extra_json());
    const std::string_view flag = setting_.profile.prefill_flag;
    if (!extra.ok() || !extra->root().Find(flag)) {
      out_.Key(flag);
      out_.Bool(true);
    }
  }
  out_.EndObject();
}

void MessageWriter::WriteName(const v1::Message& message) {
  const bool result = message.role() == "tool";
  if (result && setting_.profile.named_results) {
    const auto known = call_names_.find(message.tool_call_id());
    if (known != call_names_.end()) return out_.Member("name", known->second);
  }
  if (!message.name().empty()) {
    if (setting_.profile.message_names) {
      out_.Member("name", message.name());
    } else {
      dropped_.Add("messages.name");
    }
  }
}

void MessageWriter::WriteOddMembers(const v1::Message& message) {
  if (!message.audio().empty()) {
    out_.MemberRaw("audio", message.audio());
  }
  if (!message.annotations().empty()) {
    out_.MemberRaw("annotations", message.annotations());
  }
  if (!message.function_call().empty()) {
    out_.MemberRaw("function_call", message.function_call());
  }
}

void MessageWriter::WriteContent(const v1::Message& message) {
  std::string prefix;
  if (setting_.replay == ReasoningReplay::kThinkTags ||
      (setting_.replay == ReasoningReplay::kDetailsOrTags &&
       !HasOwnDetails(message))) {
    const std::string reasoning = JoinReasoning(message);
    if (!reasoning.empty()) prefix = "<think>" + reasoning + "</think>\n\n";
  }
  std::vector<const v1::Part*> parts;
  // Where a refusal has no field of its own it is what was said.
  const bool plain = setting_.profile.plain_messages;
  v1::Part said;
  std::string refusal;
  for (const v1::Part& part : message.parts()) {
    if (part.has_refusal()) refusal += part.refusal().text();
    if (IsContent(part)) parts.push_back(&part);
    if (!part.has_opaque() || !IsContentPart(part.opaque().json())) continue;
    if (Ours(part.opaque())) {
      parts.push_back(&part);
    } else {
      NameDropped("messages.content");
    }
  }
  if (plain && !refusal.empty() && parts.empty()) {
    said.mutable_text()->set_text(refusal);
    parts.push_back(&said);
  }
  std::deque<v1::Part> joined;
  if (message.role() == "assistant") JoinSaid(&parts, &joined);
  const bool without =
      message.role() == "assistant" &&
      (HasToolCalls(message) || !refusal.empty() || !message.audio().empty() ||
       !message.function_call().empty());
  out_.Key("content");
  ContentWriter(setting_.profile, dropped_, out_).Write(parts, prefix, without);
  if (!refusal.empty() && !plain) out_.Member("refusal", refusal);
}

void MessageWriter::WriteReasoning(const v1::Message& message) {
  const ReasoningReplay replay = setting_.replay;
  const bool echo = replay == ReasoningReplay::kEcho;
  const bool forward = replay == ReasoningReplay::kForward && !AsSent();
  if (message.role() != "assistant" || (!forward && !echo)) return;
  const std::string reasoning = JoinReasoning(message);
  // DeepSeek refuses tool turns without the field; an empty one passes
  // (api-docs.deepseek.com/guides/thinking_mode, 2026-11-20).
  if (!reasoning.empty() || (echo && HasToolCalls(message))) {
    out_.Member("reasoning_content", reasoning);
  }
}

void MessageWriter::WriteToolCalls(const v1::Message& message) {
  if (!HasToolCalls(message)) return;
  out_.Key("tool_calls");
  out_.BeginArray();
  for (const v1::Part& part : message.parts()) {
    if (part.has_tool_call()) WriteToolCall(part.tool_call());
  }
  out_.EndArray();
}

void MessageWriter::WriteToolCall(const v1::ToolCall& call) {
  if (setting_.profile.named_results) {
    call_names_[call.id()] = call.function().name();
  }
  const bool custom = call.type() == "custom" || call.has_custom();
  out_.BeginObject();
  out_.Member("id", CallId(call.id()));
  out_.Member("type", custom ? "custom" : "function");
  out_.Key(custom ? "custom" : "function");
  out_.BeginObject();
  if (custom) {
    out_.Member("name", call.custom().name());
    out_.Member("input", call.custom().input());
  } else {
    out_.Member("name", call.function().name());
    // Text by contract; empty means no arguments, and some servers parse it.
    const std::string& arguments = call.function().arguments();
    out_.Member("arguments", arguments.empty() ? "{}" : arguments);
  }
  out_.EndObject();
  if (!call.extra_json().empty() && !setting_.profile.plain_messages) {
    out_.RawMembers(call.extra_json());
  }
  out_.EndObject();
  const bool carried =
      call.extra_json().find("thought_signature") != std::string::npos;
  if (!call.signature().empty() && !carried &&
      call.signature_origin() != "openai") {
    NameDropped("messages.tool_calls.signature");
  }
}

void MessageWriter::WriteExtra(const v1::Message& message) {
  const bool strip = setting_.replay != ReasoningReplay::kForward &&
                     setting_.replay != ReasoningReplay::kDetails &&
                     setting_.replay != ReasoningReplay::kDetailsOrTags;
  bool details = false;
  if (auto extra = JsonDocument::Parse(message.extra_json()); extra.ok()) {
    const JsonValue root = extra->root();
    for (JsonValue v = root.First(); v; v = v.Next()) {
      const bool is_details = v.KeyEquals("reasoning_details");
      if (is_details && strip) continue;
      if (setting_.profile.plain_messages &&
          !v.KeyEquals(setting_.profile.prefill_flag)) {
        if (!v.is_null()) dropped_.Add("messages." + v.Key());
        continue;
      }
      details = details || is_details;
      out_.MemberRaw(v.Key(), v.raw());
    }
  }
  // Message members that only their maker understands; fragments of a stream
  // come as several lists, which are one.
  std::string joined;
  for (const v1::Part& part : message.parts()) {
    // One of no maker came with a message that its caller changed.
    const bool nobodys = strip && part.reasoning().origin().empty();
    if (part.has_reasoning() && !part.reasoning().redacted_data().empty() &&
        (nobodys || (!details && !strip))) {
      NameDropped("messages.reasoning");
    }
    if (!part.has_opaque() || IsContentPart(part.opaque().json())) continue;
    if (!Ours(part.opaque())) {
      NameDropped("messages.reasoning_details");
    } else if (!details && !strip) {
      AppendListMember(part.opaque().json(), "reasoning_details", &joined);
    }
  }
  if (!joined.empty()) {
    out_.MemberRaw("reasoning_details", "[" + joined + "]");
  }
}

}  // namespace llm::openai
