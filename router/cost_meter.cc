#include "router/cost_meter.h"

#include <algorithm>
#include <limits>

#include "router/wire_usage.h"

namespace llm {
namespace {

PricedCost PriceOf(const RouteTable& table, const Priced& what,
                   std::string_view served_model, bool thinking,
                   const TokenUsage& usage, absl::Time at) {
  if (usage.empty()) return {PriceStatus::kUnknownUsage, std::nullopt, "", {}};
  const Deployment& deployment = what.deployment;
  const auto provider = table.providers.find(deployment.provider.value);
  if (table.prices == nullptr || provider == table.providers.end()) return {};
  const ProviderSettings& settings = provider->second;
  PriceQuery query;
  query.provider = settings.price_provider.empty() ? settings.id.value
                                                   : settings.price_provider;
  query.currency = &settings.currency;
  query.public_model = what.public_model.value;
  query.served_model = served_model;
  query.requested_model = deployment.upstream_model.value;
  query.at = at;
  query.thinking = thinking || usage.reasoning.value_or(0) > 0 ||
                   deployment.reasoning == ReasoningSwitch::kOn;
  return table.prices->Price(query, usage);
}

// An answer's usual length, for comparing prices before there is one. The
// same for every candidate, so only the weight of output against input hangs
// on it.
constexpr int64_t kLikelyOutput = 1000;

// n and the limits are the caller's words: their product stays in range.
int64_t TimesChoices(int64_t tokens, int n) {
  int64_t product = 0;
  if (__builtin_mul_overflow(tokens, int64_t{std::max(1, n)}, &product)) {
    return std::numeric_limits<int64_t>::max();
  }
  return product;
}

// Adds money of the same currency; a sum beyond the range stays at its end.
void AddMoney(const Money& from, std::vector<Money>* sums) {
  for (Money& sum : *sums) {
    if (sum.currency != from.currency) continue;
    if (__builtin_add_overflow(sum.pico, from.pico, &sum.pico)) {
      sum.pico = std::numeric_limits<int64_t>::max();
    }
    return;
  }
  sums->push_back(from);
}

// Where characters were counted but their script was not seen, the plain
// script is assumed.
int64_t EstimatedOutput(const MeterInput& input) {
  const int64_t from_chars = (3 * input.result->output_chars + 9) / 10;
  return std::max(input.estimated_output_tokens, from_chars);
}

void FillGaps(const MeterInput& input, AttemptRecord* record) {
  const bool generated = input.result->status.ok() || input.content_seen ||
                         input.result->content_seen;
  TokenUsage& usage = record->usage;
  if (!generated) {
    if (usage.empty()) record->usage_source = UsageSource::kNone;
    return;
  }
  if (!usage.TotalInput()) {
    usage.fresh_input = input.estimated_input_tokens;
    record->usage_source = UsageSource::kEstimated;
  }
  const int64_t seen = EstimatedOutput(input);
  const bool early = record->usage_source == UsageSource::kPartial &&
                     input.result->output_is_early && usage.output &&
                     seen > *usage.output;
  if (!usage.output || early) {
    usage.output = seen;
    record->usage_source = UsageSource::kEstimated;
  }
}

}  // namespace

void MeterAttempt(const MeterInput& input, AttemptRecord* record) {
  record->usage = input.result->usage;
  record->usage_source = input.result->usage_source;
  FillGaps(input, record);
  const RouteTarget& target = *input.target;
  const PricedCost priced =
      PriceOf(*input.table,
              {target.public_model(), *target.deployment, target.traits()},
              input.result->served_model.value, input.result->thinking,
              record->usage, input.at);
  record->cost = priced.cost;
  record->price_status = std::string(PriceStatusName(priced.status));
  record->price_version = priced.price_version;
  record->price_degraded = priced.degraded;
}

void CallTotals::Add(const AttemptRecord& record) {
  AddUsage(record.usage, &usage);
  usage_source = CombineSources(usage_source, record.usage_source);
  if (record.cost) {
    AddMoney(*record.cost, &cost);
  } else if (!record.usage.empty()) {
    unpriced = true;
  }
}

std::optional<v1::Cost> CallTotals::SingleCost() const {
  if (unpriced || cost.size() != 1) return std::nullopt;
  v1::Cost wire;
  wire.set_amount(FormatPico(cost.front().pico));
  wire.set_currency(cost.front().currency.code);
  return wire;
}

std::optional<Money> CostOf(const RouteTable& table, const Priced& what,
                            const TokenUsage& usage, absl::Time at) {
  const bool thinking = what.traits.reasoning &&
                        what.deployment.reasoning != ReasoningSwitch::kOff;
  return PriceOf(table, what, "", thinking, usage, at).cost;
}

TokenUsage LikelyUsage(const v1::ChatCompletionRequest& request,
                       int64_t estimated_input_tokens) {
  const int64_t asked =
      std::max(request.max_completion_tokens(), request.max_tokens());
  TokenUsage usage;
  usage.fresh_input = estimated_input_tokens;
  usage.output = TimesChoices(
      asked > 0 ? std::min(asked, kLikelyOutput) : kLikelyOutput, request.n());
  return usage;
}

WorstCase WorstCaseOf(const RouteTable& table, const RoutePlan& plan,
                      const v1::ChatCompletionRequest& request,
                      int64_t estimated_input_tokens, absl::Time at) {
  WorstCase worst;
  worst.input_tokens = estimated_input_tokens;
  const int64_t asked =
      std::max(request.max_completion_tokens(), request.max_tokens());
  bool known = true;
  for (const RouteTarget& target : plan.targets) {
    TokenUsage usage;
    usage.fresh_input = estimated_input_tokens;
    usage.output =
        plan.embeddings
            ? 0
            : TimesChoices(
                  asked > 0 ? asked : target.traits().max_output_tokens,
                  request.n());
    worst.output_tokens = std::max(worst.output_tokens, *usage.output);
    const auto cost = CostOf(
        table, {target.public_model(), *target.deployment, target.traits()},
        usage, at);
    known = known && cost && (plan.embeddings || *usage.output > 0);
    if (!known) continue;
    const auto same = std::find_if(
        worst.cost.begin(), worst.cost.end(),
        [&](const Money& money) { return money.currency == cost->currency; });
    if (same == worst.cost.end()) {
      worst.cost.push_back(*cost);
    } else {
      same->pico = std::max(same->pico, cost->pico);
    }
  }
  if (!known) worst.cost.clear();
  return worst;
}

}  // namespace llm
