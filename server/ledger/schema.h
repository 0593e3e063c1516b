// The tables of the store, and how older files become current ones.
//
// Forward only: PRAGMA user_version counts the migrations that ran, each in
// one transaction, whichever process comes first. A file from a newer release
// is refused.
#ifndef LLM_SERVER_LEDGER_SCHEMA_H_
#define LLM_SERVER_LEDGER_SCHEMA_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ledger/sqlite_database.h"

namespace llm::server {

int SchemaVersion();

// kFailedPrecondition for a newer file.
absl::Status Migrate(Database& database);

// Open and Migrate.
absl::StatusOr<std::unique_ptr<Database>> OpenMigrated(
    const std::string& path, absl::Duration busy_timeout);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_SCHEMA_H_
