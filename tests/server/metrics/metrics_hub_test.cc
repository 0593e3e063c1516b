#include "server/metrics/metrics_hub.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

namespace llm::server {
namespace {

std::shared_ptr<RouteTable> Table() {
  auto table = std::make_shared<RouteTable>();
  table->version = "abc";
  ProviderSettings provider;
  provider.id = {"deepseek"};
  provider.currency = {"USD"};
  table->providers.emplace("deepseek", provider);
  PublicModel model;
  model.id = {"deepseek-chat"};
  Deployment deployment;
  deployment.id = "deepseek/deepseek-flash";
  deployment.provider = {"deepseek"};
  model.deployments.push_back(deployment);
  table->models.emplace("deepseek-chat", model);
  table->model_order.push_back("deepseek-chat");
  return table;
}

AttemptRecord Attempt(std::string provider, std::string model) {
  AttemptRecord record;
  record.intent.provider = {std::move(provider)};
  record.intent.public_model = {std::move(model)};
  record.outcome = "ok";
  record.duration = absl::Seconds(2);
  record.time_to_first_content = absl::Seconds(1);
  record.usage.fresh_input = 100;
  record.usage.output = 11;
  record.cost = Money{{"USD"}, kPicoPerUnit / 2};
  record.price_status = "priced";
  return record;
}

RequestRecord Request(std::string provider, std::string model) {
  RequestRecord record;
  record.provider = {std::move(provider)};
  record.public_model = {std::move(model)};
  record.outcome = "ok";
  record.duration = absl::Seconds(2);
  return record;
}

bool Has(const std::string& text, std::string_view line) {
  return text.find(line) != std::string::npos;
}

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST_CASE("Refusals at a door count by outcome, under no name", "[metrics]") {
  MetricsHub hub(Table(), 1, {}, {});
  hub.ObserverForLoop(0).OnRefused({"grpc", "r", "", "invalid_api_key", 401});
  CHECK(Has(hub.Render(),
            "llm_service_requests_total{provider=\"other\",model=\"other\","
            "outcome=\"invalid_api_key\"} 1\n"));
}

TEST_CASE("Waits in line count by provider, replays for themselves",
          "[metrics]") {
  MetricSources sources;
  sources.queued = [](std::string_view) { return 4; };
  sources.shed = [] {
    return std::vector<std::pair<std::string, int64_t>>{
        {"server.max_in_flight", 2}};
  };
  MetricsHub hub(Table(), 1, std::move(sources), {});
  CallObserver& observer = hub.ObserverForLoop(0);
  observer.OnQueued({{"deepseek"}, {"deepseek-chat"}, absl::Seconds(2), true});
  observer.OnQueued({{"deepseek"}, {"ad-hoc"}, absl::Seconds(3), false});
  observer.OnReplayed({});
  const std::string text = hub.Render();
  CHECK(Has(text,
            "llm_service_queue_wait_seconds_count{provider=\"deepseek\"} 2\n"));
  CHECK(Has(text,
            "llm_service_queue_wait_seconds_sum{provider=\"deepseek\"} 5\n"));
  CHECK(Has(text, "llm_service_queued_requests{provider=\"deepseek\"} 4\n"));
  CHECK(Has(text, "llm_service_idempotent_replays_total 1\n"));
  CHECK(
      Has(text, "llm_service_shed_total{limit=\"server.max_in_flight\"} 2\n"));
}

TEST_CASE("Looks at configured providers are counted by what they saw",
          "[metrics][HLT-1]") {
  MetricSources sources;
  sources.probes = [] {
    return std::vector<ProbeCount>{{"deepseek", ProbeVerdict::kDown, 3},
                                   {"deepseek", ProbeVerdict::kUp, 1},
                                   {"gone", ProbeVerdict::kUp, 1}};
  };
  const std::string text =
      MetricsHub(Table(), 1, std::move(sources), {}).Render();
  CHECK(Has(text,
            "llm_service_probes_total{provider=\"deepseek\",verdict=\"down\"}"
            " 3\n"));
  CHECK(Has(text, "verdict=\"up\"} 1\n"));
  CHECK_FALSE(Has(text, "gone"));
}

TEST_CASE("Calls and attempts are counted under configured names",
          "[metrics]") {
  MetricsHub hub(Table(), 2, {}, {"0.1.0", "abcdef"});
  for (int loop = 0; loop < 2; ++loop) {
    CallObserver& observer = hub.ObserverForLoop(loop);
    const AttemptRecord attempt = Attempt("deepseek", "deepseek-chat");
    observer.OnFirstContent(attempt.intent, absl::Milliseconds(700));
    observer.OnAttemptFinished(attempt);
    observer.OnFallback(attempt, attempt.intent);
    observer.OnCallFinished(Request("deepseek", "deepseek-chat"),
                            absl::Microseconds(15));
  }
  const std::string text = hub.Render();
  CAPTURE(text);
  CHECK(Has(text,
            "llm_service_requests_total{provider=\"deepseek\",model="
            "\"deepseek-chat\",outcome=\"ok\"} 2\n"));
  CHECK(Has(text,
            "llm_service_attempts_total{provider=\"deepseek\",model="
            "\"deepseek-chat\",outcome=\"ok\"} 2\n"));
  CHECK(Has(text,
            "llm_service_fallbacks_total{provider=\"deepseek\",model="
            "\"deepseek-chat\"} 2\n"));
  CHECK(Has(text,
            "llm_service_cost_total{provider=\"deepseek\",model="
            "\"deepseek-chat\",currency=\"USD\"} 1\n"));
  CHECK(Has(text, "llm_service_price_lookups_total{status=\"priced\"} 2\n"));
  CHECK(Has(text, "llm_service_overhead_seconds_bucket{le=\"2e-05\"} 2\n"));
  CHECK(Has(text, "llm_service_overhead_seconds_bucket{le=\"1e-05\"} 0\n"));
  const std::string labels =
      "{gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"deepseek\","
      "gen_ai_request_model=\"deepseek-chat\"";
  CHECK(Has(text, "gen_ai_client_token_usage_sum" + labels +
                      ",gen_ai_token_type=\"input\"} 200\n"));
  CHECK(Has(text, "gen_ai_client_token_usage_sum" + labels +
                      ",gen_ai_token_type=\"output\"} 22\n"));
  CHECK(Has(text,
            "gen_ai_server_request_duration_seconds_count" + labels + "} 2\n"));
  CHECK(Has(text, "gen_ai_server_time_to_first_token_seconds_count" + labels +
                      "} 2\n"));
  CHECK(Has(text, "gen_ai_server_time_per_output_token_seconds_sum" + labels +
                      "} 0.2\n"));
  CHECK(
      Has(text, "llm_service_build_info{version=\"0.1.0\",commit=\"abcdef\""));
}

TEST_CASE("Upstream calls count by where their token counts come from",
          "[metrics]") {
  const auto [source, word] = GENERATE(table<UsageSource, std::string>({
      {UsageSource::kNone, "none"},
      {UsageSource::kProvider, "provider"},
      {UsageSource::kPartial, "partial"},
      {UsageSource::kEstimated, "estimated"},
  }));
  MetricsHub hub(Table(), 1, {}, {});
  AttemptRecord attempt = Attempt("deepseek", "deepseek-chat");
  attempt.usage_source = source;
  hub.ObserverForLoop(0).OnAttemptFinished(attempt);
  const std::string text = hub.Render();
  CAPTURE(text);
  for (const char* any : {"none", "provider", "partial", "estimated"}) {
    CHECK(Has(text, "llm_service_usage_source_total{source=\"" +
                        std::string(any) +
                        (any == word ? "\"} 1\n" : "\"} 0\n")));
  }
}

TEST_CASE("A fault of our own counts under its name", "[metrics]") {
  MetricsHub hub(Table(), 1, {}, {});
  RequestRecord request = Request("deepseek", "deepseek-chat");
  request.outcome = "internal";
  hub.ObserverForLoop(0).OnCallFinished(request, {});
  CHECK(Has(hub.Render(), "outcome=\"internal\"} 1\n"));
}

TEST_CASE("Names from callers and providers never make a series",
          "[metrics][MET-1]") {
  MetricsHub hub(Table(), 1, {}, {});
  CallObserver& observer = hub.ObserverForLoop(0);
  const auto spend = [&observer](const std::string& name) {
    AttemptRecord attempt = Attempt(name, name);
    attempt.outcome = name;
    attempt.price_status = name;
    observer.OnAttemptFinished(attempt);
    observer.OnFallback(attempt, attempt.intent);
    RequestRecord request = Request(name, name);
    request.outcome = name;
    request.identity.user = name;
    request.requested_model = {name};
    observer.OnCallFinished(request, absl::Microseconds(15));
  };
  spend("first");
  const size_t before = Lines(hub.Render());
  for (int i = 0; i < 100'000; ++i) spend("name-" + std::to_string(i));
  const std::string text = hub.Render();
  CHECK(Lines(text) == before);
  CHECK_FALSE(Has(text, "name-"));
  CHECK(Has(text,
            "llm_service_requests_total{provider=\"other\",model=\"other\","
            "outcome=\"other\"} 100001\n"));
}

TEST_CASE("Counters survive a reload and follow its names", "[metrics]") {
  MetricsHub hub(Table(), 1, {}, {});
  CallObserver& observer = hub.ObserverForLoop(0);
  observer.OnCallFinished(Request("deepseek", "deepseek-chat"), {});
  auto next = Table();
  PublicModel added = next->models.at("deepseek-chat");
  added.id = {"new-model"};
  next->models.emplace("new-model", added);
  next->model_order.push_back("new-model");
  hub.SetTable(next);
  observer.OnCallFinished(Request("deepseek", "deepseek-chat"), {});
  observer.OnCallFinished(Request("deepseek", "new-model"), {});
  const std::string text = hub.Render();
  CHECK(Has(text, "model=\"deepseek-chat\",outcome=\"ok\"} 2\n"));
  CHECK(Has(text, "model=\"new-model\",outcome=\"ok\"} 1\n"));
}

TEST_CASE("Reloads without new names take no new cells", "[metrics]") {
  MetricsHub hub(Table(), 1, {}, {});
  CallObserver& observer = hub.ObserverForLoop(0);
  auto other = Table();
  other->models.at("deepseek-chat").id = {"renamed"};
  auto node = other->models.extract("deepseek-chat");
  node.key() = "renamed";
  other->models.insert(std::move(node));
  for (std::string& id : other->model_order) {
    if (id == "deepseek-chat") id = "renamed";
  }
  constexpr int kReloads = 50;
  for (int i = 0; i < kReloads; ++i) {
    hub.SetTable(Table());
    observer.OnCallFinished(Request("deepseek", "deepseek-chat"), {});
    // There and back: an experiment that is undone.
    hub.SetTable(other);
    observer.OnCallFinished(Request("deepseek", "renamed"), {});
  }
  CHECK(hub.generations() == 2);
  const std::string text = hub.Render();
  CHECK(Has(text, "model=\"deepseek-chat\",outcome=\"ok\"} 50\n"));
  CHECK(Has(text, "model=\"renamed\",outcome=\"ok\"} 50\n"));
}

TEST_CASE("Gauges come from their sources", "[metrics]") {
  MetricSources sources;
  sources.inflight_requests = [] { return 3; };
  sources.ledger_rows = [] { return 40; };
  sources.ledger_rows_dropped = [] { return 0; };
  sources.ledger_queue_rows = [] { return 5; };
  sources.ledger_journal_bytes = [] { return 4096; };
  sources.ledger_rows_quarantined = [] { return 1; };
  sources.ledger_rows_lost = [] { return 2; };
  sources.ledger_store_up = [] { return true; };
  sources.draining = [] { return false; };
  HealthView view;
  sources.health = [&view](const RouteTable&, const Deployment&) {
    return view;
  };
  sources.keys = [](const ProviderSettings&) {
    return KeyPool{3, {{FailureClass::kBadKey, 1}}};
  };
  MetricsHub hub(Table(), 1, sources, {});
  std::string text = hub.Render();
  CHECK(Has(text, "llm_service_inflight_requests 3\n"));
  CHECK(Has(text, "llm_service_ledger_rows_total 40\n"));
  CHECK(Has(text, "llm_service_ledger_rows_dropped_total 0\n"));
  CHECK(Has(text, "llm_service_ledger_queue_rows 5\n"));
  CHECK(Has(text, "llm_service_ledger_journal_bytes 4096\n"));
  CHECK(Has(text, "llm_service_ledger_rows_quarantined_total 1\n"));
  CHECK(Has(text, "llm_service_ledger_rows_lost_total 2\n"));
  CHECK(Has(text, "llm_service_ledger_store_up 1\n"));
  CHECK(Has(text, "llm_service_draining 0\n"));
  CHECK(Has(text, "llm_service_provider_healthy{provider=\"deepseek\"} 1\n"));
  CHECK(Has(text, "llm_service_provider_keys{provider=\"deepseek\"} 3\n"));
  CHECK(Has(text,
            "llm_service_provider_keys_out{provider=\"deepseek\",reason="
            "\"bad_key\"} 1\n"));
  view.breaker = BreakerState::kHalfOpen;
  view.state = HealthState::kDegraded;
  text = hub.Render();
  CHECK(Has(text,
            "llm_service_breaker_state{provider=\"deepseek\",model="
            "\"deepseek-chat\"} 1\n"));
  view.state = HealthState::kUnavailable;
  text = hub.Render();
  CHECK(Has(text, "llm_service_provider_healthy{provider=\"deepseek\"} 0\n"));
  CHECK(Has(text,
            "llm_service_breaker_state{provider=\"deepseek\",model="
            "\"deepseek-chat\"} 2\n"));
}

TEST_CASE("Loops count while others render and reload", "[metrics][threads]") {
  MetricsHub hub(Table(), 2, {}, {});
  constexpr int kCalls = 5000;
  const auto count = [&hub](int loop) {
    for (int i = 0; i < kCalls; ++i) {
      hub.ObserverForLoop(loop).OnCallFinished(
          Request("deepseek", "deepseek-chat"), absl::Microseconds(1));
    }
  };
  std::thread first(count, 0);
  std::thread second(count, 1);
  for (int i = 0; i < 5; ++i) {
    hub.SetTable(Table());
    hub.Render();
  }
  first.join();
  second.join();
  CHECK(Has(hub.Render(), "outcome=\"ok\"} 10000\n"));
}

}  // namespace
}  // namespace llm::server
