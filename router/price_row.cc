#include "router/price_row.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace llm {
namespace {

// FNV-1a: stable across builds and machines, which absl::Hash is not.
uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

void AppendPrices(const PriceSet& prices, std::string* out) {
  for (size_t i = 0; i < kPriceFields.size(); ++i) {
    const auto& price = prices.*(kPriceFields[i].member);
    if (price) absl::StrAppend(out, " ", i, "=", *price);
  }
}

void AppendTime(absl::Time time, std::string* out) {
  absl::StrAppend(
      out, "|",
      absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone()));
}

}  // namespace

std::string PriceRowDigest(const PriceRow& row) {
  std::string text =
      absl::StrCat(row.provider, "|", row.model, "|", row.currency.code);
  // The versions of the built-in rows stay what they were.
  if (!row.public_model.empty()) absl::StrAppend(&text, "|", row.public_model);
  AppendTime(row.effective_from, &text);
  AppendTime(row.effective_until, &text);
  AppendPrices(row.prices, &text);
  for (const PriceTier& tier : row.tiers) {
    absl::StrAppend(&text, "|tier ", tier.above_input_tokens);
    AppendPrices(tier.prices, &text);
  }
  for (const PriceWindow& window : row.windows) {
    absl::StrAppend(&text, "|window ", window.timezone);
    for (const int day : window.days) absl::StrAppend(&text, ",", day);
    for (const auto& [start, end] : window.ranges) {
      absl::StrAppend(&text, " ", start, "-", end);
    }
    AppendPrices(window.prices, &text);
  }
  if (row.output_condition) {
    absl::StrAppend(&text, "|short ", row.output_condition->max_input_tokens,
                    " ", row.output_condition->max_output_tokens, " ",
                    row.output_condition->output);
  }
  return absl::StrFormat("%016x", Fnv1a(text)).substr(0, 12);
}

}  // namespace llm
