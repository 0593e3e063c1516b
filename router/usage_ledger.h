// The rows that remember what was spent, and the promise that none is lost.
//
// Promise: after Append returns OK the entries survive kill -9 of this
// process. An intent is appended before its attempt is dispatched; the
// attempt's record, and after the last one the request's, before the last
// bytes leave for the caller. An intent without a record is found again at
// the next start and stored as outcome `lost`.
//
// Threads: One object per event loop; calls on that loop.
// Errors:  kResourceExhausted when the journal is full (the store is behind):
//          the request must be refused or fail, never go unrecorded.
#ifndef LLM_ROUTER_USAGE_LEDGER_H_
#define LLM_ROUTER_USAGE_LEDGER_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/core/ids.h"
#include "adapters/core/money.h"
#include "adapters/core/task.h"
#include "adapters/core/usage.h"

namespace llm {

enum class AttemptRole { kPrimary, kRetry, kFallback, kHedge, kShadow, kProbe };
std::string_view AttemptRoleName(AttemptRole role);

// Whose call it is. In every row from day one, even where empty.
struct CallIdentity {
  CallId request_id;
  std::string org;
  std::string team;
  std::string user;      // of the virtual key
  std::string end_user;  // OpenAI's `user` field, asserted by the caller
  KeyId key_id;
  std::string run_id;
  std::string agent;
  std::string task_type;
  // How the task was derived: request, alias, path, metadata, default.
  std::string task_source;
  std::string symbol;  // from metadata, if any
  std::string trace_id;
  std::string client_request_id;  // the caller's own; never unique
  std::string variant;            // experiment; empty for now
  std::string door;               // grpc, http
};

struct AttemptIntent {
  AttemptId attempt_id;
  CallIdentity identity;
  AttemptRole role = AttemptRole::kPrimary;
  int ordinal = 0;  // 0 for the first attempt of a request
  ProviderId provider;
  std::string deployment;
  ModelId public_model;
  ModelId upstream_model;
  absl::Time started;
};

struct AttemptRecord {
  AttemptIntent intent;
  absl::Duration duration;
  std::optional<absl::Duration> time_to_first_content;
  // ok, client_cancelled (also where the service cut it at a shutdown), lost,
  // not_dispatched (nothing was sent: the record only closes its intent), or
  // FailureClassName().
  std::string outcome;
  int http_status = 0;
  std::string upstream_code;
  ModelId served_model;
  std::string provider_request_id;
  TokenUsage usage;
  UsageSource usage_source = UsageSource::kNone;
  std::string raw_usage_json;
  std::optional<Money> cost;  // unset: unknown
  std::string price_status;   // PriceStatusName()
  std::string price_version;
  bool price_degraded = false;
  // Why this attempt was made and what followed: for people.
  std::string reason;
  std::string next;  // stop, retry, next_key, next_deployment
  std::vector<std::string> dropped;
  bool streamed_upstream = false;
};

// One per caller request that was authenticated and well formed.
struct RequestRecord {
  CallIdentity identity;
  absl::Time started;
  absl::Duration duration;
  // ok, client_cancelled, or the `code` column of the contract.
  std::string outcome;
  int http_status = 0;
  ModelId requested_model;
  ModelId public_model;  // that answered; empty if none
  ProviderId provider;
  int attempts = 0;  // that were dispatched
  bool stream = false;
  // Sums over the attempts; unset cost: at least one attempt is unpriced.
  TokenUsage usage;
  UsageSource usage_source = UsageSource::kNone;
  std::vector<Money> cost;  // one per currency
  bool unpriced = false;
  std::string config_version;
  std::string reason;
  // The caller's `metadata` as a JSON object of strings; empty if none.
  std::string metadata_json;
  // Spent in providers' lines; logged, not stored.
  absl::Duration queued;
};

using LedgerEntry = std::variant<AttemptIntent, AttemptRecord, RequestRecord>;

class UsageLedger {
 public:
  virtual ~UsageLedger() = default;
  // All entries in one append, in order, or none.
  virtual Task<absl::Status> Append(std::vector<LedgerEntry> entries) = 0;
};

// Records nothing.
class NoLedger : public UsageLedger {
 public:
  Task<absl::Status> Append(std::vector<LedgerEntry>) override {
    co_return absl::OkStatus();
  }
};

}  // namespace llm

#endif  // LLM_ROUTER_USAGE_LEDGER_H_
