// Commands that need no running service: check, prices, route.
#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "router/health_board.h"
#include "router/route_plan.h"
#include "server/cli/commands.h"
#include "server/config/catalog.h"
#include "server/config/load_config.h"
#include "server/config/setting_text.h"

namespace llm::server {
namespace {

std::string PriceText(const std::optional<int64_t>& pico_per_token) {
  // Pico-units per token are millionths of a unit per million tokens.
  return pico_per_token.has_value() ? FormatDecimal(*pico_per_token, 6, 0)
                                    : "-";
}

std::string DateText(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) {
    return "-";
  }
  return absl::FormatTime("%Y-%m-%dT%H:%MZ", time, absl::UTCTimeZone());
}

// `name` is a public model, served here or only known, or an id as the provider
// knows it.
bool RowMatches(const PriceRow& row, const std::string& name,
                const RouteTable& table) {
  if (name.empty() || row.model == name || row.public_model == name ||
      std::find(row.aliases.begin(), row.aliases.end(), name) !=
          row.aliases.end()) {
    return true;
  }
  if (!row.public_model.empty()) return false;
  const PublicModel* model = table.FindModel(name);
  if (model == nullptr) {
    const CatalogModel* known = FindInCatalog(name);
    return known != nullptr && known->upstream == row.model;
  }
  return std::any_of(model->deployments.begin(), model->deployments.end(),
                     [&](const Deployment& deployment) {
                       return deployment.upstream_model.value == row.model;
                     });
}

void PrintPlan(const RoutePlan& plan, std::ostream& out) {
  out << "task: " << (plan.task_type.empty() ? "-" : plan.task_type) << "\n"
      << "why:  " << plan.reason << "\n";
  std::vector<std::vector<std::string>> rows = {
      {"#", "model", "deployment", "tier", "reason"}};
  for (const RouteTarget& target : plan.targets) {
    rows.push_back({std::to_string(rows.size()), target.public_model().value,
                    target.deployment->id,
                    target.fallback() ? "fallback" : "primary",
                    ReasonOf(plan, target)});
  }
  out << FormatTable(rows);
  for (const std::string& line : plan.excluded) {
    out << "excluded: " << line << "\n";
  }
}

std::string PlanJson(const RoutePlan& plan) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Member("config_version", plan.config_version);
  json.Member("task_type", plan.task_type);
  json.Member("reason", plan.reason);
  json.Key("targets");
  json.BeginArray();
  for (const RouteTarget& target : plan.targets) {
    json.BeginObject();
    json.Member("model", target.public_model().value);
    json.Member("provider", target.deployment->provider.value);
    json.Member("deployment", target.deployment->id);
    json.Member("tier", target.fallback() ? "fallback" : "primary");
    json.Member("reason", ReasonOf(plan, target));
    json.EndObject();
  }
  json.EndArray();
  json.Key("excluded");
  json.BeginArray();
  for (const std::string& line : plan.excluded) json.String(line);
  json.EndArray();
  json.EndObject();
  return text;
}

}  // namespace

std::shared_ptr<const Config> LoadForCli(const std::string& file,
                                         const CliHost& host) {
  ConfigSources sources;
  sources.file = file;
  sources.env = host.env;
  sources.env_names = host.env_names;
  sources.built_in = host.built_in;
  sources.now = host.now;
  ConfigResult result = LoadConfig(sources);
  for (const std::string& fault : result.faults) *host.err << fault << "\n";
  return result.config;
}

int RunCheck(const std::string& file, const CliHost& host) {
  const std::shared_ptr<const Config> config = LoadForCli(file, host);
  if (config == nullptr) return 2;
  for (const std::string& notice : config->notices) {
    *host.out << "note: " << notice << "\n";
  }
  *host.out << file << ": ok (version " << config->table->version << ")\n";
  return 0;
}

int RunPrices(const PricesOptions& options, const CliHost& host) {
  absl::Time at = host.now;
  if (!options.at.empty()) {
    const absl::StatusOr<absl::Time> time = ParseTimeSetting(options.at);
    if (!time.ok()) {
      *host.err << "--at: " << ToStd(time.status().message()) << "\n";
      return 2;
    }
    at = *time;
  }
  const std::shared_ptr<const Config> config =
      LoadForCli(options.config_file, host);
  if (config == nullptr) return 2;
  const RouteTable& table = *config->table;
  std::vector<std::vector<std::string>> rows = {
      {"provider", "model", "currency", "input", "cached", "output", "from",
       "until", "source"}};
  for (const PriceRow& row : table.prices->rows()) {
    if (at < row.effective_from || at >= row.effective_until ||
        !RowMatches(row, options.model, table)) {
      continue;
    }
    const PriceSet prices = EffectivePrices(row, at, 0);
    rows.push_back({row.provider,
                    row.public_model.empty() || row.public_model == row.model
                        ? row.model
                        : absl::StrCat(row.model, " as ", row.public_model),
                    row.currency.code, PriceText(prices.input),
                    PriceText(prices.cached_input), PriceText(prices.output),
                    DateText(row.effective_from), DateText(row.effective_until),
                    row.source});
  }
  if (rows.size() == 1) {
    *host.err << "no price row is in force"
              << (options.model.empty() ? "" : " for " + options.model)
              << "; its cost would be unknown\n";
    return 1;
  }
  *host.out << "per million tokens, in force at " << DateText(at)
            << ", list of " << table.prices->as_of() << "\n"
            << FormatTable(rows);
  return 0;
}

int RunRoute(const RouteOptions& options, const CliHost& host) {
  const std::shared_ptr<const Config> config =
      LoadForCli(options.config_file, host);
  if (config == nullptr) return 2;
  v1::ChatCompletionRequest request;
  request.set_model(options.model.empty() ? "auto" : options.model);
  if (!options.task.empty()) request.set_task_type(options.task);
  const HealthBoard health;
  PlanInput input;
  input.table = config->table.get();
  input.request = &request;
  input.health = &health;
  input.at = host.now;
  const absl::StatusOr<RoutePlan> plan = MakePlan(input);
  if (!plan.ok()) {
    *host.err << ToStd(plan.status().message()) << "\n";
    return 1;
  }
  if (options.json) {
    *host.out << PlanJson(*plan) << "\n";
  } else {
    PrintPlan(*plan, *host.out);
  }
  return 0;
}

}  // namespace llm::server
