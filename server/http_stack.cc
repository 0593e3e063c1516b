#include "server/http_stack.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>
#include <utility>

#include "adapters/core/status_macros.h"
#include "adapters/registry.h"
#include "server/http_stack_parts.h"

namespace llm::server {

namespace asio = boost::asio;

namespace {

// The admin and metrics listeners stay within reach when the public one is
// full of connections.
constexpr size_t kSideConnections = 1000;

}  // namespace

absl::Status HttpStack::Parts::OpenStoreAndMetrics() {
  StoreOptions options;
  options.path = config->store.sqlite;
  options.report_currency = config->usage.report_currency;
  options.rates = config->usage.rates;
  options.clock = &clock;
  options.random = &random;
  LLM_ASSIGN_OR_RETURN(store, OpenStore(std::move(options)));
  MetricSources sources;
  sources.inflight_requests = [this] { return state.inflight.load(); };
  sources.ledger_rows = [this] { return store->Counters().rows_total; };
  sources.ledger_rows_dropped = [this] {
    return store->Counters().rows_dropped;
  };
  sources.ledger_queue_rows = [this] { return store->Counters().queue_rows; };
  AddStoreSources(&sources);
  sources.health = [this](const RouteTable& table,
                          const Deployment& deployment) {
    return health.View(SubjectOf(table, deployment), clock.Monotonic());
  };
  sources.keys = [this](const ProviderSettings& settings) {
    return health.Keys(settings.id.value, settings.api_keys, clock.Monotonic());
  };
  AddLoadSources(&sources);
  metrics = std::make_unique<MetricsHub>(config->table, WorkerCount(),
                                         std::move(sources), build);
  return absl::OkStatus();
}

void HttpStack::Parts::AddStoreSources(MetricSources* sources) {
  sources->ledger_journal_bytes = [this] {
    return store->Counters().journal_bytes;
  };
  sources->ledger_rows_quarantined = [this] {
    return store->Counters().quarantined;
  };
  sources->ledger_rows_lost = [this] { return store->Counters().lost; };
  sources->ledger_store_up = [this] { return store->usage().Health().ok(); };
  sources->draining = [this] { return state.draining.load(); };
}

void HttpStack::Parts::AddLoadSources(MetricSources* sources) {
  sources->queued = [this](std::string_view provider) {
    return health.in_flight().Waiting(provider);
  };
  sources->provider_inflight = [this](std::string_view provider) {
    return health.in_flight().InFlight(provider);
  };
  // Asked over the metrics listener, so never before what they ask is there.
  sources->probes = [this] { return probes->Counts(); };
  if (embeddings != nullptr) {
    sources->embedding_cache = [this] {
      return std::pair(embeddings->hits(), embeddings->misses());
    };
  }
  sources->body_bytes = [this] { return bodies.held(); };
  sources->connections = [this] {
    return static_cast<int64_t>(http->connections());
  };
  sources->shed = [this] {
    return std::vector<std::pair<std::string, int64_t>>{
        {"server.max_in_flight", state.shed_calls.load()},
        {"server.max_connections", http->refused_connections()},
        {"server.max_body_memory", bodies.refused()}};
  };
}

int HttpStack::Parts::WorkerCount() const {
  if (config->server.workers > 0) return config->server.workers;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::StatusOr<std::shared_ptr<Router>> HttpStack::Parts::MakeRouter(
    const std::shared_ptr<const RouteTable>& table, size_t index) {
  Worker& worker = workers[index];
  RouterParts router;
  router.table = table;
  for (const auto& [id, settings] : table->providers) {
    LLM_ASSIGN_OR_RETURN(
        router.providers[id],
        MakeProvider(settings, *worker.transport, clock, &beside));
  }
  router.clock = &clock;
  router.random = &random;
  router.ledger = worker.ledger.get();
  router.admission = admission.get();
  router.observer = worker.observer.get();
  router.health = &health;
  router.conversations = conversations.get();
  router.turns = turns.get();
  router.embeddings = embeddings.get();
  return std::make_shared<Router>(std::move(router));
}

absl::StatusOr<GatewaySnapshot> HttpStack::Parts::MakeSnapshot(
    const Config& from, size_t index) {
  GatewaySnapshot snapshot;
  LLM_ASSIGN_OR_RETURN(snapshot.router, MakeRouter(from.table, index));
  snapshot.admin_key = from.auth.admin_key;
  snapshot.rates = from.usage.rates;
  return snapshot;
}

absl::Status HttpStack::Parts::MakeWorkers() {
  for (int index = 0; index < WorkerCount(); ++index) {
    Worker& worker = workers.emplace_back();
    worker.loop = std::make_unique<EventLoop>(index);
    worker.transport =
        std::make_unique<CurlTransport>(worker.loop->context(), clock);
    worker.ledger = store->MakeLedger(index);
    worker.log = std::make_unique<LogObserver>(&logger);
    worker.observer =
        std::make_unique<FanOutObserver>(std::vector<CallObserver*>{
            &metrics->ObserverForLoop(index), worker.log.get()});
  }
  for (size_t index = 0; index < workers.size(); ++index) {
    GatewayParts parts;
    LLM_ASSIGN_OR_RETURN(parts.snapshot, MakeSnapshot(*config, index));
    parts.keys =
        config->auth.mode == AuthMode::kKeys ? &store->keys() : nullptr;
    parts.usage = &store->usage();
    parts.clock = &clock;
    parts.random = &random;
    parts.state = &state;
    parts.health = &health;
    parts.idempotency = &idempotency;
    parts.bodies = &bodies;
    parts.observer = workers[index].observer.get();
    parts.key_log = [this](std::string_view event, const v1::VirtualKey& key) {
      logger.info("{}", KeyLogLine(event, key.id(), key.name()));
    };
    workers[index].gateway = std::make_unique<Gateway>(std::move(parts));
  }
  return absl::OkStatus();
}

std::unique_ptr<HttpServer> HttpStack::Parts::MakeHttp(
    const ListenerConfig& listener, HttpListenerKind kind) {
  HttpServerOptions options;
  options.listener = listener;
  options.kind = kind;
  options.limits.max_body = config->server.max_body;
  options.limits.bodies = &bodies;
  if (kind == HttpListenerKind::kPublic) {
    options.limits.max_connections =
        static_cast<size_t>(config->server.max_connections);
  } else {
    options.limits.max_connections = kSideConnections;
    options.limits.max_connections_key.clear();
  }
  options.cors = config->server.cors;
  options.programs_only = config->auth.mode == AuthMode::kNone;
  options.stream_grace = config->server.stream_grace;
  options.metrics = [this] { return metrics->Render(); };
  options.reader = &reader;
  std::vector<HttpLoop> loops;
  for (const Worker& worker : workers) {
    loops.push_back({&worker.loop->context(), worker.gateway.get()});
  }
  return std::make_unique<HttpServer>(std::move(options), std::move(loops));
}

absl::Status HttpStack::Parts::Listen() {
  const ServerConfig& server = config->server;
  http = MakeHttp(server.http, HttpListenerKind::kPublic);
  admin_http = MakeHttp(server.admin_http, HttpListenerKind::kAdmin);
  metrics_http = MakeHttp(server.metrics, HttpListenerKind::kMetrics);
  for (HttpServer* door : {http.get(), admin_http.get(), metrics_http.get()}) {
    LLM_RETURN_IF_ERROR(door->Start());
  }
  return absl::OkStatus();
}

HttpStack::HttpStack(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpStack::~HttpStack() {
  if (!parts_->stopped) {
    parts_->ShutDoors(absl::ZeroDuration());
    if (parts_->metrics_http) parts_->metrics_http->Shutdown({});
  }
  parts_->StopLoops();
}

absl::StatusOr<std::unique_ptr<HttpStack>> HttpStack::Start(
    std::shared_ptr<const Config> config, BuildInfo build,
    spdlog::logger& request_log) {
  std::unique_ptr<HttpStack> stack(new HttpStack(std::make_unique<Parts>(
      std::move(config), std::move(build), request_log)));
  Parts& parts = *stack->parts_;
  LLM_RETURN_IF_ERROR(parts.OpenStoreAndMetrics());
  LLM_RETURN_IF_ERROR(parts.MakeWorkers());
  for (Worker& worker : parts.workers) worker.loop->Start();
  // Before anybody can ask for metrics.
  parts.probes = std::make_unique<ProbeRunner>(
      *parts.workers.front().loop, *parts.workers.front().gateway, parts.health,
      parts.clock, parts.random);
  LLM_RETURN_IF_ERROR(parts.Listen());
  return stack;
}

void HttpStack::SetReady() { parts_->state.ready = true; }
uint16_t HttpStack::http_port() const { return parts_->http->port(); }
uint16_t HttpStack::admin_port() const { return parts_->admin_http->port(); }
uint16_t HttpStack::metrics_port() const {
  return parts_->metrics_http->port();
}
const Clock& HttpStack::clock() const { return parts_->clock; }
SideThread& HttpStack::reader() const { return parts_->reader; }
const Config& HttpStack::config() const { return *parts_->config; }
int64_t HttpStack::body_memory() const { return parts_->bodies.limit(); }

std::vector<StackLane> HttpStack::lanes() const {
  std::vector<StackLane> lanes;
  for (const Worker& worker : parts_->workers) {
    lanes.push_back({worker.loop.get(), worker.gateway.get()});
  }
  return lanes;
}

absl::StatusOr<std::vector<std::string>> HttpStack::Reload(
    std::shared_ptr<const Config> config) {
  Parts& parts = *parts_;
  std::vector<GatewaySnapshot> snapshots;
  for (size_t index = 0; index < parts.workers.size(); ++index) {
    LLM_ASSIGN_OR_RETURN(GatewaySnapshot snapshot,
                         parts.MakeSnapshot(*config, index));
    snapshots.push_back(std::move(snapshot));
  }
  LLM_RETURN_IF_ERROR(parts.store->SetRates(config->usage.report_currency,
                                            config->usage.rates));
  for (size_t index = 0; index < parts.workers.size(); ++index) {
    Worker& worker = parts.workers[index];
    asio::post(worker.loop->context(),
               [gateway = worker.gateway.get(),
                snapshot = std::move(snapshots[index])]() mutable {
                 gateway->SetSnapshot(std::move(snapshot));
               });
  }
  parts.metrics->SetTable(config->table);
  return parts.started_with.NeedRestart(*config);
}

}  // namespace llm::server
