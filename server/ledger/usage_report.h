// The report of a usage query over the tables, exact to the last pico-unit.
//
// Requests are counted in `requests`, attempts, tokens and money in
// `attempts`. By model or provider a request belongs to the one that
// answered; one that nobody answered to its last attempt's, or to the model
// it asked for.
//
// Threads: That of the connection, which should be one that only reads.
// Errors:  kUnavailable and friends (sqlite_database.h).
#ifndef LLM_SERVER_LEDGER_USAGE_REPORT_H_
#define LLM_SERVER_LEDGER_USAGE_REPORT_H_

#include "absl/status/statusor.h"
#include "llm/v1/usage.pb.h"
#include "server/ledger/exchange_rates.h"
#include "server/ledger/sqlite_database.h"
#include "server/ledger/usage_query.h"

namespace llm::server {

absl::StatusOr<v1::GetUsageResponse> MakeUsageReport(
    Database& database, const UsageQuery& query, const ExchangeRates& rates);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_USAGE_REPORT_H_
