// Reports from the SQLite store, on a thread and connection of their own.
#ifndef LLM_SERVER_LEDGER_SQLITE_USAGE_STORE_H_
#define LLM_SERVER_LEDGER_SQLITE_USAGE_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "adapters/core/mutex.h"
#include "server/core/side_thread.h"
#include "server/ledger/exchange_rates.h"
#include "server/ledger/store_writer.h"
#include "server/ledger/usage_query.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

class SqliteUsageStore : public UsageStore {
 public:
  // `writer` outlives it.
  SqliteUsageStore(std::string path, ExchangeRates rates, StoreWriter* writer);
  ~SqliteUsageStore() override;

  Task<absl::StatusOr<v1::GetUsageResponse>> Query(v1::GetUsageRequest request,
                                                   UsageScope scope) override;
  absl::Status Health() const override;
  // For queries that start from now on.
  void SetRates(ExchangeRates rates);
  // Interrupts a running query; the waiting ones end with kUnavailable.
  void Stop();

 private:
  absl::StatusOr<v1::GetUsageResponse> Answer(const UsageQuery& query,
                                              const ExchangeRates& rates);
  absl::StatusOr<std::shared_ptr<Database>> Connection();

  const std::string path_;
  StoreWriter* const writer_;
  Mutex mutex_;
  // Shared with the queries that run under it while it is replaced.
  std::shared_ptr<const ExchangeRates> rates_ ABSL_GUARDED_BY(mutex_);
  // Shared between the thread that uses it and Stop, which interrupts it.
  std::shared_ptr<Database> database_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  SideThread thread_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_SQLITE_USAGE_STORE_H_
