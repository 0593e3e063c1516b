#include "adapters/openai/tool_call_decoder.h"

#include <utility>

#include "adapters/dialect/extra_fields.h"

namespace llm::openai {
namespace {

constexpr std::string_view kKnown[] = {"id", "type", "index", "function",
                                       "custom"};

std::string CleanId(JsonValue value) {
  std::string id = value.StringOr();
  // Mistral's continuation chunks have carried the literal word.
  return id == "null" ? std::string() : id;
}

uint64_t Fnv1a(std::string_view text, uint64_t hash) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  return hash;
}

// Text by contract; some servers send the object itself.
std::string ArgumentText(JsonValue value) {
  if (value.is_string()) return value.StringOr();
  return value.has_value() ? std::string(value.raw()) : std::string();
}

}  // namespace

std::string ToolCallDecoder::MakeId(size_t at) const {
  const std::string position = std::to_string(at);
  uint64_t a = Fnv1a(position, Fnv1a(seed_, 0xCBF29CE484222325));
  uint64_t b = Fnv1a("b", a);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id = "call_";
  for (int i = 0; i < 24; ++i) {
    uint64_t& from = i < 12 ? a : b;
    id += kHex[from & 0xF];
    from >>= 4;
  }
  return id;
}

size_t ToolCallDecoder::FindOrAdd(JsonValue entry, const std::string& id,
                                  const std::string& name) {
  const auto index = entry.Find("index").AsInt64();
  for (size_t at = calls_.size(); at > 0; --at) {
    const Call& call = calls_[at - 1];
    const bool same_id =
        id.empty() || call.upstream_id.empty() || call.upstream_id == id;
    if (index && call.upstream_index) {
      if (*index == *call.upstream_index && same_id) return at - 1;
    } else if (!id.empty()) {
      if (call.upstream_id == id) return at - 1;
    } else if (at == calls_.size() && (name.empty() || !call.opened)) {
      return at - 1;  // without any mark it continues the last call
    }
  }
  calls_.emplace_back();
  calls_.back().upstream_index = index;
  return calls_.size() - 1;
}

void ToolCallDecoder::Open(size_t at, JsonValue entry, const std::string& name,
                           v1::Message* out) {
  Call& call = calls_[at];
  v1::ToolCall* part = out->add_parts()->mutable_tool_call();
  part->set_index(static_cast<int>(at));
  part->set_id(call.upstream_id.empty() ? MakeId(at) : call.upstream_id);
  part->set_type(call.custom ? "custom" : "function");
  if (call.custom) {
    part->mutable_custom()->set_name(name);
  } else {
    part->mutable_function()->set_name(name);
  }
  ExtraFields extra;
  extra.Note(entry, kKnown);
  part->set_extra_json(extra.Take());
  const JsonValue google = entry.Find("extra_content").Find("google");
  if (google.Find("thought_signature").is_string()) {
    part->set_signature(google.Find("thought_signature").StringOr());
    part->set_signature_origin("gemini");
  }
  call.opened = true;
  characters_ += CountCodePoints(name);
}

void ToolCallDecoder::Append(size_t at, std::string text, v1::Message* out) {
  if (text.empty()) return;
  Call& call = calls_[at];
  call.empty = false;
  characters_ += CountCodePoints(text);
  // Joins the first fragment when it was made for this very chunk.
  v1::ToolCall* part = nullptr;
  if (out->parts_size() > 0) {
    v1::Part* last = out->mutable_parts(out->parts_size() - 1);
    if (last->has_tool_call() &&
        last->tool_call().index() == static_cast<int>(at)) {
      part = last->mutable_tool_call();
    }
  }
  if (part == nullptr) {
    part = out->add_parts()->mutable_tool_call();
    part->set_index(static_cast<int>(at));
  }
  if (call.custom) {
    part->mutable_custom()->mutable_input()->append(text);
  } else {
    part->mutable_function()->mutable_arguments()->append(text);
  }
}

void ToolCallDecoder::PushOne(JsonValue entry, v1::Message* out) {
  if (!entry.is_object()) return;
  const JsonValue custom = entry.Find("custom");
  // Snowflake writes an empty one beside every function.
  const bool is_custom =
      custom.is_object() && (entry.Find("type").Equals("custom") ||
                             !entry.Find("function").is_object());
  const JsonValue body = is_custom ? custom : entry.Find("function");
  const std::string id = CleanId(entry.Find("id"));
  const std::string name = body.Find("name").StringOr();
  if (calls_.empty() && id.empty() && name.empty() && !body) return;
  const size_t at = FindOrAdd(entry, id, name);
  Call& call = calls_[at];
  if (call.upstream_id.empty() && !call.opened) call.upstream_id = id;
  if (is_custom) call.custom = true;
  std::string text =
      ArgumentText(body.Find(call.custom ? "input" : "arguments"));
  text = call.joiner.Push(std::move(text));
  if (!call.opened) {
    if (name.empty()) {
      call.held += text;
      return;
    }
    Open(at, entry, name, out);
    text = std::exchange(call.held, {}) + text;
  }
  Append(at, std::move(text), out);
}

void ToolCallDecoder::Push(JsonValue tool_calls, v1::Message* out) {
  if (tool_calls.is_object()) {
    PushOne(tool_calls, out);
    return;
  }
  if (!tool_calls.is_array()) return;
  for (JsonValue v = tool_calls.First(); v; v = v.Next()) PushOne(v, out);
}

void ToolCallDecoder::Close(v1::Message* out) {
  for (size_t at = 0; at < calls_.size(); ++at) {
    if (!calls_[at].opened) {
      Open(at, {}, "", out);
      Append(at, std::exchange(calls_[at].held, {}), out);
    }
    Append(at, calls_[at].joiner.Flush(), out);
    if (calls_[at].empty && !calls_[at].custom) Append(at, "{}", out);
  }
}

}  // namespace llm::openai
