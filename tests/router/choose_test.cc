// Choosing within a tier: by latency, by cost, around what is nearly used up.
#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "router/health_board.h"
#include "router/route_plan.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

// Three models of one tier, each at its own provider: a/m, b/m, c/m; and
// d/spare as the fallback.
struct ChooseFixture {
  ChooseFixture() {
    for (const char* id : {"a", "b", "c", "d"}) {
      ProviderSettings settings;
      settings.id.value = id;
      settings.price_provider = id;
      table.providers[id] = settings;
    }
    TaskRoute task;
    task.id = "general";
    for (const char* id : {"a", "b", "c"}) {
      AddModel(&table, std::string("model-") + id, {MakeDeployment(id, "m")});
      task.primary.push_back(ModelId{std::string("model-") + id});
    }
    AddModel(&table, "spare", {MakeDeployment("d", "spare")});
    task.fallback = {ModelId{"spare"}};
    task.prefer = Prefer::kLatency;
    table.tasks["general"] = task;
  }

  RoutePlan Plan() {
    PlanInput input;
    input.table = &table;
    input.request = &request;
    input.health = &board;
    input.now = now;
    input.at = absl::FromUnixSeconds(1'795'305'600);
    input.random = &random;
    input.sticky_deployment = sticky;
    auto plan = MakePlan(input);
    REQUIRE_THAT(plan, IsOk());
    return *std::move(plan);
  }
  std::string First() { return Plan().targets.front().deployment->id; }
  HealthSubject Subject(std::string_view id) const {
    return {id, id.substr(0, 1), {}};
  }
  HealthBoard::Pass Enter(std::string_view id) {
    auto pass = board.Enter(Subject(id), {}, now);
    REQUIRE(pass);
    return *std::move(pass);
  }
  void Measure(std::string_view id, absl::Duration first_content) {
    auto pass = Enter(id);
    board.Answering(pass, first_content, now);
    board.Report(pass, {}, {FailureClass::kNone, {}, now, now});
  }
  void Prices(std::map<std::string, PriceRow> rows) {
    std::vector<PriceRow> list;
    for (auto& [provider, row] : rows) {
      row.provider = provider;
      row.model = "m";
      row.source = "configuration";
      list.push_back(row);
    }
    auto prices = PriceBook::Parse(BuiltInPrices(), std::move(list));
    REQUIRE_THAT(prices, IsOk());
    table.prices = *prices;
    table.tasks["general"].prefer = Prefer::kCost;
  }
  static PriceRow Price(std::string currency, int64_t input, int64_t output) {
    PriceRow row;
    row.currency.code = std::move(currency);
    row.prices.input = input;
    row.prices.output = output;
    return row;
  }

  RouteTable table;
  v1::ChatCompletionRequest request = Ask("auto", "hello, good morning");
  SeededRandom random{20261126};
  HealthBoard board{&random};
  Instant now{absl::Seconds(5000)};
  std::optional<std::string> sticky;
};

bool Says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

TEST_CASE_METHOD(ChooseFixture, "The slowest of three is never the choice",
                 "[router][choose]") {
  Measure("a/m", absl::Seconds(2.1));
  Measure("b/m", absl::Seconds(0.8));
  Measure("c/m", absl::Seconds(1.2));
  std::map<std::string, int> chosen;
  for (int i = 0; i < 3000; ++i) ++chosen[First()];
  CHECK(chosen["a/m"] == 0);
  // The fastest wins whenever it is drawn: two times in three.
  CHECK(chosen["b/m"] > 1900);
  CHECK(chosen["b/m"] < 2100);
}

TEST_CASE_METHOD(ChooseFixture, "The reason of a choice has its numbers",
                 "[router][choose]") {
  table.tasks["general"].primary.pop_back();
  Measure("a/m", absl::Seconds(2.1));
  Measure("b/m", absl::Seconds(0.8));
  RoutePlan plan = Plan();
  CHECK(plan.reason ==
        "model-b at b: primary of general, faster of 2: 800 ms against 2.1 s "
        "(task from default)");
  // Load counts as much as latency.
  const auto one = Enter("b/m");
  const auto two = Enter("b/m");
  plan = Plan();
  CHECK(Says(plan.reason,
             "model-a at a: primary of general, faster of 2: 2.1 s against "
             "800 ms with 2 under way"));
  for (int i = 0; i < 5; ++i) {
    now = now + absl::Milliseconds(1);
    board.Report("b/m", {FailureClass::kConnect, {}, now, now});
  }
  plan = Plan();
  CHECK(plan.targets.front().deployment->id == "a/m");
  CHECK(plan.targets.back().deployment->id == "b/m");
  CHECK(Says(plan.targets.back().health, "open after 5 failures (connect)"));
}

TEST_CASE_METHOD(ChooseFixture, "Who was passed over is said, and why",
                 "[router][choose]") {
  table.tasks["general"].prefer = Prefer::kOrder;
  board.Report("a/m",
               {FailureClass::kRateLimited, absl::Seconds(12), now, now});
  const RoutePlan plan = Plan();
  CHECK(plan.reason ==
        "model-b at b: primary of general (task from default); passed over "
        "a/m: rate limited, back in 12 s");
  for (const char* id : {"b/m", "c/m", "d/spare"}) {
    board.Report(id, {FailureClass::kRateLimited, absl::Seconds(30), now, now});
  }
  CHECK(Says(Plan().reason, "model-a at a: "));
  CHECK(Says(Plan().reason, "last resort, all 4 candidates are out"));
}

TEST_CASE_METHOD(ChooseFixture, "Equals share within a statistical bound",
                 "[router][choose][LIM-5]") {
  // Calls of one second that overlap, latencies that scatter by half.
  std::map<std::string, int> chosen;
  std::mt19937 noise(11);
  std::deque<std::pair<Instant, HealthBoard::Pass>> running;
  for (int i = 0; i < 6000; ++i) {
    now = now + absl::Milliseconds(100);
    while (!running.empty() && running.front().first <= now) {
      running.pop_front();
    }
    const std::string id = First();
    ++chosen[id];
    auto pass = Enter(id);
    const absl::Duration took =
        absl::Milliseconds(750 + static_cast<int>(noise() % 500));
    board.Answering(pass, took, now);
    board.Report(pass, {}, {FailureClass::kNone, {}, now, now});
    running.emplace_back(now + absl::Seconds(1), std::move(pass));
  }
  for (const char* id : {"a/m", "b/m", "c/m"}) {
    CAPTURE(id, chosen[id]);
    CHECK(chosen[id] > 1700);
    CHECK(chosen[id] < 2300);
  }
  running.clear();
  for (const char* id : {"a/m", "b/m", "c/m"}) {
    CHECK(board.View(Subject(id), now).in_flight == 0);
  }
}

TEST_CASE_METHOD(ChooseFixture, "What nobody has measured is tried, by one",
                 "[router][choose]") {
  Measure("a/m", absl::Seconds(1));
  Measure("b/m", absl::Seconds(1));
  std::optional<HealthBoard::Pass> explorer;
  for (int i = 0; i < 50 && !explorer; ++i) {
    if (First() == "c/m") explorer.emplace(Enter("c/m"));
  }
  REQUIRE(explorer);
  // While that call is under way, nobody else is sent there.
  for (int i = 0; i < 200; ++i) CHECK(First() != "c/m");
}

TEST_CASE_METHOD(ChooseFixture, "A once slow one is tried again after a while",
                 "[router][choose]") {
  Measure("a/m", absl::Seconds(10));
  int minutes = 0;
  bool tried = false;
  while (!tried && minutes < 20) {
    ++minutes;
    now = now + absl::Minutes(1);
    Measure("b/m", absl::Seconds(1));
    Measure("c/m", absl::Seconds(1));
    for (int i = 0; i < 20; ++i) tried = tried || First() == "a/m";
  }
  CHECK(minutes >= 3);
  CHECK(minutes <= 6);
}

TEST_CASE_METHOD(ChooseFixture, "Failing fast attracts nobody",
                 "[router][choose]") {
  for (const char* id : {"a/m", "b/m", "c/m"}) Measure(id, absl::Seconds(1));
  // Every third call of c fails at once.
  for (int i = 0; i < 6; ++i) {
    now = now + absl::Seconds(1);
    board.Report("c/m", {FailureClass::kServerError, {}, now, now});
    Measure("c/m", absl::Seconds(1));
    Measure("c/m", absl::Seconds(1));
    Measure("a/m", absl::Seconds(1));
    Measure("b/m", absl::Seconds(1));
  }
  REQUIRE(board.View(Subject("c/m"), now).ready());
  for (int i = 0; i < 200; ++i) CHECK(First() != "c/m");
}

TEST_CASE_METHOD(ChooseFixture, "Whose time out is over is tried by this call",
                 "[router][choose][RTY-3]") {
  for (const char* id : {"a/m", "b/m", "c/m"}) Measure(id, absl::Seconds(1));
  for (int i = 0; i < 5; ++i) {
    now = now + absl::Milliseconds(1);
    board.Report("c/m", {FailureClass::kServerError, {}, now, now});
  }
  CHECK(First() != "c/m");
  now = now + absl::Seconds(7);
  CHECK(First() == "c/m");
  CHECK(Says(Plan().reason, "half-open, this call tries it"));
  const auto trial = Enter("c/m");
  CHECK(First() != "c/m");
}

TEST_CASE_METHOD(ChooseFixture, "Latency chooses within a tier only",
                 "[router][choose]") {
  for (const char* id : {"a/m", "b/m", "c/m"}) Measure(id, absl::Seconds(9));
  Measure("d/spare", absl::Milliseconds(10));
  for (int i = 0; i < 50; ++i) {
    const RoutePlan plan = Plan();
    CHECK(plan.targets.front().deployment->id != "d/spare");
    CHECK(plan.targets.back().deployment->id == "d/spare");
  }
}

TEST_CASE_METHOD(ChooseFixture, "A conversation stays, however fast others are",
                 "[router][choose][sticky]") {
  Measure("a/m", absl::Seconds(9));
  Measure("b/m", absl::Seconds(1));
  sticky = "model-a\na/m";
  for (int i = 0; i < 20; ++i) CHECK(First() == "a/m");
  CHECK(Says(Plan().reason, "kept for this conversation"));
}

TEST_CASE_METHOD(ChooseFixture, "The cheapest by this request's tokens",
                 "[router][choose][cost]") {
  // Per token, in pico-units: b is dearer to read and cheaper to write.
  Prices({{"a", Price("USD", 1'000'000, 4'000'000)},
          {"b", Price("USD", 3'000'000, 1'000'000)},
          {"c", Price("USD", 5'000'000, 5'000'000)}});
  // 6 tokens in, 1000 out: 0.004006 against 0.001018.
  const RoutePlan plan = Plan();
  CHECK(plan.targets.front().deployment->id == "b/m");
  CHECK(Says(plan.reason, "cheapest of 3: 0.001018 USD against 0.004006 USD"));
  CHECK(plan.targets[1].deployment->id == "a/m");
  CHECK(plan.targets[2].deployment->id == "c/m");
  CHECK(plan.targets[3].deployment->id == "d/spare");
  // A long prompt with a short answer turns it around.
  request = Ask("auto", std::string(40'000, 'x'));
  request.set_max_tokens(50);
  CHECK(First() == "a/m");
}

TEST_CASE_METHOD(ChooseFixture, "What has no price comes last",
                 "[router][choose][cost]") {
  Prices({{"c", Price("USD", 5'000'000, 5'000'000)}});
  const RoutePlan plan = Plan();
  CHECK(plan.targets.front().deployment->id == "c/m");
  CHECK(Says(plan.reason, "cheapest of 3: 0.00503 USD"));
  CHECK(Says(plan.reason, "a/m unpriced"));
}

TEST_CASE_METHOD(ChooseFixture, "Currencies are compared by configured rates",
                 "[router][choose][cost]") {
  table.providers["a"].currency.code = "CNY";
  Prices({{"a", Price("CNY", 4'000'000, 4'000'000)},
          {"b", Price("USD", 1'000'000, 1'000'000)}});
  SECTION("with a rate") {
    table.compare_rates = {{"CNY", 140'000'000, absl::InfinitePast()}};
    const RoutePlan plan = Plan();  // 4 CNY are 0.56 USD
    CHECK(plan.targets.front().deployment->id == "a/m");
    CHECK(Says(plan.reason, "0.004024 CNY against 0.001006 USD"));
  }
  SECTION("without one it counts as unpriced, which is said") {
    const RoutePlan plan = Plan();
    CHECK(plan.targets.front().deployment->id == "b/m");
    CHECK(Says(plan.reason, "a/m unpriced (no rate from CNY to USD)"));
  }
}

TEST_CASE_METHOD(ChooseFixture, "Equal prices are drawn by lot",
                 "[router][choose][cost][LIM-5]") {
  Prices({{"a", Price("USD", 1, 1)},
          {"b", Price("USD", 1, 1)},
          {"c", Price("USD", 1, 1)}});
  std::map<std::string, int> chosen;
  for (int i = 0; i < 3000; ++i) ++chosen[First()];
  for (const char* id : {"a/m", "b/m", "c/m"}) {
    CHECK(chosen[id] > 900);
    CHECK(chosen[id] < 1100);
  }
}

TEST_CASE_METHOD(ChooseFixture, "Traffic moves before a quota is used up",
                 "[router][choose][quota]") {
  table.tasks["general"].prefer = Prefer::kOrder;
  RateLimitFacts facts;
  facts.limit_requests = 500;
  facts.remaining_requests = 3;
  facts.reset_requests = absl::Seconds(20);
  const auto answer_with_facts = [&](std::string_view id) {
    auto pass = Enter(id);
    HealthReport report{FailureClass::kNone, {}, now, now};
    report.limits = &facts;
    board.Report(pass, {}, report);
  };
  CHECK(First() == "a/m");
  answer_with_facts("a/m");
  const RoutePlan plan = Plan();
  CHECK(plan.targets.front().deployment->id == "b/m");
  CHECK(plan.targets.back().deployment->id == "a/m");
  CHECK(Says(plan.reason,
             "passed over a/m: nearly used up: 3 of 500 requests left"));
  // A conversation moves too.
  sticky = "model-a\na/m";
  CHECK(First() == "b/m");
  sticky.reset();
  // With nobody else it still goes there.
  for (const char* id : {"b/m", "c/m", "d/spare"}) answer_with_facts(id);
  CHECK(First() == "a/m");
  // And after the reset as ever.
  now = now + absl::Seconds(20);
  CHECK(Says(Plan().reason, "model-a at a: primary of general (task"));
}

TEST_CASE_METHOD(ChooseFixture, "Of very many candidates a few are kept",
                 "[router][choose]") {
  TaskRoute& task = table.tasks["general"];
  for (int i = 0; i < 50; ++i) {
    const std::string id = "many-" + std::to_string(i);
    AddModel(&table, id, {MakeDeployment("a", id)});
    task.primary.push_back(ModelId{id});
  }
  CHECK(Plan().targets.size() == 8);
}

}  // namespace
}  // namespace llm
