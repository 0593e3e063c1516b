// Models of the catalog, changed and added to by the file.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "server/config/catalog.h"
#include "server/config/provider_section.h"
#include "server/config/route_table_builder.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

const ProviderDraft* FindProvider(const ConfigDraft& draft,
                                  std::string_view id) {
  for (const ProviderDraft& provider : draft.providers) {
    if (provider.settings.id.value == id) return &provider;
  }
  return nullptr;
}

Deployment MakeDeployment(const std::string& provider,
                          const std::string& upstream) {
  Deployment deployment;
  deployment.id = Cat(provider, "/", upstream);
  deployment.provider = {provider};
  deployment.upstream_model = {upstream};
  return deployment;
}

void AddCatalog(const ConfigDraft& draft, RouteTable* table) {
  for (const ProviderDraft& provider : draft.providers) {
    const std::string& provider_id = provider.settings.id.value;
    for (const CatalogModel& entry : CatalogOf(provider_id)) {
      const std::string id(entry.id);
      const auto [it, added] = table->models.try_emplace(id);
      PublicModel& model = it->second;
      if (added) {
        model.id = {id};
        model.traits = TraitsOf(entry);
        for (const auto alias : entry.aliases)
          model.aliases.emplace_back(alias);
        table->model_order.push_back(id);
      }
      Deployment deployment = MakeDeployment(
          provider_id,
          std::string(entry.upstream.empty() ? entry.id : entry.upstream));
      deployment.reasoning = entry.reasoning;
      model.deployments.push_back(std::move(deployment));
    }
  }
}

// All that a chat model can, an embedding model cannot.
void MakeEmbedder(ModelTraits* traits) {
  ModelTraits embedder;
  for (bool ModelTraits::*can :
       {&ModelTraits::tools, &ModelTraits::forced_tool_choice,
        &ModelTraits::parallel_tools, &ModelTraits::json_schema,
        &ModelTraits::json_object, &ModelTraits::vision, &ModelTraits::audio,
        &ModelTraits::reasoning}) {
    embedder.*can = false;
  }
  embedder.embeddings = true;
  embedder.context_window = traits->context_window;
  *traits = embedder;
}

void ApplyCapabilities(const CapabilityPatch& patch, ModelTraits* traits) {
  const auto embeds = patch.find("embeddings");
  if (embeds != patch.end() && embeds->second) return MakeEmbedder(traits);
  if (embeds != patch.end()) traits->embeddings = false;
  for (const auto& [name, on] : patch) {
    if (name == "tools") traits->tools = on;
    if (name == "tool_choice") traits->forced_tool_choice = on;
    if (name == "parallel_tools") traits->parallel_tools = on;
    if (name == "json_schema") traits->json_schema = on;
    if (name == "json_object") traits->json_object = on;
    if (name == "vision") traits->vision = on;
    if (name == "audio") traits->audio = on;
    if (name == "reasoning") traits->reasoning = on;
    if (name == "sampling") traits->refuses_sampling = !on;
  }
}

void ApplyDeployments(const ConfigDraft& draft, const ModelDraft& given,
                      FaultList* faults, PublicModel* model) {
  std::vector<std::string> known;
  for (const ProviderDraft& provider : draft.providers) {
    known.push_back(provider.settings.id.value);
  }
  model->deployments.clear();
  for (const DeploymentDraft& one : given.deployments) {
    if (FindProvider(draft, one.provider) == nullptr) {
      if (one.provider.empty()) continue;
      faults->Add(one.place.line, one.place.path,
                  Cat("no provider '", Shown(one.provider), "' is configured",
                      DidYouMean(one.provider, known)));
      continue;
    }
    Deployment deployment =
        MakeDeployment(one.provider, one.upstream.value_or(given.id));
    deployment.weight = one.weight;
    const bool again = std::any_of(
        model->deployments.begin(), model->deployments.end(),
        [&](const Deployment& other) { return other.id == deployment.id; });
    if (again) {
      faults->Add(one.place.line, one.place.path,
                  Cat("repeats the deployment ", deployment.id));
      continue;
    }
    model->deployments.push_back(std::move(deployment));
  }
}

