#include "server/ledger/sqlite_usage_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "server/ledger/schema.h"
#include "server/ledger/usage_report.h"

namespace llm::server {
namespace {

// How long a report waits for rows that are on their way to the store.
constexpr absl::Duration kFlushPatience = absl::Seconds(2);
constexpr absl::Duration kBusyTimeout = absl::Seconds(2);

}  // namespace

SqliteUsageStore::SqliteUsageStore(std::string path, ExchangeRates rates,
                                   StoreWriter* writer)
    : path_(std::move(path)),
      writer_(writer),
      rates_(std::make_shared<const ExchangeRates>(std::move(rates))),
      thread_("the store", nullptr) {}

SqliteUsageStore::~SqliteUsageStore() { Stop(); }

void SqliteUsageStore::Stop() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    if (database_ != nullptr) database_->Interrupt();
  }
  thread_.Stop();
}

void SqliteUsageStore::SetRates(ExchangeRates rates) {
  auto next = std::make_shared<const ExchangeRates>(std::move(rates));
  MutexLock lock(mutex_);
  rates_ = std::move(next);
}

absl::Status SqliteUsageStore::Health() const { return writer_->Health(); }

Task<absl::StatusOr<v1::GetUsageResponse>> SqliteUsageStore::Query(
    v1::GetUsageRequest request, UsageScope scope) {
  absl::StatusOr<UsageQuery> query = ParseUsageQuery(request, scope);
  if (!query.ok()) co_return query.status();
  std::shared_ptr<const ExchangeRates> rates;
  {
    MutexLock lock(mutex_);
    rates = rates_;
  }
  std::function<absl::StatusOr<v1::GetUsageResponse>()> work =
      [this, rates, query = *std::move(query)] {
        return Answer(query, *rates);
      };
  co_return co_await MakeOn(&thread_, std::move(work), Abandoned::kSkipped);
}

absl::StatusOr<v1::GetUsageResponse> SqliteUsageStore::Answer(
    const UsageQuery& query, const ExchangeRates& rates) {
  // With the store in trouble there is nothing to wait for.
  if (writer_->Health().ok()) writer_->WaitStored(kFlushPatience);
  absl::StatusOr<v1::GetUsageResponse> report = absl::UnknownError("");
  const absl::StatusOr<std::shared_ptr<Database>> database = Connection();
  if (database.ok()) {
    report = MakeUsageReport(**database, query, rates);
  } else {
    report = database.status();
  }
  if (report.ok()) return report;
  MutexLock lock(mutex_);
  database_.reset();
  return absl::UnavailableError(report.status().message());
}

absl::StatusOr<std::shared_ptr<Database>> SqliteUsageStore::Connection() {
  {
    MutexLock lock(mutex_);
    if (stopped_) return absl::UnavailableError("the store is closed");
    if (database_ != nullptr) return database_;
  }
  LLM_ASSIGN_OR_RETURN(std::shared_ptr<Database> opened,
                       OpenMigrated(path_, kBusyTimeout));
  MutexLock lock(mutex_);
  database_ = opened;
  return opened;
}

}  // namespace llm::server
