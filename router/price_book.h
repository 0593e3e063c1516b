// What a token costs: dated price rows and the exact arithmetic over them.
//
// Rows come from the built-in list (prices.json: fields, sources and dates
// stand in it, per row) and from the configuration, which wins. Lookup:
// restrict to provider, currency and public model, drop rows not in force at
// the request's start, then exact model, alias, pattern in file order; the
// model that was served before the one that was asked for. Unknown is unknown:
// nullopt, never zero. OpenRouter reports its own charge, which is taken as it
// is unless the configuration has a row.
//
// Threads: Immutable once built; share freely.
// Units:   Pico-units of the row's currency per token.
#ifndef LLM_ROUTER_PRICE_BOOK_H_
#define LLM_ROUTER_PRICE_BOOK_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/ids.h"
#include "adapters/core/money.h"
#include "adapters/core/usage.h"
#include "router/price_row.h"

namespace llm {

enum class PriceStatus {
  kPriced,
  kUnknownModel,  // no row for it
  kUnknownTier,   // a row, but not for the service tier that was served
  kUnknownUsage,  // no token counts to price
};
std::string_view PriceStatusName(PriceStatus status);

struct PricedCost {
  PriceStatus status = PriceStatus::kUnknownModel;
  std::optional<Money> cost;  // set exactly for kPriced
  // "deepseek/deepseek-flash@1a2b3c", empty if unknown.
  std::string price_version;
  // The rate was coarser than the facts asked for (an image at text price),
  // or one side of the usage was not reported and counts as nothing.
  bool degraded = false;
  // The price comes from no document: to be confirmed before billing.
  bool unverified = false;
};

struct PriceQuery {
  std::string_view provider;  // price book provider
  const Currency* currency = nullptr;
  std::string_view public_model;     // by which the caller got there
  std::string_view served_model;     // as the provider said; may be empty
  std::string_view requested_model;  // the upstream id we asked for
  absl::Time at;                     // request start
  // The request ran in thinking mode (Qwen's second output price).
  bool thinking = false;
};

class PriceBook {
 public:
  // Parses the built-in list. `overrides` come first in every lookup.
  // kInvalidArgument names the row and field at fault.
  static absl::StatusOr<std::shared_ptr<const PriceBook>> Parse(
      std::string_view json, std::vector<PriceRow> overrides);

  ~PriceBook();

  // The row in force, or null.
  const PriceRow* Find(const PriceQuery& query) const;
  // The exact cost of one attempt.
  PricedCost Price(const PriceQuery& query, const TokenUsage& usage) const;

  const std::vector<PriceRow>& rows() const;
  // Date of the built-in list, "2026-11-22".
  std::string_view as_of() const;

 private:
  struct Data;
  explicit PriceBook(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

// Prices at `at` after tier and window, for reports and model lists.
PriceSet EffectivePrices(const PriceRow& row, absl::Time at,
                         int64_t total_input);

// The text of router/prices.json, compiled in.
std::string_view BuiltInPrices();

}  // namespace llm

#endif  // LLM_ROUTER_PRICE_BOOK_H_
