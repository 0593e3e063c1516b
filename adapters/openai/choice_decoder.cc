#include "adapters/openai/choice_decoder.h"

#include <utility>

#include "adapters/openai/finish_reason.h"

namespace llm::openai {
namespace {

constexpr std::string_view kChoiceFields[] = {
    "index", "delta", "message", "finish_reason",       "logprobs",
    "usage", "text",  "error",   "native_finish_reason"};
constexpr std::string_view kMessageFields[] = {
    "role",        "content",       "reasoning", "reasoning_content",
    "refusal",     "tool_calls",    "audio",     "reasoning_details",
    "annotations", "function_call", "index",     "name"};

// Blocks hold a string, or a list of blocks (Mistral's thinking).
std::string BlockText(JsonValue value) {
  if (value.is_string()) return value.StringOr();
  std::string text;
  if (!value.is_array()) return text;
  for (JsonValue v = value.First(); v; v = v.Next()) {
    text += v.Find("text").StringOr();
  }
  return text;
}

// An object some of whose members say something: zeros, nulls and empty
// strings are a server's way of writing "none".
bool SaysSomething(JsonValue object) {
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (v.is_string() ? !v.Equals("")
                      : (v.is_array() || v.is_object()) && v.size() > 0) {
      return true;
    }
  }
  return false;
}

v1::Part* PartOfKind(v1::Message* out, v1::Part::KindCase kind) {
  if (out->parts_size() > 0) {
    v1::Part* last = out->mutable_parts(out->parts_size() - 1);
    if (last->kind_case() == kind && last->extra_json().empty()) return last;
  }
  return out->add_parts();
}

}  // namespace

void ChoiceDecoder::AddReasoning(std::string text, v1::Message* out) {
  if (text.empty()) return;
  has_reasoning_ = true;
  characters_ += CountCodePoints(text);
  PartOfKind(out, v1::Part::kReasoning)
      ->mutable_reasoning()
      ->mutable_text()
      ->append(text);
}

void ChoiceDecoder::AddText(std::string text, v1::Message* out) {
  if (text.empty()) return;
  has_answer_ = true;
  characters_ += CountCodePoints(text);
  PartOfKind(out, v1::Part::kText)
      ->mutable_text()
      ->mutable_text()
      ->append(text);
}

void ChoiceDecoder::AddRefusal(std::string text, v1::Message* out) {
  if (text.empty()) return;
  has_answer_ = true;
  characters_ += CountCodePoints(text);
  PartOfKind(out, v1::Part::kRefusal)
      ->mutable_refusal()
      ->mutable_text()
      ->append(text);
}

void ChoiceDecoder::AddOpaque(std::string json, v1::Message* out) {
  v1::OpaquePart* part = out->add_parts()->mutable_opaque();
  part->set_origin(origin_);
  part->set_json(std::move(json));
}

void ChoiceDecoder::PushReasoning(JsonValue message, v1::Message* out) {
  std::string text = message.Find("reasoning_content").StringOr();
  if (text.empty()) text = message.Find("reasoning").StringOr();
  ReasoningDetails::Step details =
      details_.Push(message.Find("reasoning_details"));
  if (text.empty()) text = std::move(details.text);
  AddReasoning(reasoning_joiner_.Push(std::move(text)), out);
  if (!details.list.empty()) {
    std::string json = "{\"reasoning_details\":";
    json += details.list;
    json += '}';
    AddOpaque(std::move(json), out);
  }
}

void ChoiceDecoder::PushContentPart(JsonValue part, v1::Message* out) {
  const std::string type = part.Find("type").StringOr();
  if (type == "text" || type == "output_text") {
    PushContent(part.Find("text"), out);
  } else if (type == "thinking" || type == "reasoning") {
    const JsonValue named = part.Find(type);
    AddReasoning(reasoning_joiner_.Push(
                     BlockText(named.has_value() ? named : part.Find("text"))),
                 out);
  } else if (type == "refusal") {
    AddRefusal(refusal_joiner_.Push(part.Find("refusal").StringOr()), out);
  } else if (part.is_object()) {
    FlushText(out);
    has_answer_ = true;
    AddOpaque(std::string(part.raw()), out);
  }
}

void ChoiceDecoder::PushContent(JsonValue content, v1::Message* out) {
  if (content.is_array()) {
    for (JsonValue v = content.First(); v; v = v.Next()) {
      if (v.is_string()) {
        PushContent(v, out);
      } else {
        PushContentPart(v, out);
      }
    }
    return;
  }
  if (content.is_object()) return PushContentPart(content, out);
  auto pieces = splitter_.Push(text_joiner_.Push(content.StringOr()));
  AddReasoning(std::move(pieces.reasoning), out);
  AddText(std::move(pieces.text), out);
}

void ChoiceDecoder::FlushText(v1::Message* out) {
  auto pieces = splitter_.Push(text_joiner_.Flush());
  AddReasoning(std::move(pieces.reasoning), out);
  AddText(std::move(pieces.text), out);
  pieces = splitter_.Flush();
  AddReasoning(std::move(pieces.reasoning), out);
  AddText(std::move(pieces.text), out);
}

