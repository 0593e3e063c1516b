#include "server/ledger/exchange_rates.h"

#include <iterator>
#include <utility>

#include "adapters/core/money.h"
#include "adapters/core/status_macros.h"

namespace llm::server {
namespace {

constexpr int kRateDecimals = 12;
constexpr int64_t kRateScale = 1'000'000'000'000;

}  // namespace

absl::StatusOr<ExchangeRates> ExchangeRates::Make(
    std::string report_currency, const std::vector<ExchangeRate>& rates) {
  ExchangeRates made;
  made.report_currency_ = std::move(report_currency);
  for (const ExchangeRate& rate : rates) {
    if (rate.to != made.report_currency_) continue;
    LLM_ASSIGN_OR_RETURN(const int64_t scaled,
                         ParseDecimal(rate.rate, kRateDecimals));
    made.rates_[rate.from][rate.since] = scaled;
  }
  return made;
}

std::optional<absl::int128> ExchangeRates::Convert(const std::string& currency,
                                                   absl::int128 pico,
                                                   absl::Time at) const {
  if (currency == report_currency_) return pico;
  const auto found = rates_.find(currency);
  if (found == rates_.end()) return std::nullopt;
  const auto after = found->second.upper_bound(at);
  if (after == found->second.begin()) return std::nullopt;
  return MulDivHalfEven(pico, std::prev(after)->second, kRateScale);
}

}  // namespace llm::server
