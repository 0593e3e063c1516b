#include "server/ledger/schema.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"

namespace llm::server {
namespace {

// Times are microseconds since 1970 UTC, money is pico-units of `currency`,
// unset token counts were not reported. An id of nothing cannot be a key:
// such a row goes to quarantine.
constexpr char kVersion1[] = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL)
  STRICT;
INSERT INTO meta VALUES ('keys_generation', 0);

CREATE TABLE attempts (
  attempt_id TEXT PRIMARY KEY NOT NULL
    CHECK (length(attempt_id) BETWEEN 1 AND 64),
  request_id TEXT NOT NULL, org TEXT NOT NULL, team TEXT NOT NULL,
  user TEXT NOT NULL, end_user TEXT NOT NULL, key_id TEXT NOT NULL,
  run_id TEXT NOT NULL, agent TEXT NOT NULL, task_type TEXT NOT NULL,
  task_source TEXT NOT NULL, symbol TEXT NOT NULL, trace_id TEXT NOT NULL,
  variant TEXT NOT NULL, door TEXT NOT NULL,
  role TEXT NOT NULL, ordinal INTEGER NOT NULL, provider TEXT NOT NULL,
  deployment TEXT NOT NULL, public_model TEXT NOT NULL,
  upstream_model TEXT NOT NULL, started_us INTEGER NOT NULL,
  duration_us INTEGER NOT NULL, first_content_us INTEGER,
  outcome TEXT NOT NULL, http_status INTEGER NOT NULL,
  upstream_code TEXT NOT NULL, served_model TEXT NOT NULL,
  provider_request_id TEXT NOT NULL,
  fresh_input INTEGER, cache_read INTEGER, cache_write_5m INTEGER,
  cache_write_1h INTEGER, cache_read_explicit INTEGER NOT NULL,
  output INTEGER, reasoning INTEGER, audio_input INTEGER,
  audio_cache_read INTEGER, audio_output INTEGER, image_input INTEGER,
  accepted_prediction INTEGER, rejected_prediction INTEGER,
  service_tier TEXT NOT NULL, reported_cost TEXT NOT NULL,
  usage_source TEXT NOT NULL, raw_usage TEXT NOT NULL,
  cost_pico INTEGER, currency TEXT, price_status TEXT NOT NULL,
  price_version TEXT NOT NULL, price_degraded INTEGER NOT NULL,
  reason TEXT NOT NULL, next TEXT NOT NULL, dropped TEXT NOT NULL,
  streamed_upstream INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_started ON attempts (started_us);
CREATE INDEX attempts_request ON attempts (request_id);
CREATE INDEX attempts_key ON attempts (key_id, started_us);
CREATE INDEX attempts_run ON attempts (run_id, started_us) WHERE run_id != '';

CREATE TABLE requests (
  request_id TEXT PRIMARY KEY NOT NULL
    CHECK (length(request_id) BETWEEN 1 AND 64),
  org TEXT NOT NULL, team TEXT NOT NULL,
  user TEXT NOT NULL, end_user TEXT NOT NULL, key_id TEXT NOT NULL,
  run_id TEXT NOT NULL, agent TEXT NOT NULL, task_type TEXT NOT NULL,
  task_source TEXT NOT NULL, symbol TEXT NOT NULL, trace_id TEXT NOT NULL,
  variant TEXT NOT NULL, door TEXT NOT NULL,
  started_us INTEGER NOT NULL, duration_us INTEGER NOT NULL,
  outcome TEXT NOT NULL, http_status INTEGER NOT NULL,
  requested_model TEXT NOT NULL, public_model TEXT NOT NULL,
  provider TEXT NOT NULL, attempts INTEGER NOT NULL, stream INTEGER NOT NULL,
  fresh_input INTEGER, cache_read INTEGER, cache_write_5m INTEGER,
  cache_write_1h INTEGER, cache_read_explicit INTEGER NOT NULL,
  output INTEGER, reasoning INTEGER, audio_input INTEGER,
  audio_cache_read INTEGER, audio_output INTEGER, image_input INTEGER,
  accepted_prediction INTEGER, rejected_prediction INTEGER,
  service_tier TEXT NOT NULL, reported_cost TEXT NOT NULL,
  usage_source TEXT NOT NULL,
  currencies TEXT NOT NULL, unpriced INTEGER NOT NULL,
  config_version TEXT NOT NULL, reason TEXT NOT NULL,
  metadata_json TEXT NOT NULL
) STRICT;
CREATE INDEX requests_started ON requests (started_us);
CREATE INDEX requests_key ON requests (key_id, started_us);
CREATE INDEX requests_run ON requests (run_id, started_us) WHERE run_id != '';

CREATE TABLE open_calls (
  instance TEXT NOT NULL, request_id TEXT NOT NULL, entries BLOB NOT NULL,
  PRIMARY KEY (instance, request_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  kind TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL,
  bytes INTEGER NOT NULL, at_us INTEGER NOT NULL,
  PRIMARY KEY (kind, id, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  key_id TEXT PRIMARY KEY NOT NULL,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  prefix TEXT NOT NULL, name TEXT NOT NULL, org TEXT NOT NULL,
  team TEXT NOT NULL, user TEXT NOT NULL,
  models TEXT NOT NULL, org_admin INTEGER NOT NULL,
  created_us INTEGER NOT NULL, expires_us INTEGER, revoked_us INTEGER
) STRICT;
)sql";

// What a caller called its request, for support; never unique.
constexpr char kVersion2[] = R"sql(
ALTER TABLE requests ADD COLUMN client_request_id TEXT NOT NULL DEFAULT '';
)sql";

// What is charged beside tokens, or by a price of its own.
constexpr char kVersion3[] = R"sql(
ALTER TABLE attempts ADD COLUMN video_input INTEGER;
ALTER TABLE attempts ADD COLUMN web_searches INTEGER;
ALTER TABLE attempts ADD COLUMN geo TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN video_input INTEGER;
ALTER TABLE requests ADD COLUMN web_searches INTEGER;
ALTER TABLE requests ADD COLUMN geo TEXT NOT NULL DEFAULT '';
)sql";

constexpr std::array kMigrations = {kVersion1, kVersion2, kVersion3};

}  // namespace

int SchemaVersion() { return static_cast<int>(kMigrations.size()); }

absl::Status Migrate(Database& database) {
  // Looked at before the write lock is asked for: the usual case needs none.
  LLM_ASSIGN_OR_RETURN(int64_t version,
                       database.QueryInt("PRAGMA user_version"));
  if (version == SchemaVersion()) return absl::OkStatus();
  LLM_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database));
  LLM_ASSIGN_OR_RETURN(version, database.QueryInt("PRAGMA user_version"));
  if (version > SchemaVersion()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store has schema version ", version,
                     ", this release knows up to ", SchemaVersion()));
  }
  for (auto at = static_cast<size_t>(version); at < kMigrations.size(); ++at) {
    LLM_RETURN_IF_ERROR(database.Execute(kMigrations[at]));
  }
  LLM_RETURN_IF_ERROR(
      database.Execute(absl::StrCat("PRAGMA user_version=", SchemaVersion())));
  return transaction.Commit();
}

absl::StatusOr<std::unique_ptr<Database>> OpenMigrated(
    const std::string& path, absl::Duration busy_timeout) {
  LLM_ASSIGN_OR_RETURN(auto database, Database::Open(path, busy_timeout));
  LLM_RETURN_IF_ERROR(Migrate(*database));
  return database;
}

}  // namespace llm::server
