// A checked usage request: which rows, grouped by what.
//
// Threads: Pure.
#ifndef LLM_SERVER_LEDGER_USAGE_QUERY_H_
#define LLM_SERVER_LEDGER_USAGE_QUERY_H_

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "llm/v1/usage.pb.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

enum class UsageKey {
  kModel,
  kDay,
  kHour,
  kUser,
  kKey,
  kOrg,
  kTaskType,
  kRunId,
  kAgent,
  kProvider,
};
const char* UsageKeyName(UsageKey key);

struct UsageQuery {
  // Microseconds since 1970, from inclusive, to exclusive.
  int64_t from_us = std::numeric_limits<int64_t>::min();
  int64_t to_us = std::numeric_limits<int64_t>::max();
  std::vector<UsageKey> by;
  std::vector<std::pair<UsageKey, std::string>> filter;
  UsageScope scope;
};

// kInvalidArgument names the field and says what would be right.
absl::StatusOr<UsageQuery> ParseUsageQuery(const v1::GetUsageRequest& request,
                                           const UsageScope& scope);

// RFC 3339, or a date, which is its midnight in UTC.
absl::StatusOr<absl::Time> ParseReportTime(const std::string& text);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_USAGE_QUERY_H_
