// Exact money: a currency and signed 64-bit pico-units (10^-12) of it.
//
// A price per million tokens with up to six decimals is an exact integer of
// pico-units per token, so a cost is one checked multiply without rounding.
// What does not fit (surcharges, exchange rates) is rounded once, half to
// even, per attempt. Range: 9.2 million units; sums use absl::int128.
#ifndef LLM_ADAPTERS_CORE_MONEY_H_
#define LLM_ADAPTERS_CORE_MONEY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"

namespace llm {

inline constexpr int64_t kPicoPerUnit = 1'000'000'000'000;

// Three upper-case letters, ISO 4217.
struct Currency {
  std::string code;
  friend auto operator<=>(const Currency&, const Currency&) = default;
};

struct Money {
  Currency currency;
  int64_t pico = 0;
  friend bool operator==(const Money&, const Money&) = default;
};

// Parses "0.003625" to an integer scaled by 10^scale. Digits with one optional
// point, no sign, no exponent. kInvalidArgument for anything else, for more
// than `scale` decimals (trailing zeros are fine) and for overflow.
absl::StatusOr<int64_t> ParseDecimal(std::string_view text, int scale);

// Exact decimal text of `value / 10^scale`, at least `min_decimals` decimals,
// no other trailing zeros: (70'500'000'000, 12, 6) is "0.070500".
std::string FormatDecimal(absl::int128 value, int scale, int min_decimals);

// The decimal text of an amount in pico-units, at least six decimals.
std::string FormatPico(absl::int128 pico);

// value * numerator / denominator, half to even. Requires denominator > 0.
absl::int128 MulDivHalfEven(absl::int128 value, int64_t numerator,
                            int64_t denominator);

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_MONEY_H_
