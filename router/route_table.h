// One immutable snapshot of what can be routed where: models, deployments,
// tasks and the policy numbers. Built by server/config; a reload builds a new
// one, and calls in flight finish on theirs.
//
// Threads: Immutable; share freely.
#ifndef LLM_ROUTER_ROUTE_TABLE_H_
#define LLM_ROUTER_ROUTE_TABLE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "adapters/core/provider.h"
#include "adapters/core/provider_settings.h"
#include "router/price_book.h"

namespace llm {

// One way to serve a public model.
struct Deployment {
  // "deepseek/deepseek-flash": provider and upstream id; unique in a model.
  std::string id;
  ProviderId provider;
  ModelId upstream_model;
  // Relative share among equals; at least 1.
  int weight = 1;
  ReasoningSwitch reasoning = ReasoningSwitch::kAsAsked;
  // Overrides of the provider's timeouts.
  std::optional<ProviderTimeouts> timeouts;
};

struct PublicModel {
  ModelId id;
  std::vector<std::string> aliases;
  ModelTraits traits;
  // In order of preference, unless they share the load by weight.
  std::vector<Deployment> deployments;
  // The deployments are equals: a conversation is given one of them by
  // weighted rendezvous hashing. Any weight above 1 means the same.
  bool spread = false;
};

enum class Prefer { kOrder, kLatency, kCost };

struct TaskRoute {
  std::string id;
  std::vector<ModelId> primary;
  std::vector<ModelId> fallback;
  Prefer prefer = Prefer::kOrder;
  // The tier that auto-quick and auto-deep choose among built-in tasks.
  bool deep = false;
};

struct RoutingPolicy {
  std::string default_task = "general";
  // Tasks behind auto-quick and auto-deep.
  std::string quick_task = "auto-quick";
  std::string deep_task = "auto-deep";
  int max_attempts = 4;
  // Repeats on the same deployment after a passing failure.
  int max_retries_same = 1;
  absl::Duration backoff_initial = absl::Milliseconds(250);
  absl::Duration backoff_max = absl::Seconds(8);
  // A longer Retry-After moves on at once instead of waiting.
  absl::Duration max_wait = absl::Seconds(10);
  // How often providers in trouble are looked at beside traffic; zero: never.
  absl::Duration probe_interval = absl::Seconds(30);
};

// 1 unit of `from` is `nano` billionths of the compare currency from `since`
// on.
struct CompareRate {
  std::string from;
  int64_t nano = 0;
  absl::Time since;
};

struct RouteTable {
  // Changes with every accepted configuration.
  std::string version;
  absl::flat_hash_map<std::string, PublicModel> models;  // by id
  absl::flat_hash_map<std::string, std::string> model_aliases;
  // Model ids in the order they are listed.
  std::vector<std::string> model_order;
  absl::flat_hash_map<std::string, TaskRoute> tasks;
  absl::flat_hash_map<std::string, std::string> task_aliases;
  absl::flat_hash_map<std::string, ProviderSettings> providers;
  RoutingPolicy policy;
  std::shared_ptr<const PriceBook> prices;
  // For prices in several currencies (usage.report_currency and usage.rates).
  std::string compare_currency = "USD";
  std::vector<CompareRate> compare_rates;

  // By id or alias; null if unknown.
  const PublicModel* FindModel(std::string_view name) const;
  const TaskRoute* FindTask(std::string_view name) const;
};

// The task types and aliases of the built-in map (both TradingAgents
// projects, their first service, and generic ones). `models` are the ids that
// are served; tasks keep only those, in the built-in order of preference.
struct BuiltInTask {
  std::string_view id;
  std::vector<std::string_view> aliases;
  bool deep;
  bool needs_tools;
  // Of models that make embeddings; all others are of those that chat.
  bool embeds = false;
};
const std::vector<BuiltInTask>& BuiltInTasks();

}  // namespace llm

#endif  // LLM_ROUTER_ROUTE_TABLE_H_
