#include "adapters/core/money.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "tests/support/status_matchers.h"

namespace llm {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST_CASE("A decimal becomes an exact integer", "[adapters][core][money]") {
  const auto [text, scale, want] = GENERATE(table<std::string, int, int64_t>({
      {"0", 6, 0},
      {"0.003625", 6, 3625},
      {"5", 6, 5'000'000},
      {"12.5", 6, 12'500'000},
      {"007.10", 1, 71},
      {"1.5000000000000", 1, 15},
      {"0.000000", 0, 0},
      {"9223372.036854775807", 12, kMax},
      {"9223372036854775807", 0, kMax},
  }));
  CAPTURE(text, scale);
  const auto value = ParseDecimal(text, scale);
  REQUIRE_THAT(value, IsOk());
  CHECK(*value == want);
}

TEST_CASE("What is no plain decimal is refused", "[adapters][core][money]") {
  const auto [text, scale] = GENERATE(table<std::string, int>({
      {"", 6},
      {".", 6},
      {"1.", 6},
      {".5", 6},
      {"-1", 6},
      {"+1", 6},
      {" 1", 6},
      {"1 ", 6},
      {"1e3", 6},
      {"1,5", 6},
      {"1.2.3", 6},
      {"abc", 6},
      {"0x10", 6},
      {"0.0000001", 6},
      {"0.5", 0},
      {"9223372.036854775808", 12},
      {"9223372036854775808", 0},
      {"99999999999999999999999", 0},
  }));
  CAPTURE(text, scale);
  CHECK_THAT(ParseDecimal(text, scale),
             HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_CASE("An amount is written as an exact decimal",
          "[adapters][core][money]") {
  const auto [value, scale, decimals, want] =
      GENERATE(table<absl::int128, int, int, std::string>({
          {70'500'000'000, 12, 6, "0.070500"},
          {0, 12, 6, "0.000000"},
          {0, 12, 0, "0"},
          {0, 0, 0, "0"},
          {1, 12, 6, "0.000000000001"},
          {-1, 12, 6, "-0.000000000001"},
          {-1'500'000'000'000, 12, 2, "-1.50"},
          {1'000'000'000'000, 12, 0, "1"},
          {120, 2, 0, "1.2"},
          {5, 0, 2, "5.00"},
          {absl::int128(kMin), 0, 0, "-9223372036854775808"},
          {absl::int128(kMax) * 1'000'000, 12, 6, "9223372036854.775807"},
          {absl::Int128Min(), 0, 0, "-170141183460469231731687303715884105728"},
      }));
  CHECK(FormatDecimal(value, scale, decimals) == want);
}

TEST_CASE("Pico-units are written with six decimals or more",
          "[adapters][core][money]") {
  CHECK(FormatPico(4'992'000'000) == "0.004992");
  CHECK(FormatPico(3625) == "0.000000003625");
  CHECK(FormatPico(absl::int128(2) * kPicoPerUnit) == "2.000000");
}

TEST_CASE("What is written reads back", "[adapters][core][money]") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const auto value = static_cast<int64_t>(random() >> (1 + random() % 62));
    const int scale = static_cast<int>(random() % 13);
    const auto back = ParseDecimal(FormatDecimal(value, scale, 0), scale);
    REQUIRE_THAT(back, IsOk());
    REQUIRE(*back == value);
  }
}

TEST_CASE("Fractions are rounded half to even", "[adapters][core][money]") {
  const auto [value, numerator, denominator, want] =
      GENERATE(table<absl::int128, int64_t, int64_t, absl::int128>({
          {5, 1, 2, 2},
          {7, 1, 2, 4},
          {-5, 1, 2, -2},
          {-7, 1, 2, -4},
          {3, 1, 2, 2},
          {1, 1, 2, 0},
          {-1, 1, 2, 0},
          {10, 1, 3, 3},
          {11, 1, 3, 4},
          {-11, 1, 3, -4},
          {5, -1, 2, -2},
          {7, -1, 2, -4},
          {10, 11, 10, 11},
          {15, 11, 10, 16},  // 16.5
          {25, 11, 10, 28},  // 27.5
          {0, 5, 7, 0},
          {9, 0, 7, 0},
      }));
  CHECK(MulDivHalfEven(value, numerator, denominator) == want);
}

TEST_CASE("Rounding does not overflow where the result fits",
          "[adapters][core][money]") {
  const absl::int128 large = absl::int128(1) << 125;
  CHECK(MulDivHalfEven(large, kMax, kMax) == large);
  CHECK(MulDivHalfEven(-large, kMax, kMax) == -large);
  CHECK(MulDivHalfEven(large + 1, kMax, 2 * (kMax / 2)) >= large);
  CHECK(MulDivHalfEven(kMax, kMax, kMax - 1) == absl::int128(kMax) + 1);
}

TEST_CASE("Rounding agrees with exact comparison", "[adapters][core][money]") {
  std::mt19937_64 random(11);
  for (int i = 0; i < 5000; ++i) {
    const absl::int128 value = static_cast<int64_t>(random()) >> 20;
    const int64_t n = static_cast<int64_t>(random() % 2001) - 1000;
    const int64_t d = 1 + static_cast<int64_t>(random() % 1000);
    const absl::int128 got = MulDivHalfEven(value, n, d);
    // |value*n - got*d| <= d/2, and at the half `got` is even.
    absl::int128 off = value * n - got * d;
    if (off < 0) off = -off;
    REQUIRE(off * 2 <= d);
    if (off * 2 == d) REQUIRE(got % 2 == 0);
  }
}

}  // namespace
}  // namespace llm
