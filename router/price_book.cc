#include "router/price_book.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/price_cost.h"
#include "router/price_list.h"

namespace llm {
namespace {

// No real model id is longer; callers choose these names.
constexpr size_t kMaxModelName = 256;

bool InForce(const PriceRow& row, const PriceQuery& query) {
  return row.effective_from <= query.at && query.at < row.effective_until &&
         (query.currency == nullptr || row.currency == *query.currency) &&
         (row.public_model.empty() || row.public_model == query.public_model);
}

// The rows of one provider from one source, by the ways a name can meet them.
class RowIndex {
 public:
  absl::Status Add(const PriceRow* row) {
    by_model_[row->model].push_back(row);
    for (const std::string& alias : row->aliases) {
      by_alias_[alias].push_back(row);
    }
    if (row->match.empty()) return absl::OkStatus();
    RE2::Options options;
    options.set_log_errors(false);
    auto pattern = std::make_unique<RE2>(row->match, options);
    if (!pattern->ok()) {
      return absl::InvalidArgumentError("match: not a regular expression");
    }
    patterns_.emplace_back(row, std::move(pattern));
    return absl::OkStatus();
  }

  const PriceRow* Find(std::string_view model, const PriceQuery& query) const {
    if (model.empty() || model.size() > kMaxModelName) return nullptr;
    for (const NameMap* names : {&by_model_, &by_alias_}) {
      const auto found = names->find(ToAbsl(model));
      if (found == names->end()) continue;
      for (const PriceRow* row : found->second) {
        if (InForce(*row, query)) return row;
      }
    }
    for (const auto& [row, pattern] : patterns_) {
      if (InForce(*row, query) && RE2::FullMatch(model, *pattern)) return row;
    }
    return nullptr;
  }

 private:
  using NameMap =
      absl::flat_hash_map<std::string, std::vector<const PriceRow*>>;
  NameMap by_model_;
  NameMap by_alias_;
  std::vector<std::pair<const PriceRow*, std::unique_ptr<RE2>>> patterns_;
};

using Indexes = absl::flat_hash_map<std::string, RowIndex>;

const RowIndex* IndexOf(const Indexes& indexes, std::string_view provider) {
  const auto found = indexes.find(ToAbsl(provider));
  return found == indexes.end() ? nullptr : &found->second;
}

const PriceRow* FindServedOrRequested(const RowIndex* index,
                                      const PriceQuery& query) {
  if (index == nullptr) return nullptr;
  const PriceRow* row = index->Find(query.served_model, query);
  return row != nullptr ? row : index->Find(query.requested_model, query);
}

// More than anybody runs; keeps the product far from overflow.
constexpr TokenCount kMostSearches = TokenCount{1} << 60;

bool IsUsualTier(std::string_view tier) {
  return tier.empty() || tier == "default" || tier == "standard" ||
         tier == "auto" || tier == "on_demand";
}

absl::Status CheckRow(const PriceRow& row) {
  const auto check = [](const PriceSet& prices) {
    for (const PriceField& field : kPriceFields) {
      if ((prices.*(field.member)).value_or(0) < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat(ToAbsl(field.name), ": is negative"));
      }
    }
    return absl::OkStatus();
  };
  LLM_RETURN_IF_ERROR(check(row.prices));
  for (const PriceTier& tier : row.tiers) {
    LLM_RETURN_IF_ERROR(check(tier.prices));
  }
  for (const PriceWindow& window : row.windows) {
    LLM_RETURN_IF_ERROR(check(window.prices));
    absl::TimeZone zone;
    if (!absl::LoadTimeZone(window.timezone, &zone)) {
      return absl::InvalidArgumentError("timezone: is not known here");
    }
  }
  return absl::OkStatus();
}

}  // namespace

struct PriceBook::Data {
  std::string as_of;
  // Overrides first; never resized once indexed.
  std::vector<PriceRow> rows;
  std::map<std::string, PriceProviderRules> providers;
  Indexes overrides;
  Indexes built_in;

  const PriceProviderRules* Rules(std::string_view provider) const {
    const auto found = providers.find(std::string(provider));
    return found == providers.end() ? nullptr : &found->second;
  }

  // The factor of a service tier in millionths, where one is known.
  std::optional<int64_t> TierFactor(std::string_view provider,
                                    const std::string& tier) const {
    const PriceProviderRules* rules = Rules(provider);
    if (rules == nullptr) return std::nullopt;
    const auto factor = rules->factors.find(tier);
    if (factor != rules->factors.end()) return factor->second;
    const std::string& parent =
        rules->inherit.empty() ? rules->inherit_rules : rules->inherit;
    // One step: the list has no chains, and a loop in it must not hang us.
    const PriceProviderRules* inherited = Rules(parent);
    if (inherited == nullptr) return std::nullopt;
    const auto again = inherited->factors.find(tier);
    if (again == inherited->factors.end()) return std::nullopt;
    return again->second;
  }

  // What `member` says of the provider, or of whom it inherits from.
  std::optional<int64_t> Surcharge(
      std::string_view provider,
      std::optional<int64_t> PriceProviderRules::*member) const {
    const PriceProviderRules* rules = Rules(provider);
    if (rules == nullptr || rules->*member) {
      return rules == nullptr ? std::nullopt : rules->*member;
    }
    const PriceProviderRules* inherited =
        Rules(rules->inherit.empty() ? rules->inherit_rules : rules->inherit);
    return inherited == nullptr ? std::nullopt : inherited->*member;
  }

