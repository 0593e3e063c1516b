// Ledger entries as rows: idempotent by our ids, all parameters bound.
//
// A row that cannot be stored is set aside alone, in `quarantine`, as its
// kind, id, size and the store's words: never with its content.
//
// Threads: Those of the connection.
// Errors:  A failure is the store's, never a row's: the group must be tried
//          again.
#ifndef LLM_SERVER_LEDGER_ROW_WRITER_H_
#define LLM_SERVER_LEDGER_ROW_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/usage_ledger.h"
#include "server/ledger/sqlite_database.h"

namespace llm::server {

class RowWriter {
 public:
  // Prepares its statements on `database`, which outlives it.
  static absl::StatusOr<RowWriter> Make(Database& database);

  // Stores a record; an id that is there already is left as it is. Intents
  // have no row. True: set aside.
  absl::StatusOr<bool> Insert(const LedgerEntry& entry, absl::Time now);
  absl::Status Quarantine(std::string_view kind, std::string_view id,
                          std::string_view reason, int64_t bytes,
                          absl::Time now);
  // The calls that outlive their segment (open_calls.h); `entries`: a frame.
  absl::Status Carry(std::string_view instance, std::string_view request_id,
                     std::string_view entries);
  absl::Status EndCarried(std::string_view instance,
                          std::string_view request_id);
  absl::Status EndAllCarried(std::string_view instance);
  absl::StatusOr<std::vector<std::string>> CarriedOf(std::string_view instance);

 private:
  RowWriter() = default;
  absl::StatusOr<bool> Finish(Statement& statement, absl::Status bound,
                              std::string_view kind, std::string_view id,
                              absl::Time now);

  Statement attempt_;
  Statement request_;
  Statement quarantine_;
  Statement carry_;
  Statement end_carried_;
  Statement end_all_carried_;
  Statement carried_of_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_ROW_WRITER_H_
