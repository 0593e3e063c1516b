// The task map: built-in tasks over what is served, then the file's.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "server/config/catalog.h"
#include "server/config/route_table_builder.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

// Enough for every attempt of a call to meet another model.
constexpr size_t kMaxBuiltInFallbacks = 5;

bool IsSimulated(const RouteTable& table, const PublicModel& model) {
  for (const Deployment& deployment : model.deployments) {
    const auto provider = table.providers.find(deployment.provider.value);
    if (provider != table.providers.end() &&
        provider->second.dialect != "simulated") {
      return false;
    }
  }
  return true;
}

// Served models that a built-in task may use, best first.
class Preference {
 public:
  Preference(const ConfigDraft& draft, const RouteTable& table)
      : draft_(draft), table_(table) {}

  std::vector<ModelId> For(const BuiltInTask& task) {
    order_.clear();
    if (task.deep) AddKnown(DeepPreference(), task);
    AddKnown(QuickPreference(), task);
    if (!task.deep) AddKnown(DeepPreference(), task);
    for (const ModelDraft& model : draft_.models) Add(model.id, task, false);
    for (const std::string& id : table_.model_order) Add(id, task, false);
    if (order_.empty()) AddSimulated(task);
    if (order_.size() > 1 + kMaxBuiltInFallbacks) {
      order_.resize(1 + kMaxBuiltInFallbacks);
    }
    return order_;
  }

 private:
  void AddKnown(const std::vector<std::string_view>& ids,
                const BuiltInTask& task) {
    for (const std::string_view id : ids) Add(std::string(id), task, false);
  }

  void AddSimulated(const BuiltInTask& task) {
    if (task.deep) Add("simulated-deep", task, true);
    for (const std::string& id : table_.model_order) Add(id, task, true);
  }

  void Add(const std::string& id, const BuiltInTask& task, bool simulated) {
    const auto model = table_.models.find(id);
    if (model == table_.models.end() || model->second.deployments.empty() ||
        IsSimulated(table_, model->second) != simulated ||
        model->second.traits.embeddings.value_or(false) != task.embeds ||
        (task.needs_tools && !model->second.traits.tools) ||
        // Models of speech, that do not see, are asked for by name.
        (model->second.traits.audio && !model->second.traits.vision &&
         !simulated)) {
      return;
    }
    if (std::find(order_.begin(), order_.end(), ModelId{id}) == order_.end()) {
      order_.push_back({id});
    }
  }

  const ConfigDraft& draft_;
  const RouteTable& table_;
  std::vector<ModelId> order_;
};

void AddBuiltIn(const ConfigDraft& draft, RouteTable* table) {
  Preference preference(draft, *table);
  for (const BuiltInTask& known : BuiltInTasks()) {
    std::vector<ModelId> models = preference.For(known);
    if (models.empty()) continue;
    TaskRoute task;
    task.id = std::string(known.id);
    task.deep = known.deep;
    task.primary = {models.front()};
    task.fallback.assign(models.begin() + 1, models.end());
    for (const std::string_view alias : known.aliases) {
      table->task_aliases.try_emplace(std::string(alias), task.id);
    }
    table->tasks.emplace(task.id, std::move(task));
  }
}

// The models behind names, by their ids; dangling names are faults.
std::vector<ModelId> Resolve(const std::vector<NameAt>& names,
                             const RouteTable& table, FaultList* faults) {
  std::vector<ModelId> models;
  for (const NameAt& name : names) {
    const auto alias = table.model_aliases.find(name.name);
    const std::string& id =
        alias == table.model_aliases.end() ? name.name : alias->second;
    if (table.models.contains(id)) {
      models.push_back({id});
      continue;
    }
    faults->Add(name.place.line, name.place.path,
                Cat("no model '", Shown(name.name), "' is served",
                    DidYouMean(name.name, table.model_order)));
  }
  return models;
}

void ApplyTask(const TaskDraft& given, FaultList* faults, RouteTable* table) {
  // The name of a task of one's own wins over an alias of a built-in one.
  table->task_aliases.erase(given.id);
  const auto [it, added] = table->tasks.try_emplace(given.id);
  TaskRoute& task = it->second;
  if (added) task.id = given.id;
  if (given.primary.has_value()) {
    task.primary = Resolve(*given.primary, *table, faults);
    // A file that says who comes first also says who comes after.
    task.fallback.clear();
  }
  if (given.fallback.has_value()) {
    task.fallback = Resolve(*given.fallback, *table, faults);
  }
  task.prefer = given.prefer.value_or(task.prefer);
  const bool empty_list = given.primary.has_value() && given.primary->empty();
  if (empty_list || (task.primary.empty() && !given.primary.has_value())) {
    faults->Add(given.place.line, given.place.path,
                "needs at least one primary model");
  }
}

}  // namespace

void AddTasks(const ConfigDraft& draft, LoadContext* context,
              RouteTable* table) {
  AddBuiltIn(draft, table);
  for (const TaskDraft& task : draft.tasks) {
    ApplyTask(task, context->faults, table);
  }
  const std::string& chosen = draft.policy.default_task;
  if (draft.default_task_place.line == 0 || table->tasks.contains(chosen) ||
      table->task_aliases.contains(chosen)) {
    return;
  }
  std::vector<std::string> known;
  for (const auto& [id, task] : table->tasks) known.push_back(id);
  std::sort(known.begin(), known.end());
  context->faults->Add(
      draft.default_task_place.line, draft.default_task_place.path,
      Cat("no task '", Shown(chosen), "' is known", DidYouMean(chosen, known)));
}

}  // namespace llm::server
