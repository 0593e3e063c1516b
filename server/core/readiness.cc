#include "server/core/readiness.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "router/route_plan.h"

namespace llm::server {
namespace {

void WriteDetail(const std::string& id, const HealthView& view, Instant now,
                 JsonWriter& json) {
  const std::string why = HealthWords(view, now);
  if (why.empty() && !view.latency && view.in_flight == 0 && !view.seen_down) {
    return;
  }
  json.Key(id);
  json.BeginObject();
  json.Member("breaker", BreakerStateName(view.breaker));
  if (!why.empty()) json.Member("why", why);
  if (view.latency) {
    json.Key("latency_s");
    json.Double(absl::ToDoubleSeconds(*view.latency));
  }
  json.MemberInt("in_flight", view.in_flight);
  if (view.seen_down) json.Member("probe", "down");
  json.EndObject();
}

void WriteKeys(const RouteTable& table, const HealthBoard& health, Instant now,
               JsonWriter& json) {
  std::map<std::string, const ProviderSettings*> providers;
  for (const auto& [id, settings] : table.providers) {
    if (!settings.api_keys.empty()) providers[id] = &settings;
  }
  json.Key("providers");
  json.BeginObject();
  for (const auto& [id, settings] : providers) {
    const KeyPool pool = health.Keys(id, settings->api_keys, now);
    json.Key(id);
    json.BeginObject();
    json.MemberInt("keys", pool.keys);
    json.Key("keys_out");
    json.BeginObject();
    for (const auto& [why, count] : pool.out) {
      if (count > 0) json.MemberInt(FailureClassName(why), count);
    }
    json.EndObject();
    json.EndObject();
  }
  json.EndObject();
}

}  // namespace

void WriteHealth(const RouteTable& table, const HealthBoard& health,
                 Instant now, JsonWriter& json) {
  // In the order of models, each deployment once.
  std::vector<std::pair<const std::string*, HealthView>> seen;
  for (const std::string& id : table.model_order) {
    const PublicModel* model = table.FindModel(id);
    if (model == nullptr) continue;
    for (const Deployment& deployment : model->deployments) {
      const bool there = std::any_of(
          seen.begin(), seen.end(),
          [&](const auto& known) { return *known.first == deployment.id; });
      if (there) continue;
      seen.emplace_back(&deployment.id,
                        health.View(SubjectOf(table, deployment), now));
    }
  }
  json.Key("deployments");
  json.BeginObject();
  for (const auto& [id, view] : seen) {
    json.Member(*id, HealthStateName(view.state));
  }
  json.EndObject();
  json.Key("detail");
  json.BeginObject();
  for (const auto& [id, view] : seen) WriteDetail(*id, view, now, json);
  json.EndObject();
  WriteKeys(table, health, now, json);
}

}  // namespace llm::server
