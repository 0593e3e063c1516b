// All metrics of the service: counted per event loop without locks, summed
// when somebody asks.
//
// Threads:   ObserverForLoop(i) is used on loop i only. Render and SetTable
//            are safe from any thread; neither disturbs the loops.
// Ownership: The hub outlives the loops that count. What the sources call
//            outlives the hub.
// Series:    Their number depends on the configuration alone [MET-1]: a name
//            that is not configured counts as "other".
#ifndef LLM_SERVER_METRICS_METRICS_HUB_H_
#define LLM_SERVER_METRICS_METRICS_HUB_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/mutex.h"
#include "router/call_observer.h"
#include "router/health_board.h"
#include "router/prober.h"
#include "router/route_table.h"

namespace llm::server {

struct MetricGeneration;
class LoopMetrics;

// Values read when metrics are rendered; what is empty is left out.
struct MetricSources {
  std::function<int64_t()> inflight_requests;
  std::function<int64_t()> ledger_rows;
  std::function<int64_t()> ledger_rows_dropped;
  std::function<int64_t()> ledger_queue_rows;
  std::function<int64_t()> ledger_journal_bytes;
  std::function<int64_t()> ledger_rows_quarantined;
  std::function<int64_t()> ledger_rows_lost;
  // Whether the store takes rows, and whether a drain is under way.
  std::function<bool()> ledger_store_up;
  std::function<bool()> draining;
  // Calls that wait for a place at a provider, and those under way there.
  std::function<int64_t(std::string_view provider)> queued;
  std::function<int64_t(std::string_view provider)> provider_inflight;
  // What was refused because the service is at a limit of its own, by the
  // limit's configuration key.
  std::function<std::vector<std::pair<std::string, int64_t>>()> shed;
  std::function<std::vector<ProbeCount>()> probes;
  // Inputs of embeddings that were remembered, and that were not; empty where
  // nothing is.
  std::function<std::pair<int64_t, int64_t>()> embedding_cache;
  std::function<int64_t()> body_bytes;
  std::function<int64_t()> connections;
  std::function<HealthView(const RouteTable&, const Deployment&)> health;
  std::function<KeyPool(const ProviderSettings&)> keys;
};

struct BuildInfo {
  std::string version;
  std::string commit;
};

class MetricsHub {
 public:
  MetricsHub(std::shared_ptr<const RouteTable> table, int loops,
             MetricSources sources, BuildInfo build);
  ~MetricsHub();
  MetricsHub(const MetricsHub&) = delete;
  MetricsHub& operator=(const MetricsHub&) = delete;

  CallObserver& ObserverForLoop(int loop);
  // After a reload: labels follow the new configuration, sums stay.
  void SetTable(std::shared_ptr<const RouteTable> table);
  // Different sets of labels so far, each with cells of its own.
  size_t generations() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Prometheus text, version 0.0.4.
  std::string Render() const;

 private:
  const int loops_;
  const MetricSources sources_;
  const BuildInfo build_;
  std::atomic<MetricGeneration*> current_{nullptr};
  std::vector<std::unique_ptr<LoopMetrics>> observers_;
  mutable Mutex mutex_;
  std::shared_ptr<const RouteTable> table_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<MetricGeneration>> generations_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_METRICS_HUB_H_
