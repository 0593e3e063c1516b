// Which calls of one worker have begun and not ended: what a crash would turn
// into `lost` rows.
//
// A call opens with its first intent and ends when its request's row is in and
// every intent has its record. A segment of the journal may go while calls in
// it are open (a stream of minutes); the store then keeps those calls' entries
// in a table: they are "carried".
//
// Threads: The store's writer thread.
#ifndef LLM_SERVER_LEDGER_OPEN_CALLS_H_
#define LLM_SERVER_LEDGER_OPEN_CALLS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "router/usage_ledger.h"

namespace llm::server {

class OpenCalls {
 public:
  void Apply(const LedgerEntry& entry);
  // Takes over what the store kept for a dead process.
  void Restore(const std::vector<LedgerEntry>& entries);

  struct Carried {
    std::string request_id;
    std::vector<LedgerEntry> entries;
  };
  // Open calls that changed since they were last taken; they count as carried.
  std::vector<Carried> TakeChanged();
  // Ids of carried calls that have ended since the last call.
  std::vector<std::string> TakeEnded();
  // The rows of what is open: every intent without a record, and every
  // request that began and has no row.
  std::vector<LedgerEntry> LostRows() const;
  bool empty() const { return calls_.empty(); }

 private:
  struct Call {
    std::vector<LedgerEntry> entries;  // intents without record, and records
    int open_intents = 0;
    bool request_done = false;
    bool changed = false;
    bool carried = false;
  };
  void ApplyIntent(const AttemptIntent& intent);
  void ApplyRecord(const AttemptRecord& record);
  void EndIfDone(const std::string& request_id);

  absl::flat_hash_map<std::string, Call> calls_;
  std::vector<std::string> ended_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_OPEN_CALLS_H_
