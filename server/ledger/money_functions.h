// Aggregates over money that SQLite lacks: its SUM stops at 64 bits.
//
//   exact_sum(integer)                 the sum as decimal text
//   converted_sum(pico, currency, us)  each row converted by the rate in force
//                                      at its start, rounded once, summed;
//                                      rows without a rate or cost are left out
//   converts(currencies, us)           1 if every one of the comma-separated
//                                      currencies has a rate then
//
// Sums are 128 bits wide.
#ifndef LLM_SERVER_LEDGER_MONEY_FUNCTIONS_H_
#define LLM_SERVER_LEDGER_MONEY_FUNCTIONS_H_

#include <string>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "server/ledger/exchange_rates.h"
#include "server/ledger/sqlite_database.h"

namespace llm::server {

// `rates` is used until the next call for this connection.
absl::Status RegisterMoneyFunctions(Database& database,
                                    const ExchangeRates* rates);

// The sums' text form.
std::string Int128Text(absl::int128 value);
absl::int128 ParseInt128Text(const std::string& text);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_MONEY_FUNCTIONS_H_
