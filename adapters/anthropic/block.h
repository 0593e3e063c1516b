// The pieces a request's system prompt and messages are made of, before they
// are written: blocks are moved, marked and counted as long as they are apart.
//
// Threads: Values.
#ifndef LLM_ADAPTERS_ANTHROPIC_BLOCK_H_
#define LLM_ADAPTERS_ANTHROPIC_BLOCK_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/dialect/chat_exchange.h"
#include "adapters/dialect/dropped_fields.h"

namespace llm::anthropic {

// What parts of this dialect carry as their origin.
inline constexpr std::string_view kOrigin = "anthropic";

struct Block {
  enum class Kind {
    kText,
    kThinking,  // also redacted; takes no cache_control
    kToolUse,   // a call the client answers
    kResult,    // its answer
    kOther,     // media, and what only Anthropic understands
  };
  Kind kind = Kind::kText;
  // One JSON object, without the members below.
  std::string json;
  // A text's citations: JSON lists, written as one.
  std::vector<std::string> citations;
  // A result's content, where it is a list.
  std::vector<Block> content;
  // The caller's cache_control, JSON; empty for none.
  std::string cache_control;
  // Marks of blocks in an opaque block.
  int marks_inside = 0;

  void Write(JsonWriter* out) const {
    const bool more = !citations.empty() || !content.empty();
    if (!more && cache_control.empty()) return out->Raw(json);
    out->BeginObject();
    out->RawMembers(json);
    if (!citations.empty()) WriteCitations(out);
    if (!content.empty()) {
      out->Key("content");
      out->BeginArray();
      for (const Block& block : content) block.Write(out);
      out->EndArray();
    }
    if (!cache_control.empty()) {
      out->MemberRaw("cache_control", cache_control);
    }
    out->EndObject();
  }

 private:
  // One list alone as it came, even if it is none.
  void WriteCitations(JsonWriter* out) const {
    if (citations.size() == 1) {
      return out->MemberRaw("citations", citations.front());
    }
    out->Key("citations");
    out->BeginArray();
    for (const std::string& list : citations) {
      const auto doc = JsonDocument::Parse(list);
      if (!doc.ok() || !doc->root().is_array()) continue;
      for (JsonValue v = doc->root().First(); v; v = v.Next()) {
        out->Raw(v.raw());
      }
    }
    out->EndArray();
  }
};

struct Turn {
  enum class Role { kUser, kAssistant, kSystem };
  Role role = Role::kUser;
  std::vector<Block> blocks;
};

// What rendering finds out beside the body.
struct RenderNotes {
  DroppedFields dropped;
  // The first thing that cannot be said.
  std::optional<Refusal> refusal;
  // Some block names a file by id: needs the beta of the files API.
  bool file_ids = false;
  // The message at hand holds what its client had dropped.
  bool put_back = false;

  void Refuse(std::string_view param, std::string_view message) {
    if (!refusal) refusal = {std::string(param), std::string(message)};
  }
  // What was put back is not the caller's, who must not hear of its loss, nor
  // be refused for it.
  void NameProof(std::string_view name) {
    if (!put_back) dropped.Add(name);
  }
};

// An object of extra fields; empty text and what is no object read as {}.
class ExtraObject {
 public:
  explicit ExtraObject(std::string_view json) : text_(json) {
    auto doc = JsonDocument::Parse(text_);
    if (doc.ok()) doc_ = *std::move(doc);
  }
  ExtraObject(const ExtraObject&) = delete;
  ExtraObject& operator=(const ExtraObject&) = delete;
  JsonValue root() const {
    return doc_.root().is_object() ? doc_.root() : JsonValue();
  }

 private:
  std::string text_;
  JsonDocument doc_;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_BLOCK_H_
