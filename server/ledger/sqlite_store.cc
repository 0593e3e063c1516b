#include "server/ledger/sqlite_store.h"

#include <unistd.h>

#include <utility>

#include "adapters/core/ids.h"
#include "adapters/core/status_macros.h"
#include "server/auth/sqlite_key_store.h"
#include "server/ledger/schema.h"
#include "server/ledger/sqlite_usage_store.h"

namespace llm::server {
namespace {

constexpr absl::Duration kOpenPatience = absl::Seconds(1);
constexpr absl::Duration kDestructorPatience = absl::Seconds(5);

class SqliteLedger : public UsageLedger {
 public:
  explicit SqliteLedger(std::shared_ptr<Journal> journal)
      : journal_(std::move(journal)) {}

  Task<absl::Status> Append(std::vector<LedgerEntry> entries) override {
    co_return journal_->Append(entries);
  }

 private:
  // Shared with the store's writer: see StoreWriter::AddJournal.
  std::shared_ptr<Journal> journal_;
};

class OpenedStore : public SqliteStore {
 public:
  OpenedStore(const StoreOptions& options, ExchangeRates rates,
              std::unique_ptr<StoreWriter> writer)
      : writer_(std::move(writer)),
        keys_(options.path, options.clock, options.random),
        usage_(options.path, std::move(rates), writer_.get()) {}
  ~OpenedStore() override { Close(kDestructorPatience).IgnoreError(); }

  std::unique_ptr<UsageLedger> MakeLedger(int worker_index) override {
    return std::make_unique<SqliteLedger>(writer_->AddJournal(worker_index));
  }
  KeyStore& keys() override { return keys_; }
  UsageStore& usage() override { return usage_; }
  LedgerCounters Counters() const override { return writer_->Counters(); }

  absl::Status SetRates(const std::string& report_currency,
                        const std::vector<ExchangeRate>& rates) override {
    LLM_ASSIGN_OR_RETURN(ExchangeRates made,
                         ExchangeRates::Make(report_currency, rates));
    usage_.SetRates(std::move(made));
    return absl::OkStatus();
  }

  absl::Status Close(absl::Duration patience) override {
    usage_.Stop();
    keys_.Stop();
    return writer_->Close(patience);
  }

 private:
  std::unique_ptr<StoreWriter> writer_;
  SqliteKeyStore keys_;
  SqliteUsageStore usage_;
};

// What would be as wrong later is told now; what may pass is left to the
// threads.
absl::Status TryOpen(const std::string& path) {
  const absl::Status opened = OpenMigrated(path, kOpenPatience).status();
  if (opened.ok() || access(path.c_str(), R_OK | W_OK) != 0) return opened;
  return absl::IsUnavailable(opened) ? absl::OkStatus() : opened;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteStore>> OpenStore(StoreOptions options) {
  LLM_ASSIGN_OR_RETURN(
      ExchangeRates rates,
      ExchangeRates::Make(options.report_currency, options.rates));
  LLM_RETURN_IF_ERROR(TryOpen(options.path));
  StoreWriterOptions writing;
  writing.path = options.path;
  writing.journal_root = options.path + ".journal";
  writing.instance = MintUuidV7(options.clock->WallNow(), *options.random);
  writing.journal_bytes = options.journal_bytes;
  writing.segment_bytes = options.segment_bytes;
  writing.group_interval = options.group_interval;
  writing.clock = options.clock;
  LLM_ASSIGN_OR_RETURN(auto writer, StoreWriter::Start(std::move(writing)));
  return std::make_unique<OpenedStore>(options, std::move(rates),
                                       std::move(writer));
}

}  // namespace llm::server
