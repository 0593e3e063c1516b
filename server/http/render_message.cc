#include "server/http/render_message.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm::server {
namespace {

using v1::Message;
using v1::Part;
using v1::ReasoningPart;
using v1::ToolCall;

// What stands beside the flat fields, and where it stood.
template <typename What>
struct Placed {
  What what;
  FlatPlace at;
};

// The flat view; borrows the message.
struct FlatView {
  std::optional<std::string> content;
  std::optional<std::string> reasoning;
  std::optional<std::string> refusal;
  std::vector<const ToolCall*> calls;
  std::vector<const v1::MediaPart*> media;
  // Reasoning that text alone would lose, and signed text.
  std::vector<Placed<ReasoningPart>> proofs;
  std::vector<Placed<const Part*>> opaque;
};

void Append(std::optional<std::string>* to, std::string_view text) {
  if (!*to) to->emplace();
  (*to)->append(text);
}

void AddText(std::string_view text, FlatView* view, FlatEnd& end) {
  Append(&view->content, text);
  end.AddContent(text);
}

void AddThought(std::string_view text, FlatView* view, FlatEnd& end) {
  Append(&view->reasoning, text);
  end.AddReasoning(text);
}

// The fragments of a stream's call have one index.
void AddCall(const ToolCall& call, MessageForm form, FlatView* view,
             FlatEnd& end) {
  view->calls.push_back(&call);
  if (form == MessageForm::kWhole) {
    end.AddCall();
  } else {
    end.CallsAtLeast(call.index() + 1);
  }
}

// A piece of text that its maker signed: the signature has no place of its own
// in the flat fields, so it goes as data beside the reasoning.
void AddTextProof(const v1::TextPart& text, FlatView* view, FlatEnd& end) {
  if (text.signature().empty()) return;
  ReasoningPart& proof =
      view->proofs.emplace_back(Placed<ReasoningPart>{{}, end.Take()}).what;
  proof.set_redacted_data(text.signature());
  proof.set_origin(text.signature_origin());
  proof.set_origin_model(text.origin_model());
}

void AddPart(const Part& part, MessageForm form, FlatView* view, FlatEnd& end) {
  switch (part.kind_case()) {
    case Part::kText:
      AddText(part.text().text(), view, end);
      AddTextProof(part.text(), view, end);
      break;
    case Part::kReasoning:
      AddThought(part.reasoning().text(), view, end);
      if (!part.reasoning().signature().empty() ||
          !part.reasoning().redacted_data().empty()) {
        view->proofs.push_back({part.reasoning(), end.Take()});
      }
      break;
    case Part::kRefusal:
      Append(&view->refusal, part.refusal().text());
      break;
    case Part::kToolCall:
      AddCall(part.tool_call(), form, view, end);
      break;
    case Part::kMedia:
      view->media.push_back(&part.media());
      break;
    case Part::kOpaque:
      view->opaque.push_back({&part, end.Take()});
      break;
    case Part::KIND_NOT_SET:
      break;
  }
}

FlatView ViewOf(const Message& message, MessageForm form, FlatEnd& end) {
  FlatView view;
  for (const Part& part : message.parts()) AddPart(part, form, &view, end);
  if (!message.parts().empty()) return view;
  if (message.has_content()) AddText(message.content(), &view, end);
  if (message.has_reasoning_content()) {
    AddThought(message.reasoning_content(), &view, end);
  }
  if (message.has_refusal()) view.refusal = message.refusal();
  for (const ToolCall& call : message.tool_calls()) {
    AddCall(call, form, &view, end);
  }
  return view;
}

// Two members that hold the call's name and what it is given. A later
// fragment of a stream has only the second.
void WriteNamed(std::string_view key, std::string_view name,
                std::string_view text_key, std::string_view text,
                JsonWriter& json) {
  json.Key(key);
  json.BeginObject();
  if (!name.empty()) json.Member("name", name);
  json.Member(text_key, text);
  json.EndObject();
}

// Where Google's own compatible endpoint has it (ai.google.dev/gemini-api/docs/
// thought-signatures, 2026-11), and who made it.
void WriteSignature(const ToolCall& call, JsonWriter& json) {
  // What the provider itself sent under this name is among the extras.
  if (call.signature().empty() ||
      call.extra_json().find("\"extra_content\"") != std::string::npos) {
    return;
  }
  json.Key("extra_content");
  json.BeginObject();
  json.Key("google");
  json.BeginObject();
  json.Member("thought_signature", call.signature());
  json.EndObject();
  json.Key("llm_service");
  json.BeginObject();
  json.Member("origin", call.signature_origin());
  if (!call.origin_model().empty()) json.Member("model", call.origin_model());
  json.EndObject();
  json.EndObject();
}

void WriteCall(const ToolCall& call, MessageForm form, JsonWriter& json) {
  json.BeginObject();
  if (form == MessageForm::kDelta) json.MemberInt("index", call.index());
  if (form == MessageForm::kWhole || !call.id().empty()) {
    json.Member("id", call.id());
  }
  if (form == MessageForm::kWhole && call.type().empty()) {
    json.Member("type", call.has_custom() ? "custom" : "function");
  } else if (!call.type().empty()) {
    json.Member("type", call.type());
  }
  if (call.has_custom()) {
    WriteNamed("custom", call.custom().name(), "input", call.custom().input(),
               json);
  } else if (call.has_function()) {
    WriteNamed("function", call.function().name(), "arguments",
               call.function().arguments(), json);
  }
  WriteSignature(call, json);
  if (!call.extra_json().empty()) json.RawMembers(call.extra_json());
  json.EndObject();
}

void WriteCalls(const FlatView& view, MessageForm form, JsonWriter& json) {
  if (view.calls.empty()) return;
  json.Key("tool_calls");
  json.BeginArray();
  for (const ToolCall* call : view.calls) WriteCall(*call, form, json);
  json.EndArray();
}

// OpenRouter's words (openrouter.ai/docs/reasoning-tokens, 2026-11).
void WriteProof(const ReasoningPart& part, const FlatPlace& at,
                JsonWriter& json) {
  json.BeginObject();
  if (!part.redacted_data().empty()) {
    json.Member("type", "reasoning.encrypted");
    json.Member("data", part.redacted_data());
  } else {
    json.Member("type", "reasoning.text");
    json.Member("text", part.text());
    json.Member("signature", part.signature());
  }
  if (part.origin() == "anthropic") {
    json.Member("format", "anthropic-claude-v1");
  } else if (part.origin() == "gemini") {
    json.Member("format", "google-gemini-v1");
  } else {
    json.Member("format", "openai-responses-v1");
  }
  if (!part.origin_model().empty()) json.Member("model", part.origin_model());
  WritePlace(at, json);
  json.EndObject();
}

void WriteProofs(const Message& message, const FlatView& view,
                 JsonWriter& json) {
  // What the provider itself sent under this name is among the extras.
  if (view.proofs.empty() ||
      message.extra_json().find("\"reasoning_details\"") != std::string::npos) {
    return;
  }
  json.Key("reasoning_details");
  json.BeginArray();
  for (const auto& [part, at] : view.proofs) WriteProof(part, at, json);
  json.EndArray();
}

// Ours: parts that only their maker understands. A compatible server's own
// are message members, and among the extras already.
void WriteOpaque(const FlatView& view, JsonWriter& json) {
  bool open = false;
  for (const auto& [one, at] : view.opaque) {
    const v1::OpaquePart* const part = &one->opaque();
    if (part->origin() != "anthropic" && part->origin() != "gemini") continue;
    if (!open) {
      json.Key("opaque_parts");
      json.BeginArray();
    }
    open = true;
    json.BeginObject();
    json.Member("origin", part->origin());
    json.MemberRaw("part", part->json());
    // Who made it, where its maker says so.
    if (!one->extra_json().empty()) {
      json.MemberRaw("extra", one->extra_json());
    }
    WritePlace(at, json);
    json.EndObject();
  }
  if (open) json.EndArray();
}

std::string UrlOf(const v1::MediaPart& media) {
  if (!media.data().empty()) {
    return absl::StrCat("data:", media.mime_type(), ";base64,",
                        absl::Base64Escape(media.data()));
  }
  return media.url();
}

// Generated images, in the form of OpenRouter's `images`.
void WriteMedia(const FlatView& view, JsonWriter& json) {
  if (view.media.empty()) return;
  json.Key("images");
  json.BeginArray();
  for (const v1::MediaPart* media : view.media) {
    json.BeginObject();
    json.Member("type", "image_url");
    json.Key("image_url");
    json.BeginObject();
    json.Member("url", UrlOf(*media));
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
}

void WriteText(std::string_view key, const std::optional<std::string>& text,
               bool always, JsonWriter& json) {
  if (text) {
    json.Member(key, *text);
  } else if (always) {
    json.MemberRaw(key, "null");
  }
}

}  // namespace

void WriteMessage(const Message& message, MessageForm form, FlatEnd& end,
                  JsonWriter& json) {
  FlatView view = ViewOf(message, form, end);
  const bool whole = form == MessageForm::kWhole;
  if (!message.role().empty()) {
    json.Member("role", message.role());
  } else if (whole) {
    json.Member("role", "assistant");
  }
  // OpenAI's first delta has the role and empty content.
  const bool opening = !whole && !message.role().empty() && !view.reasoning &&
                       view.calls.empty() && !view.refusal;
  if (opening && !view.content) view.content.emplace();
  WriteText("content", view.content, whole, json);
  WriteText("refusal", view.refusal, whole, json);
  WriteText("reasoning_content", view.reasoning, false, json);
  WriteProofs(message, view, json);
  WriteOpaque(view, json);
  WriteMedia(view, json);
  WriteCalls(view, form, json);
  if (!message.annotations().empty()) {
    json.MemberRaw("annotations", message.annotations());
  }
  if (!message.audio().empty()) {
    json.MemberRaw("audio", message.audio());
  }
  if (!message.function_call().empty()) {
    json.MemberRaw("function_call", message.function_call());
  }
  if (!message.extra_json().empty()) json.RawMembers(message.extra_json());
}

}  // namespace llm::server
