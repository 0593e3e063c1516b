// Reads a price list (the format of prices.json) into rows and rules.
//
// Strict: an unknown field is an error, so that a price with a misspelt name
// cannot silently cost nothing.
//
// Threads: Pure.
// Errors:  kInvalidArgument naming the row and the field.
#ifndef LLM_ROUTER_PRICE_LIST_H_
#define LLM_ROUTER_PRICE_LIST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "router/price_row.h"

namespace llm {

// Factors of service tiers are millionths: "0.5" is 500'000.
inline constexpr int64_t kFactorUnit = 1'000'000;
inline constexpr int kFactorDecimals = 6;

struct PriceProviderRules {
  // Rows and rules of this provider apply where there are none of its own.
  std::string inherit;
  // Only the rules do.
  std::string inherit_rules;
  // By service tier.
  std::map<std::string, int64_t> factors;
  // On all tokens served in the United States.
  std::optional<int64_t> us_factor;
  // For one web search, pico-units of US dollars.
  std::optional<int64_t> web_search;
  // The provider's own charge in the usage is the cost.
  bool reported_cost = false;
};

struct PriceList {
  std::string as_of;
  std::vector<PriceRow> rows;
  std::map<std::string, PriceProviderRules> providers;
};

absl::StatusOr<PriceList> ParsePriceList(std::string_view json);

}  // namespace llm

#endif  // LLM_ROUTER_PRICE_LIST_H_
