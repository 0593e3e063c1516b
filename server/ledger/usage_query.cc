#include "server/ledger/usage_query.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"

namespace llm::server {
namespace {

constexpr std::array kNames = {
    std::pair{UsageKey::kModel, "model"},
    std::pair{UsageKey::kDay, "day"},
    std::pair{UsageKey::kHour, "hour"},
    std::pair{UsageKey::kUser, "user"},
    std::pair{UsageKey::kKey, "key"},
    std::pair{UsageKey::kOrg, "org"},
    std::pair{UsageKey::kTaskType, "task_type"},
    std::pair{UsageKey::kRunId, "run_id"},
    std::pair{UsageKey::kAgent, "agent"},
    std::pair{UsageKey::kProvider, "provider"},
};

absl::StatusOr<UsageKey> ParseKey(const std::string& field,
                                  const std::string& name) {
  for (const auto& [key, known] : kNames) {
    if (name == known) return key;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field,
                   ": unknown group; use model, day, hour, user, key, "
                   "org, task_type, run_id, agent or provider"));
}

absl::StatusOr<int64_t> ParseBound(const char* field, const std::string& text,
                                   int64_t open) {
  if (text.empty()) return open;
  const absl::StatusOr<absl::Time> time = ParseReportTime(text);
  if (time.ok()) return absl::ToUnixMicros(*time);
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", time.status().message()));
}

}  // namespace

const char* UsageKeyName(UsageKey key) {
  for (const auto& [known, name] : kNames) {
    if (known == key) return name;
  }
  return "";
}

absl::StatusOr<absl::Time> ParseReportTime(const std::string& text) {
  // Abseil also takes blanks around a time and words like infinite-future.
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == ':' ||
           c == '.' || c == 'T' || c == 't' || c == 'Z' || c == 'z';
  });
  absl::Time time;
  std::string error;
  const char* format = text.size() == 10 ? "%Y-%m-%d" : absl::RFC3339_full;
  if (plain && !text.empty() && text[0] != '-' && text[0] != '+' &&
      absl::ParseTime(format, text, &time, &error)) {
    return time;
  }
  return absl::InvalidArgumentError(
      "not a time; use 2026-01-31 or 2026-01-31T10:00:00Z");
}

absl::StatusOr<UsageQuery> ParseUsageQuery(const v1::GetUsageRequest& request,
                                           const UsageScope& scope) {
  UsageQuery query;
  query.scope = scope;
  LLM_ASSIGN_OR_RETURN(query.from_us,
                       ParseBound("from", request.from(), query.from_us));
  LLM_ASSIGN_OR_RETURN(query.to_us,
                       ParseBound("to", request.to(), query.to_us));
  if (query.from_us > query.to_us) {
    return absl::InvalidArgumentError("from: lies after `to`");
  }
  for (const std::string& name : request.by()) {
    LLM_ASSIGN_OR_RETURN(const UsageKey key, ParseKey("by", name));
    const bool twice =
        std::find(query.by.begin(), query.by.end(), key) != query.by.end();
    if (!twice) query.by.push_back(key);
  }
  for (const auto& [name, value] : request.filter()) {
    LLM_ASSIGN_OR_RETURN(const UsageKey key, ParseKey("filter", name));
    query.filter.emplace_back(key, value);
  }
  return query;
}

}  // namespace llm::server
