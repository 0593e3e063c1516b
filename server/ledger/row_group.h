// What one transaction is to do, kept until it has been done: a failed group
// is tried again as it is.
//
// Threads: The store's writer thread.
#ifndef LLM_SERVER_LEDGER_ROW_GROUP_H_
#define LLM_SERVER_LEDGER_ROW_GROUP_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/usage_ledger.h"
#include "server/ledger/open_calls.h"
#include "server/ledger/row_writer.h"

namespace llm::server {

class RowGroup {
 public:
  RowGroup() = default;
  // Steps point into the group.
  RowGroup(const RowGroup&) = delete;
  RowGroup& operator=(const RowGroup&) = delete;

  bool empty() const { return steps_.empty(); }
  size_t size() const { return steps_.size(); }
  void clear() {
    steps_.clear();
    entries_.clear();
  }

  // Rows for the entries; `calls` follows them.
  void Add(std::vector<LedgerEntry> entries, OpenCalls* calls);
  // `calls` of `instance` outlive the segment that is about to go.
  void Carry(const std::string& instance, OpenCalls* calls);
  // Forgets carried calls that have ended.
  void EndCarried(const std::string& instance, OpenCalls* calls);
  // Rows for what is open; returns how many. Nothing of `instance` stays.
  int64_t AddLost(const std::string& instance, const OpenCalls& calls);
  // Part of a journal that cannot be read.
  void AddUnreadable(const std::string& segment, const std::string& reason,
                     int64_t bytes);

  // All of it in one transaction; returns how many rows were set aside.
  absl::StatusOr<int64_t> Commit(Database& database, RowWriter& rows,
                                 absl::Time now) const;

 private:
  struct CarryStep {
    std::string instance;
    std::string request_id;
    std::string frame;
  };
  struct EndStep {
    std::string instance;
    std::string request_id;
  };
  struct EndAllStep {
    std::string instance;
  };
  struct UnreadableStep {
    std::string segment;
    std::string reason;
    int64_t bytes;
  };
  using Step = std::variant<const LedgerEntry*, CarryStep, EndStep, EndAllStep,
                            UnreadableStep>;
  static absl::StatusOr<bool> Do(const Step& step, RowWriter& rows,
                                 absl::Time now);

  std::vector<Step> steps_;
  // What steps point to, as it was added: a row has some forty texts, which
  // are not moved again.
  std::vector<std::vector<LedgerEntry>> entries_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_ROW_GROUP_H_
