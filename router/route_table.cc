#include "router/route_table.h"

#include "adapters/core/text.h"

namespace llm {

const PublicModel* RouteTable::FindModel(std::string_view name) const {
  if (const auto it = models.find(ToAbsl(name)); it != models.end()) {
    return &it->second;
  }
  const auto alias = model_aliases.find(ToAbsl(name));
  if (alias == model_aliases.end()) return nullptr;
  const auto it = models.find(alias->second);
  return it == models.end() ? nullptr : &it->second;
}

const TaskRoute* RouteTable::FindTask(std::string_view name) const {
  if (const auto it = tasks.find(ToAbsl(name)); it != tasks.end())
    return &it->second;
  const auto alias = task_aliases.find(ToAbsl(name));
  if (alias == task_aliases.end()) return nullptr;
  const auto it = tasks.find(alias->second);
  return it == tasks.end() ? nullptr : &it->second;
}

}  // namespace llm
