#include "router/merge_fragments.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// Nesting comes from a provider; recursion must not follow it far.
constexpr int kMaxDepth = 8;

bool IsCutIntoPieces(std::string_view key) {
  return key == "data" || key == "transcript" || key == "arguments";
}

std::string JoinArrays(JsonValue a, JsonValue b) {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginArray();
  for (JsonValue v = a.First(); v; v = v.Next()) writer.Raw(v.raw());
  for (JsonValue v = b.First(); v; v = v.Next()) writer.Raw(v.raw());
  writer.EndArray();
  return out;
}

std::string JoinObjects(JsonValue a, JsonValue b, int depth);

std::string JoinValues(std::string_view key, JsonValue a, JsonValue b,
                       int depth) {
  if (!b.has_value()) return std::string(a.raw());
  if (a.is_array() && b.is_array()) return JoinArrays(a, b);
  if (a.is_object() && b.is_object() && depth < kMaxDepth) {
    return JoinObjects(a, b, depth + 1);
  }
  if (a.is_string() && b.is_string() && IsCutIntoPieces(key)) {
    return absl::StrCat(ToAbsl(a.raw().substr(0, a.raw().size() - 1)),
                        ToAbsl(b.raw().substr(1)));
  }
  return std::string(b.raw());
}

std::string JoinObjects(JsonValue a, JsonValue b, int depth) {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  for (JsonValue v = a.First(); v; v = v.Next()) {
    const std::string key = v.Key();
    const JsonValue other = b.Find(key);
    writer.Key(key);
    writer.Raw(other ? JoinValues(key, v, other, depth) : std::string(v.raw()));
  }
  for (JsonValue v = b.First(); v; v = v.Next()) {
    if (a.Find(v.Key())) continue;
    writer.Key(v.Key());
    writer.Raw(v.raw());
  }
  writer.EndObject();
  return out;
}

template <typename Join>
std::string Merge(std::string_view first, std::string_view second,
                  JsonType type, Join join) {
  if (second.empty()) return std::string(first);
  if (first.empty()) return std::string(second);
  const auto a = JsonDocument::Parse(first);
  const auto b = JsonDocument::Parse(second);
  if (!b.ok() || b->root().type() != type) return std::string(first);
  if (!a.ok() || a->root().type() != type) return std::string(second);
  return join(a->root(), b->root());
}

// Neighbours are joined in rounds, so every byte is read once per round and
// the rounds are few.
template <typename Join>
std::string JoinAll(std::vector<std::string> pieces, Join join) {
  if (pieces.empty()) return "";
  while (pieces.size() > 1) {
    size_t kept = 0;
    for (size_t i = 0; i < pieces.size(); i += 2) {
      pieces[kept++] = i + 1 < pieces.size() ? join(pieces[i], pieces[i + 1])
                                             : std::move(pieces[i]);
    }
    pieces.resize(kept);
  }
  return std::move(pieces.front());
}

}  // namespace

std::string MergeObjects(std::string_view first, std::string_view second) {
  return Merge(first, second, JsonType::kObject,
               [](JsonValue a, JsonValue b) { return JoinObjects(a, b, 0); });
}

std::string MergeArrays(std::string_view first, std::string_view second) {
  return Merge(first, second, JsonType::kArray, JoinArrays);
}

std::string Fragments::JoinObjects() {
  return JoinAll(std::exchange(pieces_, {}), MergeObjects);
}

std::string Fragments::JoinArrays() {
  return JoinAll(std::exchange(pieces_, {}), MergeArrays);
}

}  // namespace llm
