#include "server/config/route_table_builder.h"

#include <utility>

#include "adapters/core/money.h"
#include "server/config/provider_section.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

// Windows and limits that nobody gave, from any price row of the same model.
void FillLimits(RouteTable* table) {
  for (auto& [id, model] : table->models) {
    for (const Deployment& deployment : model.deployments) {
      const auto provider = table->providers.find(deployment.provider.value);
      if (provider == table->providers.end()) continue;
      for (const PriceRow& row : table->prices->rows()) {
        if (row.provider != provider->second.price_provider ||
            row.model != deployment.upstream_model.value) {
          continue;
        }
        ModelTraits& traits = model.traits;
        if (traits.context_window == 0) {
          traits.context_window = row.context_window;
        }
        if (traits.max_output_tokens == 0) {
          traits.max_output_tokens = row.max_output_tokens;
        }
      }
    }
  }
}

// Rates were checked when they were read.
void AddRates(const UsageConfig& usage, RouteTable* table) {
  table->compare_currency = usage.report_currency;
  for (const ExchangeRate& rate : usage.rates) {
    const auto nano = ParseDecimal(rate.rate, 9);
    if (rate.to != usage.report_currency || !nano.ok()) continue;
    table->compare_rates.push_back({rate.from, *nano, rate.since});
  }
}

bool BuildPrices(const ConfigDraft& draft, LoadContext* context,
                 RouteTable* table) {
  auto built_in = PriceBook::Parse(BuiltInPrices(), {});
  if (!built_in.ok()) {
    context->faults->Add(0, "prices", Words(built_in.status()));
    return false;
  }
  std::vector<PriceRow> overrides =
      PriceOverrides(draft, *table, **built_in, context);
  auto prices = PriceBook::Parse(BuiltInPrices(), std::move(overrides));
  if (!prices.ok()) {
    context->faults->Add(0, "prices", Words(prices.status()));
    return false;
  }
  table->prices = *std::move(prices);
  return true;
}

}  // namespace

std::shared_ptr<const RouteTable> BuildRouteTable(LoadContext* context,
                                                  ConfigDraft* draft) {
  auto table = std::make_shared<RouteTable>();
  table->policy = draft->policy;
  for (const ProviderDraft& provider : draft->providers) {
    table->providers.emplace(provider.settings.id.value, provider.settings);
  }
  AddModels(*draft, context, table.get());
  if (!BuildPrices(*draft, context, table.get())) return nullptr;
  FillLimits(table.get());
  AddTasks(*draft, context, table.get());
  AddRates(draft->config.usage, table.get());
  if (table->models.empty()) {
    draft->config.notices.push_back(
        "no model has a name of its own: callers must ask for "
        "PROVIDER/MODEL");
  }
  table->version = ConfigVersion(draft->config, *table);
  return table;
}

}  // namespace llm::server
