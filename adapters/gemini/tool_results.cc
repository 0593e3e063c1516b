#include "adapters/gemini/tool_results.h"

#include <algorithm>
#include <set>
#include <utility>

#include "adapters/core/json.h"
#include "adapters/gemini/call_ids.h"
#include "adapters/gemini/media_writer.h"
#include "adapters/gemini/part_writer.h"

namespace llm::gemini {
namespace {

constexpr std::string_view kNoResult =
    R"({"error":"no result was given for this call"})";

bool IsObject(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '{') return false;
  const auto doc = JsonDocument::Parse(text);
  return doc.ok() && doc->root().is_object();
}

std::string Response(const std::string& text, bool failed, bool media) {
  if (!failed && IsObject(text)) return text;
  // The parts are the result.
  if (text.empty() && media) return "{}";
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Member(failed ? "error" : "output", text);
  writer.EndObject();
  return out;
}

// Anthropic's word, also where it came over another door.
bool SaysFailed(const v1::Message& message) {
  const auto extra = JsonDocument::Parse(message.extra_json());
  return extra.ok() && extra->root().Find("is_error").AsBool().value_or(false);
}

}  // namespace

std::string SentCallId(std::string_view id, const Rendering& to) {
  if (to.vertex || IsMadeCallId(id)) return {};
  return std::string(id);
}

ToolResults::ToolResults(const v1::ChatCompletionRequest& request,
                         Rendering& to)
    : to_(to) {
  for (int at = 0; at < request.messages_size(); ++at) {
    const v1::Message& message = request.messages(at);
    if (message.role() == "assistant") {
      AddCalls(message, at);
    } else if (message.role() == "tool" || message.role() == "function") {
      Match(message);
    }
  }
}

void ToolResults::AddSlots(const v1::Message& message, int at) {
  for (const v1::Part& part : message.parts()) {
    if (!part.has_tool_call()) continue;
    const v1::ToolCall& call = part.tool_call();
    slots_.push_back(
        {at, call.id(),
         call.has_custom() ? call.custom().name() : call.function().name()});
  }
  if (message.function_call().empty()) return;
  const auto call = JsonDocument::Parse(message.function_call());
  if (!call.ok()) return;
  slots_.push_back({at, "", call->root().Find("name").StringOr()});
}

// The first of a message is the first to be taken, that of a later message
// before it.
void ToolResults::AddCalls(const v1::Message& message, int at) {
  const size_t before = slots_.size();
  AddSlots(message, at);
  for (size_t slot = slots_.size(); slot > before; --slot) {
    by_id_[slots_[slot - 1].id].push_back(slot - 1);
    by_name_[slots_[slot - 1].name].push_back(slot - 1);
  }
}

CallSlot* ToolResults::Next(Open& open, const std::string& key) {
  const auto found = open.find(key);
  if (found == open.end()) return nullptr;
  std::vector<size_t>& slots = found->second;
  while (!slots.empty()) {
    CallSlot& slot = slots_[slots.back()];
    slots.pop_back();
    // Else it got one by its other key.
    if (slot.result == nullptr) return &slot;
  }
  return nullptr;
}

void ToolResults::Match(const v1::Message& message) {
  const bool by_name = message.role() == "function";
  CallSlot* const slot = by_name ? Next(by_name_, message.name())
                                 : Next(by_id_, message.tool_call_id());
  if (slot != nullptr) {
    slot->result = &message;
    return;
  }
  to_.Refuse(by_name ? "messages.name" : "messages.tool_call_id",
             "a tool result answers no call of this conversation");
}

std::vector<const CallSlot*> ToolResults::CallsOf(int message) const {
  std::vector<const CallSlot*> out;
  auto slot = std::lower_bound(
      slots_.begin(), slots_.end(), message,
      [](const CallSlot& one, int at) { return one.message < at; });
  for (; slot != slots_.end() && slot->message == message; ++slot) {
    out.push_back(&*slot);
  }
  return out;
}

std::vector<std::string> ToolResults::CalledNames() const {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  for (const CallSlot& slot : slots_) {
    if (seen.insert(slot.name).second) out.push_back(slot.name);
  }
  return out;
}

ToolResults::Content ToolResults::Read(const v1::Message& result) const {
  Content out;
  bool first = true;
  for (const v1::Part& part : result.parts()) {
    NamePartExtra(part.extra_json(), to_);
    if (part.has_text()) {
      if (!first) out.text += '\n';
      first = false;
      out.text += part.text().text();
    } else if (part.has_media()) {
      out.media = true;
      const bool fits =
          to_.family.third_generation && FitsToolResult(part.media());
      (fits ? out.inside : out.beside)
          .push_back("{" + MediaMember(part.media(), to_) + "}");
    } else {
      to_.dropped.Add("messages.content");
    }
  }
  out.response = Response(out.text, SaysFailed(result), out.media);
  return out;
}

RenderedResult ToolResults::Render(const CallSlot& slot) const {
  Content content;
  content.response = std::string(kNoResult);
  if (slot.result != nullptr) {
    content = Read(*slot.result);
  } else {
    to_.dropped.Add("messages.tool_calls.result");
  }
  RenderedResult out;
  JsonWriter writer(&out.part);
  writer.BeginObject();
  writer.Key("functionResponse");
  writer.BeginObject();
  const std::string id = SentCallId(slot.id, to_);
  if (!id.empty()) writer.Member("id", id);
  writer.Member("name", to_.names.Sent(slot.name));
  writer.MemberRaw("response", content.response);
  if (!content.inside.empty()) {
    writer.Key("parts");
    writer.BeginArray();
    for (const std::string& part : content.inside) writer.Raw(part);
    writer.EndArray();
  }
  writer.EndObject();
  writer.EndObject();
  out.beside = std::move(content.beside);
  return out;
}

}  // namespace llm::gemini
