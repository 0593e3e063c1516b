// The store behind one file: ledgers for the workers, keys, reports.
//
// Threads:   OpenStore and Close on the main thread; MakeLedger before the
//            workers start; the rest as their headers say.
// Ownership: The parts it hands out as references live as long as the store.
//            Order at the end: doors and calls finish, then Close, then the
//            loops go. Tasks that still wait end with kUnavailable.
#ifndef LLM_SERVER_LEDGER_SQLITE_STORE_H_
#define LLM_SERVER_LEDGER_SQLITE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "adapters/core/random.h"
#include "router/usage_ledger.h"
#include "server/auth/key_store.h"
#include "server/ledger/store_writer.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

struct StoreOptions {
  // The SQLite file; journals live beside it in `<path>.journal`.
  std::string path = "llm-service.db";
  std::string report_currency = "USD";
  std::vector<ExchangeRate> rates;
  // Rows that the store has not taken yet, on disk. At about 700 bytes a
  // request, this is a third of a million requests. Full: calls are refused.
  int64_t journal_bytes = int64_t{256} << 20;
  int64_t segment_bytes = int64_t{4} << 20;
  absl::Duration group_interval = absl::Milliseconds(100);
  const Clock* clock = nullptr;  // outlives the store
  Random* random = nullptr;      // likewise
};

class SqliteStore {
 public:
  virtual ~SqliteStore() = default;  // closes, if Close was not called
  // One per event loop, with the loop's index.
  virtual std::unique_ptr<UsageLedger> MakeLedger(int worker_index) = 0;
  virtual KeyStore& keys() = 0;
  virtual UsageStore& usage() = 0;
  virtual LedgerCounters Counters() const = 0;
  // After a reload; kInvalidArgument leaves the old ones.
  virtual absl::Status SetRates(const std::string& report_currency,
                                const std::vector<ExchangeRate>& rates) = 0;
  // Stores what is in the journals. kUnavailable if that took longer than
  // `patience`: the rows then wait for the next process.
  virtual absl::Status Close(absl::Duration patience) = 0;
};

// kFailedPrecondition: a file of a newer release. kDataLoss: not our file, or
// damaged. kInvalidArgument: a rate. kUnavailable: the folder cannot be
// written. A store that is merely locked opens; Health tells.
absl::StatusOr<std::unique_ptr<SqliteStore>> OpenStore(StoreOptions options);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_SQLITE_STORE_H_
