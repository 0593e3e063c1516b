#include "router/price_list.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

using Names = std::initializer_list<std::string_view>;

absl::Status Fault(std::string_view field, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(field), ": ", ToAbsl(what)));
}

bool Contains(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Says which part of the list a fault is in.
absl::Status In(std::string_view where, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(ToAbsl(where), ".", status.message()));
}

absl::Status CheckNames(JsonValue object, Names known) {
  if (!object.is_object()) return Fault("object", "is missing");
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (!Contains(known, v.Key())) return Fault(v.Key(), "unknown field");
  }
  return absl::OkStatus();
}

// The readers below leave `out` alone where the field is absent.
absl::Status ReadText(JsonValue object, std::string_view name,
                      std::string* out) {
  const JsonValue value = object.Find(name);
  if (!value) return absl::OkStatus();
  if (!value.is_string()) return Fault(name, "must be a string");
  *out = value.StringOr();
  return absl::OkStatus();
}

absl::Status ReadCount(JsonValue object, std::string_view name, int64_t* out) {
  const JsonValue value = object.Find(name);
  if (!value) return absl::OkStatus();
  const std::optional<int64_t> count = value.AsInt64();
  if (!count || *count < 0) return Fault(name, "must be a whole number");
  *out = *count;
  return absl::OkStatus();
}

absl::Status ReadFlag(JsonValue object, std::string_view name, bool* out) {
  const JsonValue value = object.Find(name);
  if (!value) return absl::OkStatus();
  if (!value.is_bool()) return Fault(name, "must be true or false");
  *out = *value.AsBool();
  return absl::OkStatus();
}

absl::Status ReadTime(JsonValue object, std::string_view name,
                      absl::Time* out) {
  std::string text;
  LLM_RETURN_IF_ERROR(ReadText(object, name, &text));
  if (text.empty()) return absl::OkStatus();
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, out, &error)) {
    return Fault(name, "must be an RFC 3339 time");
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadDecimal(JsonValue value, int decimals) {
  if (!value.is_string()) {
    return Fault(value.Key(), "must be a decimal string");
  }
  const auto number = ParseDecimal(value.StringOr(), decimals);
  if (!number.ok()) return Fault(value.Key(), ToStd(number.status().message()));
  return *number;
}

absl::StatusOr<std::vector<std::string>> ReadTexts(JsonValue object,
                                                   std::string_view name) {
  std::vector<std::string> texts;
  const JsonValue list = object.Find(name);
  if (list && !list.is_array()) return Fault(name, "must be a list");
  for (JsonValue v = list.First(); v; v = v.Next()) {
    if (!v.is_string()) return Fault(name, "must hold strings");
    texts.push_back(v.StringOr());
  }
  return texts;
}

// Prices of `object`, which may hold the fields `others` beside them.
absl::StatusOr<PriceSet> ReadPrices(JsonValue object, Names others) {
  if (!object.is_object()) return Fault("prices", "must be an object");
  PriceSet prices;
  for (JsonValue v = object.First(); v; v = v.Next()) {
    const std::string name = v.Key();
    if (Contains(others, name)) continue;
    const auto field =
        std::find_if(kPriceFields.begin(), kPriceFields.end(),
                     [&](const PriceField& f) { return f.name == name; });
    if (field == kPriceFields.end()) return Fault(name, "unknown field");
    LLM_ASSIGN_OR_RETURN(prices.*(field->member), ReadDecimal(v, 6));
  }
  return prices;
}

absl::Status ReadTiers(JsonValue list, std::vector<PriceTier>* tiers) {
  if (list && !list.is_array()) return Fault("list", "expected");
  for (JsonValue v = list.First(); v; v = v.Next()) {
    PriceTier tier;
    if (!v.Find("above_input_tokens")) {
      return Fault("above_input_tokens", "is missing");
    }
    LLM_RETURN_IF_ERROR(
        ReadCount(v, "above_input_tokens", &tier.above_input_tokens));
    LLM_RETURN_IF_ERROR(ReadFlag(v, "unverified", &tier.unverified));
    LLM_ASSIGN_OR_RETURN(tier.prices,
                         ReadPrices(v, {"above_input_tokens", "unverified"}));
    tiers->push_back(std::move(tier));
  }
  return absl::OkStatus();
}

// "06:30" as minutes; "24:00" is the end of the day.
std::optional<int> ReadMinutes(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [&](size_t at) { return text[at] - '0'; };
  for (const size_t at : {size_t{0}, size_t{1}, size_t{3}, size_t{4}}) {
    if (digit(at) < 0 || digit(at) > 9) return std::nullopt;
  }
  const int hours = digit(0) * 10 + digit(1);
  const int minutes = digit(3) * 10 + digit(4);
  if (minutes > 59 || hours * 60 + minutes > 24 * 60) return std::nullopt;
  return hours * 60 + minutes;
}

absl::Status ReadDays(JsonValue window, std::vector<int>* days) {
  static constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu",
                                               "fri", "sat", "sun"};
  LLM_ASSIGN_OR_RETURN(const auto names, ReadTexts(window, "days"));
  for (const std::string& name : names) {
    const auto* day = std::find(std::begin(kDays), std::end(kDays), name);
    if (day == std::end(kDays)) return Fault("days", "must be mon … sun");
    days->push_back(static_cast<int>(day - std::begin(kDays)) + 1);
  }
  if (!window.Find("days")) days->assign({1, 2, 3, 4, 5, 6, 7});
  return absl::OkStatus();
}

