#include "adapters/gemini/candidate_decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "adapters/core/text.h"
#include "adapters/gemini/call_ids.h"
#include "adapters/gemini/finish_reason.h"
#include "adapters/gemini/logprobs.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr sv kCandidateFields[] = {"content", "index", "finishReason",
                                   "logprobsResult"};
constexpr sv kOrigin = "gemini";

bool IsTrue(JsonValue value) { return value.AsBool().value_or(false); }

v1::MediaPart::Kind KindOf(sv type) {
  if (type.starts_with("image/")) return v1::MediaPart::IMAGE;
  if (type.starts_with("audio/")) return v1::MediaPart::AUDIO;
  if (type.starts_with("video/")) return v1::MediaPart::VIDEO;
  return v1::MediaPart::FILE;
}

// Members of a text part that nobody modelled.
std::string Unmodelled(JsonValue part) {
  ExtraFields extra;
  constexpr sv kKnown[] = {"text", "thought", "thoughtSignature"};
  extra.Note(part, kKnown);
  return extra.Take();
}

// Base64 in either alphabet: the recordings have both.
bool Decode(const std::string& text, std::string* bytes) {
  return absl::Base64Unescape(text, bytes) ||
         absl::WebSafeBase64Unescape(text, bytes);
}

}  // namespace

void CandidateDecoder::AddText(const std::string& text, v1::Message* out) {
  if (text.empty()) return;
  has_answer_ = true;
  characters_ += CountCodePoints(text);
  v1::Part* last = out->parts_size() > 0
                       ? out->mutable_parts(out->parts_size() - 1)
                       : nullptr;
  const bool joins = last != nullptr && last->has_text() &&
                     last->text().signature().empty() &&
                     last->extra_json().empty();
  if (!joins) last = out->add_parts();
  last->mutable_text()->mutable_text()->append(text);
}

void CandidateDecoder::FlushText(v1::Message* out) {
  const std::string thought = reasoning_joiner_.Flush();
  if (!thought.empty()) {
    characters_ += CountCodePoints(thought);
    v1::ReasoningPart* part = out->add_parts()->mutable_reasoning();
    part->set_text(thought);
    part->set_summary(true);
  }
  AddText(text_joiner_.Flush(), out);
}

void CandidateDecoder::PushText(JsonValue part, v1::Message* out) {
  std::string text = part.Find("text").StringOr();
  const std::string signature = part.Find("thoughtSignature").StringOr();
  std::string extra = Unmodelled(part);
  if (IsTrue(part.Find("thought"))) {
    if (text.empty() && signature.empty()) return;
    text = reasoning_joiner_.Push(std::move(text));
    if (!signature.empty()) text += reasoning_joiner_.Flush();
    has_reasoning_ = true;
    if (text.empty() && signature.empty()) return;
    characters_ += CountCodePoints(text);
    v1::Part* to = out->add_parts();
    to->mutable_reasoning()->set_text(std::move(text));
    to->mutable_reasoning()->set_summary(true);
    to->set_extra_json(std::move(extra));
    if (signature.empty()) return;
    to->mutable_reasoning()->set_signature(signature);
    to->mutable_reasoning()->set_origin(std::string(kOrigin));
    to->mutable_reasoning()->set_origin_model(model_);
    return;
  }
  text = text_joiner_.Push(std::move(text));
  if (signature.empty() && extra.empty()) return AddText(text, out);
  text += text_joiner_.Flush();
  if (text.empty() && signature.empty()) return;
  if (!text.empty()) has_answer_ = true;
  characters_ += CountCodePoints(text);
  v1::Part* to = out->add_parts();
  to->mutable_text()->set_text(std::move(text));
  to->set_extra_json(std::move(extra));
  if (signature.empty()) return;
  to->mutable_text()->set_signature(signature);
  to->mutable_text()->set_signature_origin(std::string(kOrigin));
  to->mutable_text()->set_origin_model(model_);
}

// The fragment of the open call at the end of `out`, made where it is not
// there yet.
v1::ToolCall* CandidateDecoder::Fragment(v1::Message* out) {
  v1::Part* last = out->parts_size() > 0
                       ? out->mutable_parts(out->parts_size() - 1)
                       : nullptr;
  const bool same = last != nullptr && last->has_tool_call() &&
                    last->tool_call().index() == calls_ - 1;
  if (same) return last->mutable_tool_call();
  v1::ToolCall* call = out->add_parts()->mutable_tool_call();
  call->set_index(calls_ - 1);
  return call;
}

void CandidateDecoder::EndCall(v1::Message* out) {
  in_call_ = false;
  std::string arguments = whole_args_.empty() ? args_.Json() : whole_args_;
  characters_ += CountCodePoints(arguments);
  v1::ToolCall* call = Fragment(out);
  call->mutable_function()->set_arguments(std::move(arguments));
  SignCall(call);
}

void CandidateDecoder::OpenCall(JsonValue function, v1::Message* out) {
  FlushText(out);
  has_answer_ = true;
  in_call_ = true;
  call_signed_ = false;
  call_signature_.clear();
  args_ = PartialArgs();
  whole_args_.clear();
  ++calls_;
  v1::ToolCall* call = Fragment(out);
  open_id_ = function.Find("id").StringOr();
  std::string id = open_id_;
  // One that came before would make two calls one.
  if (id.empty() || ids_.contains(id)) {
    id = MakeCallId(seed_, static_cast<size_t>(calls_ - 1));
  }
  ids_.insert(id);
  call->set_id(std::move(id));
  call->set_type("function");
  call->mutable_function()->set_name(
      names_.Given(function.Find("name").StringOr()));
}

