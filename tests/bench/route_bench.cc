// What it takes to choose among many deployments: printed, not asserted.
//
//   build/release/tests/bench/route_bench
#include <chrono>
#include <cstdio>
#include <string>

#include "router/health_board.h"
#include "router/route_index.h"
#include "router/route_plan.h"

namespace llm {
namespace {

RouteTable ManyModels(int count, Prefer prefer) {
  RouteTable table;
  TaskRoute task;
  task.id = "financial_analysis";
  task.prefer = prefer;
  for (int i = 0; i < count; ++i) {
    const std::string provider = "provider-" + std::to_string(i % 5);
    table.providers[provider].id.value = provider;
    PublicModel model;
    model.id.value = "public-model-number-" + std::to_string(i);
    Deployment deployment;
    deployment.id = provider + "/upstream-model-number-" + std::to_string(i);
    deployment.provider.value = provider;
    deployment.upstream_model.value =
        "upstream-model-number-" + std::to_string(i);
    model.deployments.push_back(deployment);
    task.primary.push_back(model.id);
    table.model_order.push_back(model.id.value);
    table.models[model.id.value] = model;
  }
  for (auto& [id, settings] : table.providers) {
    settings.api_keys.emplace_back(id + "-secret-key");
  }
  table.tasks[task.id] = task;
  table.policy.default_task = task.id;
  return table;
}

void Measure(const char* name, int count, Prefer prefer) {
  const RouteTable table = ManyModels(count, prefer);
  SystemRandom random;
  HealthBoard board(&random);
  const Instant now{absl::Seconds(1000)};
  for (const auto& [id, model] : table.models) {
    const HealthSubject subject = SubjectOf(table, model.deployments.front());
    auto pass = board.Enter(subject, {}, now);
    board.Answering(*pass, absl::Seconds(0.5 + random.Unit()), now);
    board.Report(*pass, subject.keys, {FailureClass::kNone, {}, now, now});
  }
  v1::ChatCompletionRequest request;
  request.set_model("auto");
  request.add_messages()->add_parts()->mutable_text()->set_text("hello");
  PlanInput input;
  const RouteIndex index(table);
  input.table = &table;
  input.index = &index;
  input.request = &request;
  input.health = &board;
  input.now = now;
  input.random = &random;
  constexpr int kRounds = 20'000;
  size_t kept = 0;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) kept += MakePlan(input)->targets.size();
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - began;
  std::printf("%-8s %3d deployments: %6.2f us per plan (%zu targets kept)\n",
              name, count, took.count() / kRounds, kept / kRounds);
}

}  // namespace
}  // namespace llm

int main() {
  for (const int count : {1, 3, 10, 50}) {
    llm::Measure("order", count, llm::Prefer::kOrder);
    llm::Measure("latency", count, llm::Prefer::kLatency);
  }
}
