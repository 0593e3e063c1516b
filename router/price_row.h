// One dated line of the price list.
//
// Threads: Plain values.
// Units:   Pico-units of the row's currency per token: a price per million
//          tokens with six decimals is an exact integer of them.
// Fact:    Field meanings and fallbacks as in prices.json's own source, per
//          row (`source`, `confidence`).
#ifndef LLM_ROUTER_PRICE_ROW_H_
#define LLM_ROUTER_PRICE_ROW_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/money.h"

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
  std::optional<int64_t> video_input;           // else input
  friend bool operator==(const PriceSet&, const PriceSet&) = default;
};

struct PriceTier {
  int64_t above_input_tokens = 0;  // strictly above
  bool unverified = false;
  PriceSet prices;  // what is unset falls back to the row
};

struct PriceWindow {
  std::string timezone;   // IANA name
  std::vector<int> days;  // 1 = Monday … 7 = Sunday, in that zone
  // [start, end) minutes of the day in that zone; past midnight if end <
  // start, both parts judged by the day they are in.
  std::vector<std::pair<int, int>> ranges;
  // Days of that zone on which the window does not hold: a calendar of
  // public_holidays.h; empty: none.
  std::string excludes;
  PriceSet prices;
};

struct PriceRow {
  std::string provider;
  // Holds for this public model only; empty: for all that reach `model`.
  std::string public_model;
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
    bool unverified = false;
  };
  std::optional<OutputCondition> output_condition;
  std::string source;      // URL or "configuration"
  std::string confidence;  // high, medium, low
  // Short stable digest of the row, kept with every priced attempt.
  std::string version;
};

// Every price of a PriceSet by its name in prices.json.
struct PriceField {
  std::string_view name;
  std::optional<int64_t> PriceSet::*member;
};
inline constexpr std::array<PriceField, 12> kPriceFields = {{
    {"input", &PriceSet::input},
    {"cached_input", &PriceSet::cached_input},
    {"cached_input_explicit", &PriceSet::cached_input_explicit},
    {"cache_write", &PriceSet::cache_write},
    {"cache_write_1h", &PriceSet::cache_write_1h},
    {"output", &PriceSet::output},
    {"output_thinking_mode", &PriceSet::output_thinking_mode},
    {"audio_input", &PriceSet::audio_input},
    {"audio_cached_input", &PriceSet::audio_cached_input},
    {"audio_output", &PriceSet::audio_output},
    {"image_input", &PriceSet::image_input},
    {"video_input", &PriceSet::video_input},
}};

// A digest over everything that can change a cost: 12 hexadecimal digits.
std::string PriceRowDigest(const PriceRow& row);

}  // namespace llm

#endif  // LLM_ROUTER_PRICE_ROW_H_
