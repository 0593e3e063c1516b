// What a file says, before it is completed with built-ins and checked as a
// whole: typed values with the places they came from.
#ifndef LLM_SERVER_CONFIG_CONFIG_DRAFT_H_
#define LLM_SERVER_CONFIG_CONFIG_DRAFT_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/provider_settings.h"
#include "router/price_book.h"
#include "router/route_table.h"
#include "server/config/config.h"
#include "server/config/fault_list.h"
#include "server/config/load_config.h"

namespace llm::server {

// Where a setting stands; line 0: not in the file.
struct Place {
  int line = 0;
  std::string path;
};

struct NameAt {
  std::string name;
  Place place;
};

// Timeouts that were written down; the rest falls to the next level.
struct TimeoutPatch {
  std::optional<absl::Duration> connect;
  std::optional<absl::Duration> first_content;
  std::optional<absl::Duration> idle;
  std::optional<absl::Duration> total;
  Place place;
};

struct ProviderDraft {
  ProviderSettings settings;
  TimeoutPatch timeouts;
  Place place;
};

struct DeploymentDraft {
  std::string provider;
  std::optional<std::string> upstream;  // default: the model's id
  int weight = 1;
  Place place;
};

// Capabilities by their names in `/v1/models`; true or false where given.
using CapabilityPatch = std::map<std::string, bool>;

struct PriceDraft {
  std::string currency;  // empty: the provider's
  PriceSet prices;
  Place place;
};

struct ModelDraft {
  std::string id;
  Place place;
  std::optional<std::string> upstream;
  // Set by `provider` or `deployments`; empty: the catalog's.
  std::vector<DeploymentDraft> deployments;
  std::vector<NameAt> aliases;
  std::optional<int64_t> context_window;
  std::optional<int64_t> max_output_tokens;
  CapabilityPatch capabilities;
  std::optional<TimeoutPatch> timeouts;
  std::optional<PriceDraft> price;
};

struct TaskDraft {
  std::string id;
  Place place;
  std::optional<std::vector<NameAt>> primary;
  std::optional<std::vector<NameAt>> fallback;
  std::optional<Prefer> prefer;
};

struct ConfigDraft {
  Config config;
  // Unset: by the rule of contract.md section 1.
  std::optional<AuthMode> auth_mode;
  // Of every scalar under server, auth and store that was set.
  std::map<std::string, Place> places;
  std::vector<ProviderDraft> providers;
  std::vector<ModelDraft> models;
  std::vector<TaskDraft> tasks;
  RoutingPolicy policy;
  Place default_task_place;
};

// What the readers of the sections share.
struct LoadContext {
  const ConfigSources* sources;
  FaultList* faults;
  // Variables that env: references name: never unknown overrides.
  std::set<std::string> referenced_env;

  std::optional<std::string> Env(const std::string& name) const {
    return sources->env ? sources->env(name) : std::nullopt;
  }
};

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_CONFIG_DRAFT_H_
