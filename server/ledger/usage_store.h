// Reports over the stored rows.
//
// Threads: Any event loop; the query runs on the store's own thread.
// Errors:  kInvalidArgument for an unknown group or a bad time, kUnavailable
//          while the store cannot be read.
#ifndef LLM_SERVER_LEDGER_USAGE_STORE_H_
#define LLM_SERVER_LEDGER_USAGE_STORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/core/task.h"
#include "llm/v1/usage.pb.h"

namespace llm::server {

// Which rows the caller may see; empty strings do not restrict.
struct UsageScope {
  std::string key_id;
  std::string org;
};

// 1 unit of `from` is `rate` units of `to` from `since` on.
struct ExchangeRate {
  std::string from;
  std::string to;
  std::string rate;  // decimal text
  absl::Time since;
};

class UsageStore {
 public:
  virtual ~UsageStore() = default;
  // Rows that were appended before this call are in the report. Costs are
  // exact; conversion uses the rate in force at each row's start and rounds
  // once per row, half to even.
  virtual Task<absl::StatusOr<v1::GetUsageResponse>> Query(
      v1::GetUsageRequest request, UsageScope scope) = 0;
  // OK, or what is wrong with the store, for /readyz.
  virtual absl::Status Health() const = 0;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_USAGE_STORE_H_
