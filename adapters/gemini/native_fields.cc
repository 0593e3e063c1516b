#include "adapters/gemini/native_fields.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr sv kTop[] = {"safetySettings", "cachedContent", "serviceTier"};
// Unknown to AI Studio, which refuses what it does not know.
constexpr sv kVertexTop[] = {"labels", "modelArmorConfig"};
// More than generationConfig has; each is compared with those before it.
constexpr size_t kMaxGeneration = 64;
// Ours, for routing and accounting; named nowhere.
constexpr sv kOwn[] = {"task_type", "run_id",      "agent",   "strict",
                       "timeout",   "llm_service", "priority"};

bool IsOwn(sv name) {
  return Among(kOwn, name) || name.starts_with("x-") ||
         name.starts_with("x_llm_");
}

class Reader {
 public:
  Reader(Rendering& to, NativeFields& out) : to_(to), out_(out) {}

  // `prefix` is what stands before a name where it is dropped.
  void Member(JsonValue value, const std::string& prefix);

 private:
  void Generation(JsonValue object, const std::string& prefix);
  void Thinking(JsonValue value, std::string name);
  void Nested(JsonValue object, const std::string& prefix);
  void Put(std::vector<NativeField>& fields, NativeField field);

  Rendering& to_;
  NativeFields& out_;
};

// Of two spellings the last counts, since the first may be a client's default.
void Reader::Put(std::vector<NativeField>& fields, NativeField field) {
  for (NativeField& old : fields) {
    if (old.name != field.name) continue;
    to_.dropped.Add(old.asked_as);
    old = std::move(field);
    return;
  }
  fields.push_back(std::move(field));
}

void Reader::Thinking(JsonValue value, std::string name) {
  if (!value.is_object()) return to_.dropped.Add(name);
  if (!out_.thinking.empty()) to_.dropped.Add(out_.thinking_name);
  out_.thinking = std::string(value.raw());
  out_.thinking_name = std::move(name);
}

void Reader::Generation(JsonValue object, const std::string& prefix) {
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (v.is_null()) continue;
    std::string name = CamelCase(v.Key());
    if (name == "thinkingConfig") {
      Thinking(v, prefix + "." + v.Key());
    } else if (out_.generation.size() >= kMaxGeneration &&
               out_.Generation(name) == nullptr) {
      to_.dropped.Add(prefix + ".*");
    } else {
      Put(out_.generation,
          {std::move(name), std::string(v.raw()), prefix + "." + v.Key()});
    }
  }
}

// extra_body: {google: {…}}, and google: {…} alone.
void Reader::Nested(JsonValue object, const std::string& prefix) {
  for (JsonValue v = object.First(); v; v = v.Next()) {
    Member(v, prefix + ".");
  }
}

void Reader::Member(JsonValue value, const std::string& prefix) {
  const std::string key = value.Key();
  const std::string full = prefix + key;
  if (value.is_null()) return;
  if (prefix.empty() && IsOwn(key)) return;
  if (key == "google" && value.is_object()) return Nested(value, full);
  if (prefix.empty() && key == "extra_body" && value.is_object()) {
    return Nested(value, full);
  }
  const std::string name = CamelCase(key);
  if (name == "generationConfig" && value.is_object()) {
    Generation(value, full);
  } else if (name == "thinkingConfig") {
    Thinking(value, full);
  } else if (name == "topK" && value.is_number()) {
    Put(out_.generation, {name, std::string(value.raw()), full});
  } else if (name == "toolConfig" && value.is_object()) {
    if (!out_.tool_config.empty()) to_.dropped.Add("toolConfig");
    out_.tool_config = std::string(value.raw());
  } else if (Among(kTop, name) || (to_.vertex && Among(kVertexTop, name))) {
    Put(out_.top, {name, std::string(value.raw()), full});
  } else {
    to_.dropped.Add(full);
  }
}

}  // namespace

const std::string* NativeFields::Generation(std::string_view name) const {
  for (const NativeField& field : generation) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

std::string CamelCase(std::string_view name) {
  std::string out;
  bool up = false;
  for (const char c : name) {
    if (c == '_' && !out.empty()) {
      up = true;
      continue;
    }
    out += up ? absl::ascii_toupper(static_cast<unsigned char>(c)) : c;
    up = false;
  }
  return out;
}

std::vector<NativeMember> ReadMembers(JsonValue object, std::string_view full,
                                      Rendering& to) {
  std::vector<NativeMember> out;
  std::map<std::string, size_t> at;
  for (JsonValue v = object.First(); v; v = v.Next()) {
    std::string name = CamelCase(v.Key());
    const auto [it, fresh] = at.try_emplace(name, out.size());
    if (fresh) {
      out.push_back({std::move(name), v});
      continue;
    }
    JsonValue& old = out[it->second].value;
    to.dropped.Add(absl::StrCat(ToAbsl(full), ".", old.Key()));
    old = v;
  }
  return out;
}

NativeFields ReadNativeFields(std::string_view extra_json, Rendering& to) {
  NativeFields out;
  const auto doc = JsonDocument::Parse(extra_json);
  if (!doc.ok()) return out;
  Reader reader(to, out);
  const JsonValue root = doc->root();
  for (JsonValue v = root.First(); v; v = v.Next()) reader.Member(v, "");
  return out;
}

}  // namespace llm::gemini
