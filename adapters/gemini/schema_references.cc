#include "adapters/gemini/schema_references.h"

#include <string_view>

#include "absl/strings/str_replace.h"

namespace llm::gemini {
namespace {

// Of schema text, over all references; schemas are kilobytes.
constexpr size_t kMaxBytes = size_t{4} << 20;

}  // namespace

JsonValue SchemaReferences::Member(JsonValue object, const std::string& name) {
  if (!object.is_object()) return {};
  const auto [it, fresh] = indexes_.try_emplace(object.offset());
  Index& index = it->second;
  if (fresh) {
    for (JsonValue v = object.First(); v; v = v.Next()) index[v.Key()] = v;
  }
  const auto place = index.find(name);
  return place == index.end() ? JsonValue() : place->second;
}

JsonValue SchemaReferences::Find(const std::string& ref) {
  if (ref == "#") return root_;
  if (!ref.starts_with("#/")) return {};
  JsonValue at = root_;
  std::string_view rest = std::string_view(ref).substr(2);
  while (at) {
    const size_t slash = rest.find('/');
    at = Member(at, absl::StrReplaceAll(std::string(rest.substr(0, slash)),
                                        {{"~1", "/"}, {"~0", "~"}}));
    if (slash == std::string_view::npos) return at;
    rest.remove_prefix(slash + 1);
  }
  return {};
}

JsonValue SchemaReferences::Target(const std::string& ref) {
  if (bytes_ > kMaxBytes) return {};
  const JsonValue target = Find(ref);
  bytes_ += target.raw().size();
  return bytes_ > kMaxBytes ? JsonValue() : target;
}

}  // namespace llm::gemini
