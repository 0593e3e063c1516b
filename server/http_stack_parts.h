// What HttpStack is made of. Internal to http_stack.cc and its drain.
#ifndef LLM_SERVER_HTTP_STACK_PARTS_H_
#define LLM_SERVER_HTTP_STACK_PARTS_H_

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "adapters/core/system_clock.h"
#include "adapters/http/curl_transport.h"
#include "router/admission.h"
#include "router/router.h"
#include "server/core/event_loop.h"
#include "server/core/gateway.h"
#include "server/core/side_thread.h"
#include "server/http/http_server.h"
#include "server/http_stack.h"
#include "server/ledger/sqlite_store.h"
#include "server/metrics/fan_out_observer.h"
#include "server/metrics/log_observer.h"
#include "server/probe_runner.h"
#include "server/start_settings.h"

namespace llm::server {

// What one event loop owns.
struct Worker {
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<CurlTransport> transport;
  std::unique_ptr<UsageLedger> ledger;
  std::unique_ptr<LogObserver> log;
  std::unique_ptr<FanOutObserver> observer;
  std::unique_ptr<Gateway> gateway;
};

class HttpStack::Parts {
 public:
  // Entries of conversations that may stick; each is some hundred bytes.
  static constexpr size_t kMaxConversations = 100'000;
  static constexpr absl::Duration kConversationAge = absl::Hours(2);

  Parts(std::shared_ptr<const Config> start_config, BuildInfo build_info,
        spdlog::logger& request_log)
      : config(std::move(start_config)),
        build(std::move(build_info)),
        started_with(*config),
        logger(request_log),
        conversations(MakeMemoryConversationState(clock, kMaxConversations,
                                                  kConversationAge)),
        turns(MakeTurnMemory(clock, {})),
        embeddings(MakeEmbeddingCache()),
        bodies(config->server.max_body_memory > 0
                   ? config->server.max_body_memory
                   : std::max(DefaultBodyMemory(), config->server.max_body)),
        idempotency(clock),
        admission(MakeOpenAdmission()) {
    state.max_in_flight = config->server.max_in_flight;
  }

  int WorkerCount() const;
  // Null where the configuration has none.
  std::unique_ptr<EmbeddingCache> MakeEmbeddingCache() const {
    const EmbeddingsConfig& from = config->embeddings;
    if (from.cache_bytes == 0) return nullptr;
    return std::make_unique<EmbeddingCache>(
        clock, EmbeddingCache::Limits{from.cache_bytes, from.cache_ttl});
  }
  absl::Status OpenStoreAndMetrics();
  void AddStoreSources(MetricSources* sources);
  void AddLoadSources(MetricSources* sources);
  absl::Status MakeWorkers();
  absl::Status Listen();
  absl::StatusOr<std::shared_ptr<Router>> MakeRouter(
      const std::shared_ptr<const RouteTable>& table, size_t index);
  absl::StatusOr<GatewaySnapshot> MakeSnapshot(const Config& from,
                                               size_t index);
  // While the loops run.
  bool ShutDoors(absl::Duration patience);
  bool EndLoneCalls();
  std::unique_ptr<HttpServer> MakeHttp(const ListenerConfig& listener,
                                       HttpListenerKind kind);
  void StopLoops();

  // In order of dependency: what stands below is gone first.
  SystemClock clock;
  SystemRandom random;
  const std::shared_ptr<const Config> config;
  const BuildInfo build;
  const StartSettings started_with;
  spdlog::logger& logger;
  ServiceState state;
  HealthBoard health{&random};
  std::unique_ptr<ConversationState> conversations;
  std::unique_ptr<TurnMemory> turns;
  std::unique_ptr<EmbeddingCache> embeddings;
  // Calls that the store keeps going hold bodies.
  BodyBudget bodies;
  IdempotencyStore idempotency;
  std::unique_ptr<Admission> admission;
  // Of large requests. What waits for it is bounded by `bodies`, and by gRPC's
  // own memory.
  SideThread reader{"the reader", nullptr, SideThread::kUnbounded};
  BesideOn beside{&reader};
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<MetricsHub> metrics;
  std::vector<Worker> workers;
  std::unique_ptr<ProbeRunner> probes;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<HttpServer> admin_http;
  std::unique_ptr<HttpServer> metrics_http;
  bool stopped = false;  // the loops
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_STACK_PARTS_H_
