// A ledger that keeps its rows in memory, append by append.
#ifndef LLM_TESTS_SUPPORT_MEMORY_LEDGER_H_
#define LLM_TESTS_SUPPORT_MEMORY_LEDGER_H_

#include <utility>
#include <variant>
#include <vector>

#include "router/usage_ledger.h"

namespace llm {

class MemoryLedger : public UsageLedger {
 public:
  Task<absl::Status> Append(std::vector<LedgerEntry> entries) override {
    if (appends.size() >= capacity) {
      co_return absl::ResourceExhaustedError("journal full");
    }
    appends.push_back(std::move(entries));
    co_return absl::OkStatus();
  }
  // All rows of one kind, in order.
  template <typename Row>
  std::vector<Row> Rows() const {
    std::vector<Row> rows;
    for (const auto& append : appends) {
      for (const LedgerEntry& entry : append) {
        if (const Row* row = std::get_if<Row>(&entry)) rows.push_back(*row);
      }
    }
    return rows;
  }

  std::vector<std::vector<LedgerEntry>> appends;
  // Appends beyond this many are refused as full.
  size_t capacity = SIZE_MAX;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_MEMORY_LEDGER_H_
