#include "adapters/dialect/extra_fields.h"

#include <algorithm>

namespace llm {
namespace {

// Providers have a handful; each is looked for in every event.
constexpr size_t kMaxFields = 256;

}  // namespace

void ExtraFields::Note(JsonValue object,
                       std::span<const std::string_view> known) {
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (v.is_null()) continue;
    std::string decoded;
    const std::string_view name = v.Key(&decoded);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    auto it = std::find_if(seen_.begin(), seen_.end(), [&](const auto& field) {
      return field.first == name;
    });
    if (it == seen_.end()) {
      if (seen_.size() >= kMaxFields) continue;
      it = seen_.insert(it, {std::string(name), std::string()});
    } else if (it->second == v.raw()) {
      continue;
    }
    it->second = std::string(v.raw());
    const auto at = static_cast<size_t>(it - seen_.begin());
    if (std::find(pending_.begin(), pending_.end(), at) == pending_.end()) {
      pending_.push_back(at);
    }
  }
}

std::string ExtraFields::Take() {
  std::string out;
  if (pending_.empty()) return out;
  JsonWriter writer(&out);
  writer.BeginObject();
  for (const size_t at : pending_) {
    writer.MemberRaw(seen_[at].first, seen_[at].second);
  }
  writer.EndObject();
  pending_.clear();
  return out;
}

}  // namespace llm