absl::Status ReadWindow(JsonValue v, PriceWindow* window) {
  LLM_RETURN_IF_ERROR(CheckNames(
      v, {"name", "timezone", "days", "ranges", "excludes", "prices"}));
  LLM_RETURN_IF_ERROR(ReadText(v, "timezone", &window->timezone));
  LLM_RETURN_IF_ERROR(ReadDays(v, &window->days));
  LLM_RETURN_IF_ERROR(ReadText(v, "excludes", &window->excludes));
  for (JsonValue r = v.Find("ranges").First(); r; r = r.Next()) {
    const auto start = ReadMinutes(r.First().StringOr());
    const auto end = ReadMinutes(r.First().Next().StringOr());
    if (r.size() != 2 || !start || !end || *start == *end) {
      return Fault("ranges", "must be pairs of different times of day");
    }
    window->ranges.emplace_back(*start, *end);
  }
  if (window->ranges.empty()) return Fault("ranges", "is missing");
  LLM_ASSIGN_OR_RETURN(window->prices, ReadPrices(v.Find("prices"), {}));
  return absl::OkStatus();
}

absl::Status ReadCondition(JsonValue v, PriceRow* row) {
  if (!v) return absl::OkStatus();
  LLM_RETURN_IF_ERROR(CheckNames(
      v, {"max_input_tokens", "max_output_tokens", "output", "unverified"}));
  PriceRow::OutputCondition condition;
  LLM_RETURN_IF_ERROR(
      ReadCount(v, "max_input_tokens", &condition.max_input_tokens));
  LLM_RETURN_IF_ERROR(
      ReadCount(v, "max_output_tokens", &condition.max_output_tokens));
  LLM_RETURN_IF_ERROR(ReadFlag(v, "unverified", &condition.unverified));
  if (!v.Find("output")) return Fault("output", "is missing");
  LLM_ASSIGN_OR_RETURN(condition.output, ReadDecimal(v.Find("output"), 6));
  row->output_condition = condition;
  return absl::OkStatus();
}

absl::Status ReadNames(JsonValue v, PriceRow* row) {
  std::string kind = "chat";
  LLM_RETURN_IF_ERROR(ReadText(v, "kind", &kind));
  if (kind != "chat" && kind != "embedding") {
    return Fault("kind", "must be chat or embedding");
  }
  row->embedding = kind == "embedding";
  LLM_ASSIGN_OR_RETURN(row->aliases, ReadTexts(v, "aliases"));
  LLM_ASSIGN_OR_RETURN(const auto patterns, ReadTexts(v, "match"));
  for (const std::string& pattern : patterns) {
    absl::StrAppend(&row->match, row->match.empty() ? "" : "|", "(?:", pattern,
                    ")");
  }
  LLM_RETURN_IF_ERROR(ReadText(v, "currency", &row->currency.code));
  if (row->currency.code.size() != 3) return Fault("currency", "is missing");
  LLM_RETURN_IF_ERROR(ReadText(v, "source", &row->source));
  return ReadText(v, "confidence", &row->confidence);
}

absl::Status ReadFacts(JsonValue v, PriceRow* row) {
  LLM_RETURN_IF_ERROR(ReadTime(v, "effective_from", &row->effective_from));
  LLM_RETURN_IF_ERROR(ReadTime(v, "effective_until", &row->effective_until));
  LLM_RETURN_IF_ERROR(ReadCount(v, "context_window", &row->context_window));
  LLM_RETURN_IF_ERROR(
      ReadCount(v, "max_output_tokens", &row->max_output_tokens));
  return ReadFlag(v, "unverified", &row->unverified);
}

