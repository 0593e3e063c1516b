// Number text to integers and doubles.
#include <charconv>
#include <limits>

#include "adapters/core/json.h"

namespace llm {
namespace {

// A decimal as significand * 10^exponent, the significand without trailing
// zeros. Not `fits`: more than 19 significant digits.
struct Decimal {
  bool fits = true;
  bool negative = false;
  uint64_t significand = 0;
  int64_t exponent = 0;
};

constexpr int64_t kMaxDigits = 19;

// Reads the digits of a significand and folds trailing zeros away.
class SignificandReader {
 public:
  explicit SignificandReader(Decimal& out) : out_(out) {}

  void Digit(char c) {
    if (c == '0') {
      if (out_.significand != 0) ++zeros_;
      return;
    }
    digits_ += zeros_ + 1;
    if (digits_ > kMaxDigits) {
      out_.fits = false;
      return;
    }
    for (; zeros_ > 0; --zeros_) out_.significand *= 10;
    out_.significand = out_.significand * 10 + static_cast<uint64_t>(c - '0');
  }

  int64_t trailing_zeros() const { return zeros_; }

 private:
  Decimal& out_;
  int64_t digits_ = 0;
  int64_t zeros_ = 0;
};

// `text` is a well-formed JSON number.
Decimal ReadDecimal(std::string_view text) {
  Decimal decimal;
  SignificandReader significand(decimal);
  size_t i = 0;
  if (text[0] == '-') {
    decimal.negative = true;
    ++i;
  }
  bool fraction = false;
  int64_t scale = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    significand.Digit(text[i]);
    if (!decimal.fits) return decimal;
    if (fraction) ++scale;
  }
  int64_t exponent = 0;
  if (i < text.size()) {
    const char* begin = text.data() + i + 1;
    if (*begin == '+') ++begin;
    // A clamped exponent is as far out of range as the real one: the text
    // holds less than 2^32 digits.
    const bool minus = *begin == '-';
    if (std::from_chars(begin, text.data() + text.size(), exponent).ec !=
        std::errc()) {
      exponent = std::numeric_limits<int64_t>::max() / 2;
      if (minus) exponent = -exponent;
    }
    constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 2;
    if (exponent > kFar) exponent = kFar;
    if (exponent < -kFar) exponent = -kFar;
  }
  decimal.exponent = exponent - scale + significand.trailing_zeros();
  return decimal;
}

}  // namespace

std::optional<int64_t> JsonValue::AsInt64() const {
  if (!is_number()) return std::nullopt;
  const std::string_view text = raw();
  int64_t plain = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, plain);
  if (read.ec == std::errc() && read.ptr == end) return plain;

  const Decimal decimal = ReadDecimal(text);
  if (!decimal.fits) return std::nullopt;
  if (decimal.significand == 0) return 0;
  if (decimal.exponent < 0 || decimal.exponent >= kMaxDigits) {
    return std::nullopt;
  }
  uint64_t magnitude = decimal.significand;
  for (int64_t i = 0; i < decimal.exponent; ++i) {
    if (magnitude > std::numeric_limits<uint64_t>::max() / 10) {
      return std::nullopt;
    }
    magnitude *= 10;
  }
  const uint64_t limit = uint64_t{1} << 63;
  if (magnitude > limit || (magnitude == limit && !decimal.negative)) {
    return std::nullopt;
  }
  // Two's complement: defined for unsigned, exact for the range just checked.
  return static_cast<int64_t>(decimal.negative ? ~magnitude + 1 : magnitude);
}

std::optional<double> JsonValue::AsDouble() const {
  if (!is_number()) return std::nullopt;
  const std::string_view text = raw();
  double value = 0;
  const auto read =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace llm
