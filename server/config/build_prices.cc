// Price rows from the file.
#include <utility>

#include "server/config/route_table_builder.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

// What the built-in list calls the same model: a served name with a date
// must find the override too, not the built-in row behind it.
void CopyNames(const PriceBook& built_in, PriceRow* row) {
  for (const PriceRow& known : built_in.rows()) {
    if (known.provider != row->provider || known.currency != row->currency ||
        known.model != row->model) {
      continue;
    }
    row->aliases = known.aliases;
    row->match = known.match;
  }
}

PriceRow MakeRow(const PriceDraft& price, const ProviderSettings& provider,
                 const PublicModel& model, const Deployment& deployment,
                 const PriceBook& built_in) {
  PriceRow row;
  row.provider = provider.price_provider;
  row.public_model = model.id.value;
  row.model = deployment.upstream_model.value;
  row.currency = provider.currency;
  row.prices = price.prices;
  row.source = "configuration";
  row.confidence = "high";
  CopyNames(built_in, &row);
  return row;
}

PriceRow FreeRow(const ProviderSettings& provider) {
  PriceRow row;
  row.provider = provider.price_provider;
  row.model = "simulated";
  row.match = ".*";
  row.currency = provider.currency;
  row.prices.input = 0;
  row.prices.output = 0;
  row.source = "configuration";
  row.confidence = "high";
  return row;
}

}  // namespace

std::vector<PriceRow> PriceOverrides(const ConfigDraft& draft,
                                     const RouteTable& table,
                                     const PriceBook& built_in,
                                     LoadContext* context) {
  std::vector<PriceRow> rows;
  for (const ModelDraft& given : draft.models) {
    const auto model = table.models.find(given.id);
    if (!given.price.has_value() || model == table.models.end()) continue;
    const PriceDraft& price = *given.price;
    for (const Deployment& deployment : model->second.deployments) {
      const auto provider = table.providers.find(deployment.provider.value);
      if (provider == table.providers.end()) continue;
      const std::string& currency = provider->second.currency.code;
      if (!price.currency.empty() && price.currency != currency) {
        context->faults->Add(
            price.place.line, price.place.path,
            Cat("is in ", price.currency, ", but provider ",
                deployment.provider.value, " is billed in ", currency,
                " (providers.", deployment.provider.value, ".currency)"));
        continue;
      }
      rows.push_back(MakeRow(price, provider->second, model->second, deployment,
                             built_in));
    }
  }
  // What is simulated costs nothing, which is not the same as unknown.
  for (const ProviderDraft& provider : draft.providers) {
    if (provider.settings.dialect == "simulated") {
      rows.push_back(FreeRow(provider.settings));
    }
  }
  return rows;
}

}  // namespace llm::server