absl::Status ReadRowPrices(JsonValue v, PriceRow* row) {
  LLM_ASSIGN_OR_RETURN(row->prices, ReadPrices(v.Find("prices"), {}));
  if (!row->prices.input) return Fault("prices.input", "is missing");
  if (!row->embedding && !row->prices.output) {
    return Fault("prices.output", "is missing");
  }
  LLM_RETURN_IF_ERROR(In("tiers", ReadTiers(v.Find("tiers"), &row->tiers)));
  const JsonValue windows = v.Find("time_windows");
  for (JsonValue w = windows.First(); w; w = w.Next()) {
    LLM_RETURN_IF_ERROR(
        In("time_windows", ReadWindow(w, &row->windows.emplace_back())));
  }
  return In("output_length_condition",
            ReadCondition(v.Find("output_length_condition"), row));
}

absl::StatusOr<PriceRow> ReadRow(JsonValue v) {
  LLM_RETURN_IF_ERROR(CheckNames(v, {"provider",
                                     "model",
                                     "kind",
                                     "aliases",
                                     "match",
                                     "currency",
                                     "effective_from",
                                     "effective_until",
                                     "context_window",
                                     "max_output_tokens",
                                     "dimensions",
                                     "limits_inferred",
                                     "prices",
                                     "tiers",
                                     "time_windows",
                                     "output_length_condition",
                                     "tiers_source",
                                     "source",
                                     "confidence",
                                     "unverified",
                                     "unverified_fields"}));
  PriceRow row;
  LLM_RETURN_IF_ERROR(ReadText(v, "provider", &row.provider));
  LLM_RETURN_IF_ERROR(ReadText(v, "model", &row.model));
  if (row.provider.empty()) return Fault("provider", "is missing");
  if (row.model.empty()) return Fault("model", "is missing");
  LLM_RETURN_IF_ERROR(ReadNames(v, &row));
  LLM_RETURN_IF_ERROR(ReadFacts(v, &row));
  LLM_RETURN_IF_ERROR(ReadRowPrices(v, &row));
  return row;
}

absl::Status ReadSurcharges(JsonValue v, PriceProviderRules* rules) {
  if (!v) return absl::OkStatus();
  LLM_RETURN_IF_ERROR(
      CheckNames(v, {"inference_geo_us", "web_search_per_1000"}));
  if (const JsonValue us = v.Find("inference_geo_us")) {
    LLM_ASSIGN_OR_RETURN(rules->us_factor, ReadDecimal(us, kFactorDecimals));
  }
  // A thousandth of a price in pico-units.
  if (const JsonValue search = v.Find("web_search_per_1000")) {
    LLM_ASSIGN_OR_RETURN(rules->web_search, ReadDecimal(search, 9));
  }
  return absl::OkStatus();
}

absl::StatusOr<PriceProviderRules> ReadProvider(JsonValue v) {
  LLM_RETURN_IF_ERROR(CheckNames(v, {"inherit", "inherit_rules", "modifiers",
                                     "surcharges", "reported_cost"}));
  PriceProviderRules rules;
  LLM_RETURN_IF_ERROR(ReadText(v, "inherit", &rules.inherit));
  LLM_RETURN_IF_ERROR(ReadText(v, "inherit_rules", &rules.inherit_rules));
  LLM_RETURN_IF_ERROR(ReadFlag(v, "reported_cost", &rules.reported_cost));
  for (JsonValue m = v.Find("modifiers").First(); m; m = m.Next()) {
    LLM_ASSIGN_OR_RETURN(rules.factors[m.Key()],
                         ReadDecimal(m, kFactorDecimals));
  }
  LLM_RETURN_IF_ERROR(
      In("surcharges", ReadSurcharges(v.Find("surcharges"), &rules)));
  return rules;
}

}  // namespace

absl::StatusOr<PriceList> ParsePriceList(std::string_view json) {
  LLM_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Parse(json));
  const JsonValue root = document.root();
  LLM_RETURN_IF_ERROR(CheckNames(
      root, {"schema_version", "as_of", "unit", "providers", "rows"}));
  if (root.Find("schema_version").AsInt64() != 1) {
    return Fault("schema_version", "must be 1");
  }
  PriceList list;
  LLM_RETURN_IF_ERROR(ReadText(root, "as_of", &list.as_of));
  for (JsonValue v = root.Find("providers").First(); v; v = v.Next()) {
    auto rules = ReadProvider(v);
    if (!rules.ok()) return In("providers." + v.Key(), rules.status());
    list.providers[v.Key()] = *std::move(rules);
  }
  for (JsonValue v = root.Find("rows").First(); v; v = v.Next()) {
    auto row = ReadRow(v);
    if (!row.ok()) {
      return In(absl::StrCat("rows[", list.rows.size(), "] ",
                             v.Find("model").StringOr()),
                row.status());
    }
    list.rows.push_back(*std::move(row));
  }
  return list;
}

}  // namespace llm
