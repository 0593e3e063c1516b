#include "server/metrics/metrics_hub.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <utility>

#include "server/metrics/loop_metrics.h"
#include "server/metrics/metric_families.h"
#include "server/metrics/process_metrics.h"

namespace llm::server {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

template <typename Number>
void AddSource(const std::function<Number()>& source, std::string name,
               std::string help, MetricType type,
               std::vector<MetricFamily>* families) {
  if (!source) return;
  families->push_back(MakeFamily(std::move(name), std::move(help), type));
  AddValue({}, static_cast<double>(source()), &families->back());
}

void AddSources(const MetricSources& sources,
                std::vector<MetricFamily>* families) {
  AddSource(sources.inflight_requests, "llm_service_inflight_requests",
            "Requests being served.", MetricType::Gauge, families);
  AddSource(sources.ledger_rows, "llm_service_ledger_rows_total",
            "Rows written to the store.", MetricType::Counter, families);
  AddSource(sources.ledger_rows_dropped,
            "llm_service_ledger_rows_dropped_total",
            "Rows that could not be kept.", MetricType::Counter, families);
  AddSource(sources.ledger_queue_rows, "llm_service_ledger_queue_rows",
            "Rows in journals that the store has not taken yet.",
            MetricType::Gauge, families);
  AddSource(sources.ledger_journal_bytes, "llm_service_ledger_journal_bytes",
            "Bytes of the journals; calls are refused when they are full, at "
            "256 MiB.",
            MetricType::Gauge, families);
  AddSource(sources.ledger_rows_quarantined,
            "llm_service_ledger_rows_quarantined_total",
            "Rows that the store refused, kept aside.", MetricType::Counter,
            families);
  AddSource(sources.ledger_rows_lost, "llm_service_ledger_rows_lost_total",
            "Rows made for calls of processes that died.", MetricType::Counter,
            families);
  AddSource(sources.ledger_store_up, "llm_service_ledger_store_up",
            "1 while the store takes rows.", MetricType::Gauge, families);
  AddSource(sources.draining, "llm_service_draining",
            "1 from the signal to stop on.", MetricType::Gauge, families);
  AddSource(sources.body_bytes, "llm_service_body_bytes",
            "Bytes of request bodies in hand.", MetricType::Gauge, families);
  AddSource(sources.connections, "llm_service_connections",
            "Open connections of the public HTTP listener.", MetricType::Gauge,
            families);
  if (!sources.shed) return;
  families->push_back(MakeFamily(
      "llm_service_shed_total",
      "Requests and connections refused at a limit of the service itself.",
      MetricType::Counter));
  for (const auto& [limit, count] : sources.shed()) {
    AddValue({{"limit", limit}}, static_cast<double>(count), &families->back());
  }
}

void AddEmbeddingCache(const MetricSources& sources,
                       std::vector<MetricFamily>* families) {
  if (!sources.embedding_cache) return;
  families->push_back(MakeFamily(
      "llm_service_embedding_cache_total",
      "Inputs of embeddings that were looked for in the cache, by result.",
      MetricType::Counter));
  const auto [hits, misses] = sources.embedding_cache();
  AddValue({{"result", "hit"}}, static_cast<double>(hits), &families->back());
  AddValue({{"result", "miss"}}, static_cast<double>(misses),
           &families->back());
}

std::string_view VerdictWord(ProbeVerdict verdict) {
  switch (verdict) {
    case ProbeVerdict::kUp:
      return "up";
    case ProbeVerdict::kDown:
      return "down";
    case ProbeVerdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

void AddProbes(const MetricSources& sources, const RouteTable& table,
               std::vector<MetricFamily>* families) {
  if (!sources.probes) return;
  families->push_back(
      MakeFamily("llm_service_probes_total",
                 "Looks at providers' lists of models, by what they saw.",
                 MetricType::Counter));
  for (const ProbeCount& count : sources.probes()) {
    if (!table.providers.contains(count.provider)) continue;
    AddValue({{"provider", count.provider},
              {"verdict", std::string(VerdictWord(count.verdict))}},
             static_cast<double>(count.looks), &families->back());
  }
}

void AddByProvider(
    const std::function<int64_t(std::string_view provider)>& source,
    std::string name, std::string help, const RouteTable& table,
    std::vector<MetricFamily>* families) {
  if (!source) return;
  families->push_back(
      MakeFamily(std::move(name), std::move(help), MetricType::Gauge));
  for (const auto& [id, settings] : table.providers) {
    AddValue({{"provider", id}}, static_cast<double>(source(id)),
             &families->back());
  }
}

// The value of breaker_state: a rest that was asked for and keys that are out
// leave a deployment alone just as its breaker does.
int BreakerValue(const HealthView& view) {
  if (view.state == HealthState::kUnavailable) return 2;
  return view.breaker == BreakerState::kHalfOpen ? 1 : 0;
}

void AddHealth(const MetricSources& sources, const RouteTable& table,
               std::vector<MetricFamily>* families) {
  if (!sources.health) return;
  struct Seen {
    bool any_up = false;
    bool any_down = false;
  };
  std::map<std::string, Seen> providers;
  // The worst of a model's deployments at a provider.
  std::map<std::pair<std::string, std::string>, int> values;
  for (const auto& [id, settings] : table.providers) providers[id];
  for (const std::string& id : table.model_order) {
    const auto model = table.models.find(id);
    if (model == table.models.end()) continue;
    for (const Deployment& deployment : model->second.deployments) {
      const HealthView view = sources.health(table, deployment);
      Seen& seen = providers[deployment.provider.value];
      seen.any_down = seen.any_down || view.state == HealthState::kUnavailable;
      seen.any_up = seen.any_up || view.state == HealthState::kHealthy ||
                    view.state == HealthState::kDegraded;
      int& value = values[{deployment.provider.value, id}];
      value = std::max(value, BreakerValue(view));
    }
  }
  MetricFamily breakers =
      MakeFamily("llm_service_breaker_state",
                 "0 closed, 1 half-open: one call tries it, 2 open: the "
                 "deployment is being left alone.",
                 MetricType::Gauge);
  for (const auto& [names, value] : values) {
    AddValue({{"provider", names.first}, {"model", names.second}}, value,
             &breakers);
  }
  MetricFamily healthy = MakeFamily(
      "llm_service_provider_healthy",
      "0 while all deployments that have seen traffic are unavailable.",
      MetricType::Gauge);
  for (const auto& [id, seen] : providers) {
    AddValue({{"provider", id}}, seen.any_down && !seen.any_up ? 0 : 1,
             &healthy);
  }
  families->push_back(std::move(healthy));
  families->push_back(std::move(breakers));
}

void AddKeys(const MetricSources& sources, const RouteTable& table,
             std::vector<MetricFamily>* families) {
  if (!sources.keys) return;
  MetricFamily pool = MakeFamily("llm_service_provider_keys",
                                 "Keys configured.", MetricType::Gauge);
  MetricFamily out =
      MakeFamily("llm_service_provider_keys_out",
                 "Keys set aside just now, by reason.", MetricType::Gauge);
  std::map<std::string, const ProviderSettings*> providers;
  for (const auto& [id, settings] : table.providers) providers[id] = &settings;
  for (const auto& [id, settings] : providers) {
    const KeyPool keys = sources.keys(*settings);
    AddValue({{"provider", id}}, keys.keys, &pool);
    for (const auto& [why, count] : keys.out) {
      AddValue(
          {{"provider", id}, {"reason", std::string(FailureClassName(why))}},
          count, &out);
    }
  }
  families->push_back(std::move(pool));
  families->push_back(std::move(out));
}

}  // namespace

MetricsHub::MetricsHub(std::shared_ptr<const RouteTable> table, int loops,
                       MetricSources sources, BuildInfo build)
    : loops_(std::max(loops, 1)),
      sources_(std::move(sources)),
      build_(std::move(build)) {
  SetTable(std::move(table));
  for (int i = 0; i < loops_; ++i) {
    observers_.push_back(
        std::make_unique<LoopMetrics>(&current_, static_cast<size_t>(i)));
  }
}

MetricsHub::~MetricsHub() = default;

CallObserver& MetricsHub::ObserverForLoop(int loop) {
  return *observers_.at(static_cast<size_t>(loop));
}

void MetricsHub::SetTable(std::shared_ptr<const RouteTable> table) {
  auto next = std::make_unique<MetricGeneration>(*table, loops_);
  MutexLock lock(mutex_);
  // One that had the same labels goes on counting: it is still whole, and a
  // loop that is in the middle of the last one does no harm there.
  const auto same =
      std::find_if(generations_.begin(), generations_.end(),
                   [&next](const std::unique_ptr<MetricGeneration>& known) {
                     return known->labels.series() == next->labels.series();
                   });
  if (same == generations_.end()) {
    generations_.push_back(std::move(next));
    current_.store(generations_.back().get(), std::memory_order_release);
  } else {
    current_.store(same->get(), std::memory_order_release);
  }
  table_ = std::move(table);
}

size_t MetricsHub::generations() const {
  const MutexLock lock(mutex_);
  return generations_.size();
}

std::string MetricsHub::Render() const {
  std::vector<MetricFamily> families;
  std::shared_ptr<const RouteTable> table;
  {
    MutexLock lock(mutex_);
    families = CountedFamilies(generations_);
    table = table_;
  }
  AddHealth(sources_, *table, &families);
  AddKeys(sources_, *table, &families);
  AddSources(sources_, &families);
  AddProbes(sources_, *table, &families);
  AddEmbeddingCache(sources_, &families);
  AddByProvider(sources_.queued, "llm_service_queued_requests",
                "Calls that wait for a place at the provider.", *table,
                &families);
  AddByProvider(sources_.provider_inflight,
                "llm_service_provider_inflight_requests",
                "Calls under way at the provider.", *table, &families);
  AddProcess(&families);
  families.push_back(MakeFamily("llm_service_build_info",
                                "What is running; the value is always 1.",
                                MetricType::Gauge));
  AddValue({{"version", build_.version},
            {"commit", build_.commit},
            {"config_version", table->version}},
           1, &families.back());
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace llm::server