// Once: who joins fragments appends.
void CandidateDecoder::SignCall(v1::ToolCall* call) {
  if (call_signature_.empty() || call_signed_) return;
  call_signed_ = true;
  call->set_signature(call_signature_);
  call->set_signature_origin(std::string(kOrigin));
  call->set_origin_model(model_);
}

// Whole in one part, or a name and then pieces until one does not go on.
void CandidateDecoder::PushCall(JsonValue part, v1::Message* out) {
  const JsonValue function = part.Find("functionCall");
  const bool named = !function.Find("name").StringOr().empty();
  if (!named && !in_call_) return;
  const bool goes_on =
      in_call_ && !open_id_.empty() && function.Find("id").Equals(open_id_);
  const bool opens = named && !goes_on;
  if (opens) {
    if (in_call_) EndCall(out);
    OpenCall(function, out);
  }
  if (call_signature_.empty()) {
    call_signature_ = part.Find("thoughtSignature").StringOr();
  }
  if (opens) SignCall(Fragment(out));
  const JsonValue args = function.Find("args");
  // Empty ones stand beside pieces, too.
  if (args.is_object() && args.size() > 0) whole_args_ = args.raw();
  args_.Push(function.Find("partialArgs"));
  broken_ = broken_ || args_.broken();
  if (!IsTrue(function.Find("willContinue"))) EndCall(out);
}

// Parts without a field for a signature carry it beside them.
std::string CandidateDecoder::GoogleNote(const std::string& signature) const {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Key("google");
  writer.BeginObject();
  if (!signature.empty()) writer.Member("thought_signature", signature);
  writer.Member("model", model_);
  writer.EndObject();
  writer.EndObject();
  return out;
}

void CandidateDecoder::PushMedia(JsonValue part, v1::Message* out) {
  const JsonValue data = part.Find("inlineData");
  const std::string type = data.Find("mimeType").StringOr();
  std::string bytes;
  if (!Decode(data.Find("data").StringOr(), &bytes)) {
    return PushOpaque(part, out);
  }
  FlushText(out);
  has_answer_ = true;
  v1::Part* to = out->add_parts();
  to->mutable_media()->set_kind(KindOf(type));
  to->mutable_media()->set_mime_type(type);
  to->mutable_media()->set_data(std::move(bytes));
  const std::string signature = part.Find("thoughtSignature").StringOr();
  if (!signature.empty()) to->set_extra_json(GoogleNote(signature));
}

void CandidateDecoder::PushOpaque(JsonValue part, v1::Message* out) {
  FlushText(out);
  has_answer_ = true;
  v1::Part* to = out->add_parts();
  to->mutable_opaque()->set_origin(std::string(kOrigin));
  to->mutable_opaque()->set_json(std::string(part.raw()));
  if (part.Find("thoughtSignature").is_string()) {
    to->set_extra_json(GoogleNote(""));
  }
}

void CandidateDecoder::PushPart(JsonValue part, v1::Message* out) {
  if (!part.is_object()) return;
  if (part.Find("functionCall").is_object()) return PushCall(part, out);
  if (part.Find("text").is_string()) return PushText(part, out);
  const bool thought = IsTrue(part.Find("thought"));
  if (part.Find("inlineData").is_object() && !thought) {
    return PushMedia(part, out);
  }
  bool holds = false;
  for (JsonValue v = part.First(); v; v = v.Next()) {
    holds =
        holds || (!v.KeyEquals("thought") && !v.KeyEquals("thoughtSignature"));
  }
  // A signature alone is that of an empty text.
  if (holds) {
    PushOpaque(part, out);
  } else {
    PushText(part, out);
  }
}

void CandidateDecoder::Push(JsonValue candidate, v1::ChunkChoice* out) {
  const JsonValue parts = candidate.Find("content").Find("parts");
  for (JsonValue v = parts.First(); v; v = v.Next()) {
    PushPart(v, out->mutable_delta());
  }
  std::string logprobs = OpenAiLogprobs(candidate.Find("logprobsResult"));
  if (!logprobs.empty()) out->set_logprobs(std::move(logprobs));
  const std::string word = candidate.Find("finishReason").StringOr();
  if (!word.empty()) finish_word_ = word;
  extra_.Note(candidate, kCandidateFields);
  if (HoldsSomething(*out) && extra_.pending()) {
    out->set_extra_json(extra_.Take());
  }
}

void CandidateDecoder::Block(std::string_view reason) {
  blocked_ = true;
  finish_word_ = std::string(reason);
}

void CandidateDecoder::Close(v1::ChunkChoice* out) {
  FlushText(out->mutable_delta());
  if (in_call_) EndCall(out->mutable_delta());
  finish_reason_ = blocked_ ? "content_filter"
                            : std::string(MeaningOfFinish(finish_word_).reason);
  if (finish_reason_ == "stop" && calls_ > 0) finish_reason_ = "tool_calls";
  out->set_finish_reason(finish_reason_);
  out->set_native_finish_reason(finish_word_);
  if (extra_.pending()) {
    // Both halves are objects; a chunk has room for one.
    std::string joined;
    JsonWriter writer(&joined);
    writer.BeginObject();
    if (!out->extra_json().empty()) writer.RawMembers(out->extra_json());
    writer.RawMembers(extra_.Take());
    writer.EndObject();
    out->set_extra_json(std::move(joined));
  }
}

bool HoldsSomething(const v1::ChunkChoice& choice) {
  return choice.delta().parts_size() > 0 || !choice.logprobs().empty() ||
         !choice.finish_reason().empty();
}

bool HoldsContent(const v1::ChunkChoice& choice) {
  for (const v1::Part& part : choice.delta().parts()) {
    if (!part.has_text() || !part.text().text().empty()) return true;
  }
  return false;
}

}  // namespace llm::gemini