  // The tokens by the factor of their tier, and what is charged beside them.
  // What has no price is not charged, and makes the cost a coarse one.
  absl::int128 Total(std::string_view provider, const PriceRow& row,
                     const TokenUsage& usage, absl::int128 tokens,
                     int64_t factor, PricedCost* priced) const {
    if (usage.geo == "us") {
      const auto us = Surcharge(provider, &PriceProviderRules::us_factor);
      factor = static_cast<int64_t>(
          MulDivHalfEven(factor, us.value_or(kFactorUnit), kFactorUnit));
      priced->degraded = priced->degraded || !us;
    }
    absl::int128 pico = MulDivHalfEven(tokens, factor, kFactorUnit);
    const TokenCount searches = std::clamp<TokenCount>(
        usage.web_searches.value_or(0), 0, kMostSearches);
    if (searches == 0) return pico;
    const auto search = Surcharge(provider, &PriceProviderRules::web_search);
    const bool known = search && row.currency.code == "USD";
    if (known) pico += absl::int128(*search) * searches;
    priced->degraded = priced->degraded || !known;
    return pico;
  }

  // For models without a row: the provider's own charge, where its word is
  // the price.
  PricedCost PriceReported(const PriceQuery& query,
                           const TokenUsage& usage) const {
    PricedCost priced;
    const PriceProviderRules* rules = Rules(query.provider);
    if (rules == nullptr || !rules->reported_cost) return priced;
    const auto reported = ParseReportedCost(usage.reported_cost);
    if (!reported) return priced;
    priced.status = PriceStatus::kPriced;
    priced.cost = Money{Currency{"USD"}, *reported};
    priced.price_version = absl::StrCat(ToAbsl(query.provider), "/reported");
    return priced;
  }

  const PriceRow* FindBuiltIn(const PriceQuery& query) const {
    const PriceRow* row =
        FindServedOrRequested(IndexOf(built_in, query.provider), query);
    if (row != nullptr) return row;
    const PriceProviderRules* rules = Rules(query.provider);
    if (rules == nullptr || rules->inherit.empty()) return nullptr;
    return FindServedOrRequested(IndexOf(built_in, rules->inherit), query);
  }
};

PriceBook::PriceBook(std::unique_ptr<Data> data) : data_(std::move(data)) {}
PriceBook::~PriceBook() = default;

absl::StatusOr<std::shared_ptr<const PriceBook>> PriceBook::Parse(
    std::string_view json, std::vector<PriceRow> overrides) {
  LLM_ASSIGN_OR_RETURN(PriceList list, ParsePriceList(json));
  auto data = std::make_unique<Data>();
  data->as_of = std::move(list.as_of);
  data->providers = std::move(list.providers);
  data->rows = std::move(overrides);
  const size_t own = data->rows.size();
  for (PriceRow& row : list.rows) data->rows.push_back(std::move(row));
  for (size_t i = 0; i < data->rows.size(); ++i) {
    PriceRow& row = data->rows[i];
    absl::Status status = CheckRow(row);
    row.version = PriceRowDigest(row);
    Indexes& indexes = i < own ? data->overrides : data->built_in;
    if (status.ok()) status = indexes[row.provider].Add(&row);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(row.provider, "/", row.model, ": ", status.message()));
    }
  }
  // Constructor is private: no make_shared. Shared because configurations of
  // different age refer to one book until their last call ends.
  return std::shared_ptr<const PriceBook>(new PriceBook(std::move(data)));
}

const PriceRow* PriceBook::Find(const PriceQuery& query) const {
  const PriceRow* row =
      FindServedOrRequested(IndexOf(data_->overrides, query.provider), query);
  return row != nullptr ? row : data_->FindBuiltIn(query);
}

PricedCost PriceBook::Price(const PriceQuery& query,
                            const TokenUsage& usage) const {
  const PriceRow* row = Find(query);
  if (row == nullptr) return data_->PriceReported(query, usage);
  PricedCost priced;
  priced.price_version =
      absl::StrCat(row->provider, "/", row->model, "@", row->version);
  priced.status = PriceStatus::kUnknownUsage;
  if (usage.empty()) return priced;

  std::optional<int64_t> factor = kFactorUnit;
  const std::string tier = absl::AsciiStrToLower(usage.service_tier);
  if (!IsUsualTier(tier)) factor = data_->TierFactor(query.provider, tier);
  if (!factor) {
    priced.status = PriceStatus::kUnknownTier;
    return priced;
  }
  const CostSum sum = SumCost(*row, query.at, query.thinking, usage);
  priced.degraded = sum.degraded;
  priced.unverified = sum.unverified;
  if (!sum.pico) {
    priced.status = PriceStatus::kUnknownModel;
    return priced;
  }
  const absl::int128 pico =
      data_->Total(query.provider, *row, usage, *sum.pico, *factor, &priced);
  // Only counts that cannot be true cost more than Money holds.
  if (pico > std::numeric_limits<int64_t>::max()) return priced;
  priced.status = PriceStatus::kPriced;
  priced.cost = Money{row->currency, static_cast<int64_t>(pico)};
  return priced;
}

const std::vector<PriceRow>& PriceBook::rows() const { return data_->rows; }

std::string_view PriceBook::as_of() const { return data_->as_of; }

std::string_view PriceStatusName(PriceStatus status) {
  switch (status) {
    case PriceStatus::kPriced:
      return "priced";
    case PriceStatus::kUnknownModel:
      return "unknown_model";
    case PriceStatus::kUnknownTier:
      return "unknown_tier";
    case PriceStatus::kUnknownUsage:
      return "unknown_usage";
  }
  return "unknown";
}

}  // namespace llm
