// Dated exchange rates into one report currency, exact.
//
// Threads: Immutable once made.
// Units:   Pico-units; rates are decimals of at most twelve places.
#ifndef LLM_SERVER_LEDGER_EXCHANGE_RATES_H_
#define LLM_SERVER_LEDGER_EXCHANGE_RATES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

class ExchangeRates {
 public:
  // kInvalidArgument for a rate that is not a decimal. Rates into other
  // currencies than `report_currency` are left out.
  static absl::StatusOr<ExchangeRates> Make(
      std::string report_currency, const std::vector<ExchangeRate>& rates);

  const std::string& report_currency() const { return report_currency_; }
  // By the rate in force at `at`, half to even; nullopt without one.
  std::optional<absl::int128> Convert(const std::string& currency,
                                      absl::int128 pico, absl::Time at) const;
  bool Converts(const std::string& currency, absl::Time at) const {
    return Convert(currency, 0, at).has_value();
  }

 private:
  std::string report_currency_;
  // By currency, then by the instant from which a rate is in force.
  std::map<std::string, std::map<absl::Time, int64_t>> rates_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_EXCHANGE_RATES_H_
