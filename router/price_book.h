// What a token costs: dated price rows and the exact arithmetic over them.
//
// Rows come from the built-in list (prices.json: fields, sources and dates
// stand in it, per row) and from the configuration, which wins. Lookup:
// restrict to provider and currency, drop rows not in force at the request's
// start, then exact model, alias, pattern in file order. Unknown is unknown:
// nullopt, never zero.
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

namespace llm {

// Prices of one tier or window, pico-units per token. Unset: falls back as
// written beside each.
struct PriceSet {
  std::optional<int64_t> input;
  std::optional<int64_t> cached_input;           // else input
  std::optional<int64_t> cached_input_explicit;  // else cached_input
  std::optional<int64_t> cache_write;            // else input
  std::optional<int64_t> cache_write_1h;         // else cache_write
  std::optional<int64_t> output;
  std::optional<int64_t> output_thinking_mode;  // else output
  std::optional<int64_t> audio_input;           // else input
  std::optional<int64_t> audio_cached_input;    // else cached_input
  std::optional<int64_t> audio_output;          // else output
  std::optional<int64_t> image_input;           // else input
};

struct PriceTier {
  int64_t above_input_tokens = 0;  // strictly above
  PriceSet prices;                 // what is unset falls back to the row
};

struct PriceWindow {
  std::string timezone;   // IANA name
  std::vector<int> days;  // 1 = Monday … 7 = Sunday, in that zone
  // [start, end) minutes of the day in that zone.
  std::vector<std::pair<int, int>> ranges;
  PriceSet prices;
};

struct PriceRow {
  std::string provider;
  std::string model;
  std::vector<std::string> aliases;
  std::string match;  // anchored regular expression (RE2 syntax), or empty
  Currency currency;
  absl::Time effective_from = absl::InfinitePast();
  absl::Time effective_until = absl::InfiniteFuture();
  int64_t context_window = 0;
  int64_t max_output_tokens = 0;
  bool embedding = false;
  bool unverified = false;
  PriceSet prices;
  std::vector<PriceTier> tiers;
  std::vector<PriceWindow> windows;
  // Volcengine: cheaper output while input and output stay within limits.
  struct OutputCondition {
    int64_t max_input_tokens = 0;
    int64_t max_output_tokens = 0;
    int64_t output = 0;
  };
  std::optional<OutputCondition> output_condition;
  std::string source;      // URL or "configuration"
  std::string confidence;  // high, medium, low
  // Short stable digest of the row, kept with every priced attempt.
  std::string version;
};

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
  // The rate was coarser than the facts asked for (an image at text price).
  bool degraded = false;
};

struct PriceQuery {
  std::string_view provider;  // price book provider
  const Currency* currency = nullptr;
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