// `upstream` alone: the catalog's providers, another model there.
void ApplyUpstream(const std::string& upstream, PublicModel* model) {
  for (Deployment& deployment : model->deployments) {
    deployment.upstream_model = {upstream};
    deployment.id = Cat(deployment.provider.value, "/", upstream);
    deployment.reasoning = ReasoningSwitch::kAsAsked;
  }
}

void ApplyModel(const ConfigDraft& draft, const ModelDraft& given,
                FaultList* faults, RouteTable* table) {
  const auto [it, added] = table->models.try_emplace(given.id);
  PublicModel& model = it->second;
  if (added) {
    model.id = {given.id};
    table->model_order.push_back(given.id);
    // A known model at an address of one's own keeps its nature.
    if (const CatalogModel* known = FindInCatalog(given.id)) {
      model.traits = TraitsOf(*known);
    }
  }
  if (!given.deployments.empty()) {
    ApplyDeployments(draft, given, faults, &model);
  } else if (added) {
    faults->Add(given.place.line, given.place.path,
                "needs a provider: no enabled provider offers it");
  } else if (given.upstream.has_value()) {
    ApplyUpstream(*given.upstream, &model);
  }
  ApplyCapabilities(given.capabilities, &model.traits);
  ModelTraits& traits = model.traits;
  traits.context_window = given.context_window.value_or(traits.context_window);
  traits.max_output_tokens =
      given.max_output_tokens.value_or(traits.max_output_tokens);
  for (const NameAt& alias : given.aliases) model.aliases.push_back(alias.name);
}

// Model before provider before default; a reasoning model may be silent for
// as long as the whole call may last.
void ApplyModelTimeouts(const ConfigDraft& draft, const TimeoutPatch* patch,
                        FaultList* faults, PublicModel* model) {
  for (Deployment& deployment : model->deployments) {
    const ProviderDraft* provider =
        FindProvider(draft, deployment.provider.value);
    if (provider == nullptr) continue;
    if (patch == nullptr && !model->traits.reasoning) continue;
    ProviderTimeouts base = provider->settings.timeouts;
    if (patch != nullptr) base.total = patch->total.value_or(base.total);
    if (model->traits.reasoning) {
      if (!provider->timeouts.first_content) base.first_content = base.total;
      if (!provider->timeouts.idle) base.idle = base.total;
    }
    const TimeoutPatch effective = patch == nullptr ? TimeoutPatch{} : *patch;
    deployment.timeouts = ApplyTimeouts(effective, base);
    if (patch != nullptr && &deployment == &model->deployments.front()) {
      CheckTimeouts(*patch, *deployment.timeouts, faults);
    }
  }
}

void AddAliases(const ConfigDraft& draft, FaultList* faults,
                RouteTable* table) {
  const auto add = [table](const std::string& alias, const std::string& id) {
    if (table->models.contains(alias)) return false;
    const auto [it, added] = table->model_aliases.try_emplace(alias, id);
    return added || it->second == id;
  };
  absl::flat_hash_set<std::string> of_file;
  for (const ModelDraft& model : draft.models) {
    for (const NameAt& alias : model.aliases) {
      of_file.insert(alias.name);
      if (!add(alias.name, model.id)) {
        faults->Add(alias.place.line, alias.place.path,
                    Cat("'", Shown(alias.name),
                        "' is already the name of another model"));
      }
    }
  }
  for (const std::string& id : table->model_order) {
    PublicModel& model = table->models[id];
    // The catalog's aliases yield to names that the file gives away.
    std::erase_if(model.aliases,
                  [&](const std::string& alias) { return !add(alias, id); });
  }
}

}  // namespace

void AddModels(const ConfigDraft& draft, LoadContext* context,
               RouteTable* table) {
  AddCatalog(draft, table);
  for (const ModelDraft& model : draft.models) {
    ApplyModel(draft, model, context->faults, table);
  }
  for (const std::string& id : table->model_order) {
    const auto given =
        std::find_if(draft.models.begin(), draft.models.end(),
                     [&](const ModelDraft& model) { return model.id == id; });
    const TimeoutPatch* patch = nullptr;
    if (given != draft.models.end() && given->timeouts.has_value()) {
      patch = &*given->timeouts;
    }
    ApplyModelTimeouts(draft, patch, context->faults, &table->models[id]);
  }
  AddAliases(draft, context->faults, table);
}

}  // namespace llm::server
