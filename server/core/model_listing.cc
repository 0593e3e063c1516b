#include "server/core/model_listing.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "router/route_plan.h"

namespace llm::server {
namespace {

// Pico-units per token of `currency` as USD per token, or nullopt. A rate is
// scaled to nano-units: 1 unit of `from` is rate * 10^-9 units of USD.
std::optional<std::string> UsdPerToken(std::optional<int64_t> pico,
                                       const Currency& currency,
                                       const ListingFacts& facts) {
  if (!pico.has_value()) return std::nullopt;
  if (currency.code == "USD") return FormatDecimal(*pico, 12, 1);
  const ExchangeRate* found = nullptr;
  for (const ExchangeRate& rate : *facts.rates) {
    if (rate.from != currency.code || rate.to != "USD") continue;
    if (rate.since > facts.now) continue;
    if (found == nullptr || rate.since >= found->since) found = &rate;
  }
  if (found == nullptr) return std::nullopt;
  const absl::StatusOr<int64_t> nano = ParseDecimal(found->rate, 9);
  if (!nano.ok()) return std::nullopt;
  return FormatDecimal(MulDivHalfEven(*pico, *nano, 1'000'000'000), 12, 1);
}

void FillPricing(const PublicModel& model, const ListingFacts& facts,
                 v1::Model& out) {
  const Deployment& first = model.deployments.front();
  const auto settings = facts.table->providers.find(first.provider.value);
  if (settings == facts.table->providers.end()) return;
  PriceQuery query;
  query.provider = settings->second.price_provider;
  query.currency = &settings->second.currency;
  query.public_model = model.id.value;
  query.requested_model = first.upstream_model.value;
  query.at = facts.now;
  const PriceRow* row = facts.table->prices->Find(query);
  if (row == nullptr) return;
  const PriceSet prices = EffectivePrices(*row, facts.now, 0);
  const auto prompt = UsdPerToken(prices.input, row->currency, facts);
  // An embedding has no output to pay for.
  const auto completion = UsdPerToken(
      row->embedding ? std::optional<int64_t>(prices.output.value_or(0))
                     : prices.output,
      row->currency, facts);
  if (!prompt.has_value() || !completion.has_value()) return;
  v1::ModelPricing& pricing = *out.mutable_pricing();
  pricing.set_prompt(*prompt);
  pricing.set_completion(*completion);
  if (auto read = UsdPerToken(prices.cached_input, row->currency, facts)) {
    pricing.set_input_cache_read(*read);
  }
  if (auto write = UsdPerToken(prices.cache_write, row->currency, facts)) {
    pricing.set_input_cache_write(*write);
  }
}

void FillCapabilities(const ModelTraits& traits, v1::Model& out) {
  const auto add = [&out](bool has, const char* name) {
    if (has) out.add_capabilities(name);
  };
  add(traits.tools, "tools");
  add(traits.tools && traits.forced_tool_choice, "tool_choice");
  add(traits.tools && traits.parallel_tools, "parallel_tools");
  add(traits.json_object, "json_object");
  add(traits.json_schema, "json_schema");
  add(traits.vision, "vision");
  add(traits.audio, "audio");
  add(traits.reasoning, "reasoning");
  add(traits.embeddings.value_or(false), "embeddings");
}

// Of the best deployment: a caller reaches that one.
HealthState BestHealth(const PublicModel& model, const ListingFacts& facts) {
  const auto rank = [](HealthState state) {
    switch (state) {
      case HealthState::kHealthy:
        return 3;
      case HealthState::kUnknown:
        return 2;
      case HealthState::kDegraded:
        return 1;
      case HealthState::kUnavailable:
        return 0;
    }
    return 0;
  };
  HealthState best = HealthState::kUnavailable;
  for (const Deployment& deployment : model.deployments) {
    const HealthState state =
        facts.health->View(SubjectOf(*facts.table, deployment), facts.monotonic)
            .state;
    if (rank(state) > rank(best)) best = state;
  }
  return best;
}

}  // namespace

v1::Model DescribeModel(const PublicModel& model, const ListingFacts& facts) {
  v1::Model out;
  out.set_id(model.id.value);
  out.set_object("model");
  out.set_context_length(model.traits.context_window);
  out.set_max_output_tokens(model.traits.max_output_tokens);
  for (const std::string& alias : model.aliases) out.add_aliases(alias);
  FillCapabilities(model.traits, out);
  if (model.deployments.empty()) return out;
  out.set_owned_by(model.deployments.front().provider.value);
  for (const Deployment& deployment : model.deployments) {
    const auto& known = out.providers();
    if (std::find(known.begin(), known.end(), deployment.provider.value) ==
        known.end()) {
      out.add_providers(deployment.provider.value);
    }
  }
  FillPricing(model, facts, out);
  out.set_health(std::string(HealthStateName(BestHealth(model, facts))));
  return out;
}

}  // namespace llm::server
