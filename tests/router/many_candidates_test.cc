// Choosing among many: by an index and a short list, and to the same end as
// without.
#include <catch2/catch.hpp>
#include <map>

#include "router/health_board.h"
#include "router/route_index.h"
#include "router/route_plan.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

// Thirty models at five providers, the last ten of them the fallback.
struct ManyFixture {
  ManyFixture() {
    TaskRoute task;
    task.id = "general";
    for (int i = 0; i < 30; ++i) {
      const std::string provider = "p" + std::to_string(i % 5);
      const std::string name = "m" + std::to_string(i);
      table.providers[provider].id.value = provider;
      AddModel(&table, name, {MakeDeployment(provider, name)});
      (i < 20 ? task.primary : task.fallback).push_back(ModelId{name});
    }
    table.tasks["general"] = task;
  }

  RoutePlan Plan(const RouteIndex* index) {
    PlanInput input;
    input.table = &table;
    input.index = index;
    input.request = &request;
    input.health = &board;
    input.now = now;
    input.random = &random;
    input.sticky_deployment = sticky;
    auto plan = MakePlan(input);
    REQUIRE_THAT(plan, IsOk());
    return *std::move(plan);
  }
  std::string Line(const RouteIndex* index) {
    const RoutePlan plan = Plan(index);
    std::string line = plan.reason + " |";
    for (const RouteTarget& target : plan.targets) {
      line += " " + target.deployment->id + " (" + ReasonOf(plan, target) + ")";
    }
    return line;
  }
  void Report(std::string_view id, FailureClass failure, int times = 1) {
    const HealthSubject subject{id, id.substr(0, 2), {}};
    for (int i = 0; i < times; ++i) {
      auto pass = board.Enter(subject, {}, now);
      REQUIRE(pass);
      board.Report(*pass, {}, {failure, {}, now, now});
    }
  }
  void Measure(std::string_view id, absl::Duration first_content) {
    auto pass = board.Enter({id, id.substr(0, 2), {}}, {}, now);
    REQUIRE(pass);
    board.Answering(*pass, first_content, now);
    board.Report(*pass, {}, {FailureClass::kNone, {}, now, now});
  }

  RouteTable table;
  v1::ChatCompletionRequest request = Ask("auto", "hello");
  SeededRandom random{20261126};
  HealthBoard board{&random};
  Instant now{absl::Seconds(5000)};
  std::optional<std::string> sticky;
};

TEST_CASE_METHOD(ManyFixture, "A plan with an index is the plan without",
                 "[router][plan]") {
  const RouteIndex index(table);
  SECTION("while all are well") { Report("p1/m1", FailureClass::kNone); }
  SECTION("while the first is out") {
    Report("p0/m0", FailureClass::kServerError, 5);
  }
  SECTION("with a deployment that the conversation has") {
    sticky = GENERATE("m17\np2/m17", "p2/m17", "m29\np4/m29");
    CHECK(Plan(&index).targets.front().deployment->id ==
          sticky->substr(sticky->find('\n') + 1));
  }
  CHECK(Line(&index) == Line(nullptr));
  CHECK(Plan(&index).targets.size() == MostTargets(table));
}

TEST_CASE_METHOD(ManyFixture, "Who is out is passed over among many",
                 "[router][plan]") {
  const RouteIndex index(table);
  Report("p0/m0", FailureClass::kServerError, 5);
  const RoutePlan plan = Plan(&index);
  CHECK(plan.targets.front().deployment->id == "p1/m1");
  CHECK(plan.reason.find("passed over p0/m0: open") != std::string::npos);
}

TEST_CASE_METHOD(ManyFixture, "By latency every one of many is tried in time",
                 "[router][choose]") {
  table.tasks["general"].prefer = Prefer::kLatency;
  const RouteIndex index(table);
  for (int i = 0; i < 20; ++i) {
    Measure("p" + std::to_string(i % 5) + "/m" + std::to_string(i),
            absl::Seconds(1));
  }
  std::map<std::string, int> chosen;
  for (int i = 0; i < 4000; ++i) {
    const RoutePlan plan = Plan(&index);
    ++chosen[plan.targets.front().deployment->id];
    CHECK_FALSE(plan.targets.back().fallback());
  }
  // As fast as each other, so drawn alike: 200 each.
  CHECK(chosen.size() == 20);
  for (const auto& [id, count] : chosen) {
    CAPTURE(id);
    CHECK(count > 120);
    CHECK(count < 300);
  }
  // One that is far slower is chosen only where it is alone.
  Measure("p3/m3", absl::Seconds(400));
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(Plan(&index).targets.front().deployment->id != "p3/m3");
  }
}

TEST_CASE_METHOD(ManyFixture, "All is well until somebody is in trouble",
                 "[router][health]") {
  CHECK(board.AllWell());
  SECTION("an open breaker, until an answer") {
    Report("p0/m0", FailureClass::kServerError, 4);
    CHECK(board.AllWell());
    Report("p0/m0", FailureClass::kServerError);
    CHECK_FALSE(board.AllWell());
    now = now + absl::Minutes(5);
    CHECK_FALSE(board.AllWell());
    Measure("p0/m0", absl::Seconds(1));
    CHECK(board.AllWell());
  }
  SECTION("a rest, until an answer") {
    Report("p0/m0", FailureClass::kRateLimited);
    CHECK_FALSE(board.AllWell());
    now = now + absl::Minutes(1);
    CHECK_FALSE(board.AllWell());
    Measure("p0/m0", absl::Seconds(1));
    CHECK(board.AllWell());
  }
  SECTION("a key that is set aside") {
    const ApiKey key("k");
    board.ReportKey("p0", key, {FailureClass::kBadKey, {}, now, now});
    CHECK_FALSE(board.AllWell());
    board.ReportKey("p0", key, {FailureClass::kNone, {}, now, now});
    CHECK(board.AllWell());
  }
  SECTION("strangers' names are forgotten, and not counted any more") {
    for (int i = 0; i < 5000; ++i) {
      const std::string id = "x/" + std::to_string(i);
      board.Report(id,
                   {FailureClass::kRateLimited, absl::Seconds(1), now, now});
      now = now + absl::Seconds(2);
    }
    CHECK_FALSE(board.AllWell());
    // What is remembered still is, and nothing else.
    for (int i = 0; i < 5000; ++i) {
      const std::string id = "x/" + std::to_string(i);
      board.Report(id, {FailureClass::kNone, {}, now, now});
    }
    CHECK(board.AllWell());
  }
}

}  // namespace
}  // namespace llm
