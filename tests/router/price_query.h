// Short ways to ask the built-in price book in tests.
#ifndef LLM_TESTS_ROUTER_PRICE_QUERY_H_
#define LLM_TESTS_ROUTER_PRICE_QUERY_H_

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "router/price_book.h"

namespace llm {

inline absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  const bool good = absl::ParseTime(absl::RFC3339_full, text, &time, &error);
  REQUIRE(good);
  return time;
}

inline std::shared_ptr<const PriceBook> Book(
    std::vector<PriceRow> overrides = {}) {
  auto book = PriceBook::Parse(BuiltInPrices(), std::move(overrides));
  REQUIRE(book.ok());
  return *std::move(book);
}

inline const Currency& Usd() {
  static const Currency kUsd{"USD"};
  return kUsd;
}
inline const Currency& Cny() {
  static const Currency kCny{"CNY"};
  return kCny;
}

inline PriceQuery Ask(std::string_view provider, std::string_view model,
                      absl::Time at, const Currency& currency = Usd()) {
  PriceQuery query;
  query.provider = provider;
  query.currency = &currency;
  query.requested_model = model;
  query.at = at;
  return query;
}

inline absl::Time Today() { return At("2026-11-22T12:00:00Z"); }

inline TokenUsage Tokens(TokenCount fresh, TokenCount read, TokenCount write,
                         TokenCount output) {
  TokenUsage usage;
  usage.fresh_input = fresh;
  usage.cache_read = read;
  usage.cache_write_5m = write;
  usage.output = output;
  return usage;
}

// The amount in pico-units; fails the test where there is none.
inline int64_t Pico(const PricedCost& priced) {
  REQUIRE(priced.status == PriceStatus::kPriced);
  REQUIRE(priced.cost.has_value());
  return priced.cost->pico;
}

}  // namespace llm

#endif  // LLM_TESTS_ROUTER_PRICE_QUERY_H_