void ChoiceDecoder::AddFunctionCall(JsonValue call) {
  if (!SaysSomething(call)) return;
  if (function_name_.empty()) function_name_ = call.Find("name").StringOr();
  const JsonValue arguments = call.Find("arguments");
  function_arguments_ += arguments.is_string() ? arguments.StringOr()
                                               : std::string(arguments.raw());
  has_answer_ = true;
}

void ChoiceDecoder::PushRest(JsonValue message, v1::Message* out) {
  const JsonValue calls = message.Find("tool_calls");
  if (calls.size() > 0) {
    FlushText(out);
    calls_.Push(calls, out);
  }
  AddFunctionCall(message.Find("function_call"));
  const JsonValue audio = message.Find("audio");
  if (SaysSomething(audio)) {
    has_answer_ = true;
    characters_ += CountCodePoints(audio.Find("transcript").StringOr());
    out->set_audio(std::string(audio.raw()));
  }
  const JsonValue annotations = message.Find("annotations");
  if (annotations.is_array() && annotations.size() > 0) {
    out->set_annotations(std::string(annotations.raw()));
  }
  // OpenRouter's generated pictures are an answer of their own.
  if (message.Find("images").size() > 0) has_answer_ = true;
  message_extra_.Note(message, kMessageFields);
}

void ChoiceDecoder::PushMessage(JsonValue message, bool repeated,
                                v1::ChunkChoice* out) {
  v1::Message* delta = out->mutable_delta();
  // The closing chunk of some streams repeats the whole message (MiniMax,
  // Perplexity); its text has been passed on already.
  if (!repeated) {
    PushReasoning(message, delta);
    PushContent(message.Find("content"), delta);
    AddRefusal(refusal_joiner_.Push(message.Find("refusal").StringOr()), delta);
    PushRest(message, delta);
  }
}

void ChoiceDecoder::Push(JsonValue choice, v1::ChunkChoice* out) {
  const JsonValue delta = choice.Find("delta");
  const JsonValue message = choice.Find("message");
  const bool repeated = !delta.is_object() && (has_answer() || has_reasoning_);
  PushMessage(delta.is_object() ? delta : message, repeated, out);
  if (!delta && !message) {
    PushContent(choice.Find("text"), out->mutable_delta());
  }
  const JsonValue logprobs = choice.Find("logprobs");
  if (logprobs.is_object() && SaysSomething(logprobs)) {
    out->set_logprobs(std::string(logprobs.raw()));
  }
  choice_extra_.Note(choice, kChoiceFields);
  const std::string word = choice.Find("finish_reason").StringOr();
  if (!word.empty() && finish_word_.empty()) finish_word_ = word;
  const std::string native = choice.Find("native_finish_reason").StringOr();
  if (!native.empty()) out->set_native_finish_reason(native);
  if (HoldsSomething(*out)) {
    out->set_extra_json(choice_extra_.Take());
    out->mutable_delta()->set_extra_json(message_extra_.Take());
  }
}

void ChoiceDecoder::SetFinishReason(v1::ChunkChoice* out) {
  finish_reason_ = std::string(MeaningOfFinish(finish_word_).reason);
  if (finish_reason_ == "stop" || finish_reason_ == "tool_calls") {
    if (calls_.any()) {
      finish_reason_ = "tool_calls";
    } else if (!function_name_.empty()) {
      finish_reason_ = "function_call";
    } else {
      // A call was promised and none came.
      finish_reason_ = "stop";
    }
  }
  out->set_finish_reason(finish_reason_);
  if (out->native_finish_reason().empty()) {
    out->set_native_finish_reason(finish_word_);
  }
  if (out->native_finish_reason() == finish_reason_) {
    out->clear_native_finish_reason();
  }
}

void ChoiceDecoder::Close(v1::ChunkChoice* out) {
  if (closed_) return;
  closed_ = true;
  v1::Message* delta = out->mutable_delta();
  AddReasoning(reasoning_joiner_.Flush(), delta);
  FlushText(delta);
  AddRefusal(refusal_joiner_.Flush(), delta);
  calls_.Close(delta);
  if (!function_name_.empty()) {
    JsonWriter writer(delta->mutable_function_call());
    writer.BeginObject();
    writer.Member("name", function_name_);
    writer.Member("arguments", function_arguments_);
    writer.EndObject();
  }
  SetFinishReason(out);
  if (choice_extra_.pending()) out->set_extra_json(choice_extra_.Take());
  if (message_extra_.pending()) delta->set_extra_json(message_extra_.Take());
}

bool HoldsSomething(const v1::ChunkChoice& choice) {
  return HoldsContent(choice) || choice.delta().parts_size() > 0 ||
         !choice.delta().annotations().empty() || !choice.logprobs().empty() ||
         !choice.finish_reason().empty();
}

bool HoldsContent(const v1::ChunkChoice& choice) {
  const v1::Message& delta = choice.delta();
  if (!delta.audio().empty() || !delta.function_call().empty()) {
    return true;
  }
  for (const v1::Part& part : delta.parts()) {
    if (!part.has_opaque()) return true;
  }
  return false;
}

}  // namespace llm::openai
