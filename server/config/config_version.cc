// The short digest that names a configuration.
#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "server/config/route_table_builder.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

// Fields end in a byte that no name holds, so that no two texts of different
// fields run together.
class Digest {
 public:
  template <typename... Parts>
  void Add(const Parts&... parts) {
    (text_.append(Cat(parts, "\x1f")), ...);
    text_ += '\n';
  }
  std::string Short() const {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text_.data()), text_.size(),
           hash);
    return absl::BytesToHexString(
        absl::string_view(reinterpret_cast<const char*>(hash), 6));
  }

 private:
  std::string text_;
};

std::string Text(const ProviderTimeouts& t) {
  return Cat(absl::FormatDuration(t.connect), " ",
             absl::FormatDuration(t.first_content), " ",
             absl::FormatDuration(t.idle), " ", absl::FormatDuration(t.total));
}

std::string Text(const std::vector<ModelId>& models) {
  return absl::StrJoin(models, ",", [](std::string* out, const ModelId& id) {
    out->append(id.value);
  });
}

template <typename Map>
std::vector<std::string> SortedKeys(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Not where an instance listens, with which files and threads, nor where its
// store is: instances that differ in these alone decide alike.
void AddServer(const Config& config, Digest* digest) {
  const ServerConfig& server = config.server;
  digest->Add(server.max_body, server.max_in_flight, server.max_connections,
              server.max_body_memory, absl::FormatDuration(server.drain),
              absl::FormatDuration(server.stream_grace),
              absl::StrJoin(server.cors, ","));
  digest->Add(config.embeddings.cache_bytes,
              absl::FormatDuration(config.embeddings.cache_ttl));
  digest->Add(static_cast<int>(config.auth.mode), config.store.ledger,
              config.usage.report_currency);
  for (const ExchangeRate& rate : config.usage.rates) {
    digest->Add(rate.from, rate.to, rate.rate, absl::FormatTime(rate.since));
  }
}

void AddProvider(const ProviderSettings& provider, Digest* digest) {
  digest->Add(provider.id.value, provider.dialect, provider.profile,
              provider.base_url, provider.api_version, provider.api_keys.size(),
              provider.currency.code, provider.price_provider,
              Text(provider.timeouts), provider.endpoint.proxy,
              provider.endpoint.ca_file, provider.endpoint.http2,
              provider.max_in_flight, provider.max_queue,
              absl::FormatDuration(provider.queue_timeout), provider.probe);
  const SimulatedOptions& simulated = provider.simulated;
  digest->Add(absl::FormatDuration(simulated.latency),
              absl::FormatDuration(simulated.chunk_interval),
              simulated.failure_rate, simulated.fail_status);
}

void AddModel(const PublicModel& model, Digest* digest) {
  const ModelTraits& t = model.traits;
  digest->Add(
      model.id.value, absl::StrJoin(model.aliases, ","), t.tools,
      t.forced_tool_choice, t.parallel_tools, t.json_schema, t.json_object,
      t.vision, t.audio, t.reasoning, t.refuses_sampling.has_value(),
      t.refuses_sampling.value_or(false), t.embeddings.has_value(),
      t.embeddings.value_or(false), t.context_window, t.max_output_tokens);
  for (const Deployment& deployment : model.deployments) {
    digest->Add(deployment.id, deployment.weight,
                static_cast<int>(deployment.reasoning),
                deployment.timeouts ? Text(*deployment.timeouts) : "");
  }
}

void AddTask(const TaskRoute& task, Digest* digest) {
  digest->Add(task.id, Text(task.primary), Text(task.fallback),
              static_cast<int>(task.prefer), task.deep);
}

}  // namespace

std::string ConfigVersion(const Config& config, const RouteTable& table) {
  Digest digest;
  AddServer(config, &digest);
  for (const std::string& id : SortedKeys(table.providers)) {
    AddProvider(table.providers.at(id), &digest);
  }
  for (const std::string& id : table.model_order) {
    AddModel(table.models.at(id), &digest);
  }
  for (const std::string& id : SortedKeys(table.tasks)) {
    AddTask(table.tasks.at(id), &digest);
  }
  for (const std::string& alias : SortedKeys(table.task_aliases)) {
    digest.Add(alias, table.task_aliases.at(alias));
  }
  const RoutingPolicy& policy = table.policy;
  digest.Add(policy.default_task, policy.max_attempts, policy.max_retries_same,
             absl::FormatDuration(policy.backoff_initial),
             absl::FormatDuration(policy.backoff_max),
             absl::FormatDuration(policy.max_wait),
             absl::FormatDuration(policy.probe_interval));
  digest.Add(table.prices->as_of());
  for (const PriceRow& row : table.prices->rows()) digest.Add(row.version);
  return digest.Short();
}

}  // namespace llm::server
