#include "server/ledger/money_functions.h"

#include <sqlite3.h>

#include <cstring>
#include <optional>
#include <string_view>

#include "absl/strings/str_split.h"

namespace llm::server {
namespace {

// SQLite's aggregate memory is aligned to eight bytes only, and zeroed.
struct SumBytes {
  unsigned char bytes[sizeof(absl::int128)];
};

void AddTo(sqlite3_context* context, absl::int128 value) {
  auto* cell = static_cast<SumBytes*>(
      sqlite3_aggregate_context(context, sizeof(SumBytes)));
  if (cell == nullptr) {
    sqlite3_result_error_nomem(context);
    return;
  }
  absl::int128 sum = 0;
  std::memcpy(&sum, cell->bytes, sizeof(sum));
  sum += value;
  std::memcpy(cell->bytes, &sum, sizeof(sum));
}

void FinishSum(sqlite3_context* context) {
  const auto* cell =
      static_cast<const SumBytes*>(sqlite3_aggregate_context(context, 0));
  absl::int128 sum = 0;
  if (cell != nullptr) std::memcpy(&sum, cell->bytes, sizeof(sum));
  const std::string text = Int128Text(sum);
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
}

std::string TextOf(sqlite3_value* value) {
  const void* bytes = sqlite3_value_blob(value);
  const int size = sqlite3_value_bytes(value);
  if (bytes == nullptr) return "";
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

const ExchangeRates& RatesOf(sqlite3_context* context) {
  return *static_cast<const ExchangeRates*>(sqlite3_user_data(context));
}

bool IsNull(sqlite3_value* value) {
  return sqlite3_value_type(value) == SQLITE_NULL;
}

void StepExactSum(sqlite3_context* context, int, sqlite3_value** values) {
  if (!IsNull(values[0])) AddTo(context, sqlite3_value_int64(values[0]));
}

void StepConvertedSum(sqlite3_context* context, int, sqlite3_value** values) {
  if (IsNull(values[0])) return;
  const std::optional<absl::int128> converted = RatesOf(context).Convert(
      TextOf(values[1]), sqlite3_value_int64(values[0]),
      absl::FromUnixMicros(sqlite3_value_int64(values[2])));
  if (converted) AddTo(context, *converted);
}

void Converts(sqlite3_context* context, int, sqlite3_value** values) {
  const absl::Time at = absl::FromUnixMicros(sqlite3_value_int64(values[1]));
  bool all = true;
  const std::vector<std::string> currencies =
      absl::StrSplit(TextOf(values[0]), ',', absl::SkipEmpty());
  for (const std::string& currency : currencies) {
    all = all && RatesOf(context).Converts(currency, at);
  }
  sqlite3_result_int(context, all ? 1 : 0);
}

}  // namespace

absl::Status RegisterMoneyFunctions(Database& database,
                                    const ExchangeRates* rates) {
  // SQLite's C interface has no const user data; we only read it.
  void* data = const_cast<ExchangeRates*>(rates);  // NOLINT
  sqlite3* handle = database.handle();
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  const bool ok =
      sqlite3_create_function_v2(handle, "exact_sum", 1, kFlags, nullptr,
                                 nullptr, StepExactSum, FinishSum,
                                 nullptr) == SQLITE_OK &&
      sqlite3_create_function_v2(handle, "converted_sum", 3, kFlags, data,
                                 nullptr, StepConvertedSum, FinishSum,
                                 nullptr) == SQLITE_OK &&
      sqlite3_create_function_v2(handle, "converts", 2, kFlags, data, Converts,
                                 nullptr, nullptr, nullptr) == SQLITE_OK;
  if (ok) return absl::OkStatus();
  return absl::UnavailableError("store: cannot add the report functions");
}

std::string Int128Text(absl::int128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  std::string digits;
  while (value != 0) {
    const int digit = static_cast<int>(value % 10);
    digits.insert(digits.begin(),
                  static_cast<char>('0' + (negative ? -digit : digit)));
    value /= 10;
  }
  return negative ? "-" + digits : digits;
}

absl::int128 ParseInt128Text(const std::string& text) {
  const bool negative = !text.empty() && text[0] == '-';
  absl::int128 value = 0;
  for (size_t i = negative ? 1 : 0; i < text.size(); ++i) {
    const int digit = text[i] - '0';
    value = value * 10 + (negative ? -digit : digit);
  }
  return value;
}

}  // namespace llm::server
