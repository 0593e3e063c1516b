// The arithmetic from a row and a usage to an amount.
//
// Threads: Pure.
// Units:   Pico-units of the row's currency.
#ifndef LLM_ROUTER_PRICE_COST_H_
#define LLM_ROUTER_PRICE_COST_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/numeric/int128.h"
#include "absl/time/time.h"
#include "adapters/core/usage.h"
#include "router/price_row.h"

namespace llm {

struct CostSum {
  // Before any factor of a service tier. Unset: the row has no price for
  // something that was used.
  std::optional<absl::int128> pico;
  bool degraded = false;
  bool unverified = false;
};

// What `usage` costs by `row` for a request that began at `at`. Requires a
// usage that is not empty.
CostSum SumCost(const PriceRow& row, absl::Time at, bool thinking,
                const TokenUsage& usage);

// A charge that a provider reported as a JSON number ("0.00014", "1.4e-04")
// in pico-units, half to even; nullopt if it is none or negative.
std::optional<int64_t> ParseReportedCost(std::string_view text);

}  // namespace llm

#endif  // LLM_ROUTER_PRICE_COST_H_
