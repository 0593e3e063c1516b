#include "server/metrics/label_index.h"

#include <algorithm>

#include "adapters/core/text.h"

namespace llm::server {
namespace {

constexpr char kOther[] = "other";

uint64_t PairKey(uint32_t provider, uint32_t model) {
  return uint64_t{provider} << 32 | model;
}

}  // namespace

LabelIndex::LabelIndex(const RouteTable& table)
    : provider_names_{kOther}, model_names_{kOther} {
  std::vector<std::string> providers;
  for (const auto& [id, settings] : table.providers) providers.push_back(id);
  std::sort(providers.begin(), providers.end());
  Add(0, 0, table);
  for (const std::string& id : providers) {
    const auto index = static_cast<uint32_t>(provider_names_.size());
    provider_names_.push_back(id);
    providers_.emplace(id, index);
    Add(index, 0, table);
  }
  for (const std::string& id : table.model_order) {
    const auto index = static_cast<uint32_t>(model_names_.size());
    model_names_.push_back(id);
    models_.emplace(id, index);
    Add(0, index, table);
    const auto model = table.models.find(id);
    if (model == table.models.end()) continue;
    for (const Deployment& deployment : model->second.deployments) {
      const auto provider = providers_.find(deployment.provider.value);
      if (provider != providers_.end()) Add(provider->second, index, table);
    }
  }
}

size_t LabelIndex::Add(uint32_t provider, uint32_t model,
                       const RouteTable& table) {
  const auto [it, added] =
      pairs_.try_emplace(PairKey(provider, model), series_.size());
  if (added) {
    SeriesLabels labels{provider_names_[provider], model_names_[model], ""};
    const auto served = table.models.find(labels.model);
    if (model != 0 && served != table.models.end() &&
        served->second.traits.embeddings.value_or(false)) {
      labels.operation = "embeddings";
    }
    const auto settings = table.providers.find(labels.provider);
    if (provider != 0 && settings != table.providers.end()) {
      labels.currency = settings->second.currency.code;
    }
    series_.push_back(std::move(labels));
  }
  return it->second;
}

size_t LabelIndex::Find(std::string_view provider,
                        std::string_view model) const {
  const auto p = providers_.find(ToAbsl(provider));
  const auto m = models_.find(ToAbsl(model));
  const uint32_t provider_index = p == providers_.end() ? 0 : p->second;
  const uint32_t model_index = m == models_.end() ? 0 : m->second;
  auto pair = pairs_.find(PairKey(provider_index, model_index));
  // A configured model at a provider that does not serve it by name.
  if (pair == pairs_.end()) pair = pairs_.find(PairKey(provider_index, 0));
  return pair == pairs_.end() ? 0 : pair->second;
}

}  // namespace llm::server
