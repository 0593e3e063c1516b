#include "adapters/core/money.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "absl/strings/str_cat.h"

namespace llm {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Appends a decimal digit; false where the value leaves int64.
bool AppendDigit(int digit, int64_t* value) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (*value > (kMax - digit) / 10) return false;
  *value = *value * 10 + digit;
  return true;
}

absl::Status NotADecimal(const char* reason) {
  return absl::InvalidArgumentError(absl::StrCat("not a decimal: ", reason));
}

// Decimal digits of a non-negative value, at least `width` of them.
std::string Digits(absl::uint128 value, size_t width) {
  std::string digits;
  while (value != 0 || digits.size() < width) {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

absl::uint128 Magnitude(absl::int128 value) {
  const auto bits = static_cast<absl::uint128>(value);
  return value < 0 ? ~bits + 1 : bits;
}

}  // namespace

absl::StatusOr<int64_t> ParseDecimal(std::string_view text, int scale) {
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  const bool point_last = point + 1 == text.size();
  if (whole.empty() || point_last) return NotADecimal("digits are missing");
  if (!std::all_of(whole.begin(), whole.end(), IsDigit) ||
      !std::all_of(fraction.begin(), fraction.end(), IsDigit)) {
    return NotADecimal("digits with one optional point are allowed");
  }
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > static_cast<size_t>(scale)) {
    return NotADecimal("too many decimals");
  }
  int64_t value = 0;
  bool fits = true;
  for (const char c : whole) fits = fits && AppendDigit(c - '0', &value);
  for (int i = 0; i < scale; ++i) {
    const auto at = static_cast<size_t>(i);
    const int digit = at < fraction.size() ? fraction[at] - '0' : 0;
    fits = fits && AppendDigit(digit, &value);
  }
  if (!fits) return NotADecimal("too large");
  return value;
}

std::string FormatDecimal(absl::int128 value, int scale, int min_decimals) {
  assert(scale >= 0 && min_decimals >= 0);
  const auto decimals = static_cast<size_t>(scale);
  const std::string digits = Digits(Magnitude(value), decimals + 1);
  std::string text = value < 0 ? "-" : "";
  text.append(digits, 0, digits.size() - decimals);
  std::string fraction = digits.substr(digits.size() - decimals);
  const auto keep = static_cast<size_t>(min_decimals);
  while (fraction.size() > keep && fraction.back() == '0') fraction.pop_back();
  if (fraction.size() < keep) fraction.resize(keep, '0');
  if (!fraction.empty()) text.append(".").append(fraction);
  return text;
}

std::string FormatPico(absl::int128 pico) { return FormatDecimal(pico, 12, 6); }

absl::int128 MulDivHalfEven(absl::int128 value, int64_t numerator,
                            int64_t denominator) {
  assert(denominator > 0);
  // By quotient and remainder, so that a large value times the numerator does
  // not overflow as long as the result itself fits:
  // value * n / d = (value / d) * n + (value % d) * n / d, and the second
  // product is below 2^126.
  const absl::int128 d = denominator;
  const absl::int128 n = numerator;
  const absl::int128 whole = value / d * n;
  const absl::int128 rest = value % d * n;
  absl::int128 quotient = whole + rest / d;
  const absl::int128 remainder = rest % d;
  const absl::int128 twice = remainder < 0 ? -remainder * 2 : remainder * 2;
  const bool odd = quotient % 2 != 0;
  if (twice > d || (twice == d && odd)) quotient += remainder < 0 ? -1 : 1;
  return quotient;
}

}  // namespace llm
