#include "server/http/json_fields.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "router/call_error.h"

namespace llm::server {

std::string JsonPath::ToString() const {
  const std::string before = parent_ == nullptr ? "" : parent_->ToString();
  if (index_ >= 0) return absl::StrCat(before, "[", index_, "]");
  return absl::StrCat(before, before.empty() ? "" : ".", ToAbsl(name_));
}

absl::Status BadField(const JsonPath& path, std::string_view problem) {
  const std::string where = path.ToString();
  return RefuseField(where, absl::StrCat(where.empty() ? "the body" : where,
                                         " ", ToAbsl(problem), "."));
}

absl::Status RefuseRepeated(const JsonValue& object, const JsonPath& path) {
  if (!object.is_object()) return absl::OkStatus();
  absl::flat_hash_set<std::string> names;
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (names.insert(v.Key()).second) continue;
    // The name is the caller's own text: it is not repeated.
    return BadField(path, "has a member twice");
  }
  return absl::OkStatus();
}

}  // namespace llm::server
