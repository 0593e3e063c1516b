// Three deployments in simulation: chance failures, outages, fair shares.
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <random>

#include "tests/router/router_fixture.h"

namespace llm {
namespace {

// Fails by lot, or always while it is out. Answers take 1 s, failures 50 ms.
class ChancyProvider : public Provider {
 public:
  enum class Out { kNo, kErrors, kHangs };
  ChancyProvider(const Clock& clock, uint64_t seed, double share)
      : clock_(clock), random_(seed), share_(share) {}

  Task<std::unique_ptr<AttemptResult>> Chat(const ChatRequest&,
                                            const AttemptContext& context,
                                            EventSink& sink) override {
    ++calls;
    auto result = std::make_unique<AttemptResult>();
    if (out == Out::kHangs) {
      (void)co_await clock_.SleepUntil(
          std::min(clock_.Monotonic() + context.deadlines.first_content,
                   context.deadlines.total));
      result->failure.failure = FailureClass::kTimeout;
    } else if (out == Out::kErrors || random_.Unit() < share_) {
      (void)co_await clock_.SleepUntil(clock_.Monotonic() +
                                       absl::Milliseconds(50));
      result->failure.failure = FailureClass::kServerError;
    }
    if (result->failure.failure != FailureClass::kNone) {
      result->status = absl::UnavailableError("by lot");
      co_return result;
    }
    (void)co_await clock_.SleepUntil(clock_.Monotonic() + absl::Seconds(1));
    static_cast<void>(co_await sink.Write(TextChunk("hi")));
    static_cast<void>(co_await sink.Write(FinishChunk("stop")));
    co_return result;
  }

  int64_t calls = 0;
  Out out = Out::kNo;

 private:
  const Clock& clock_;
  SeededRandom random_;
  const double share_;
};

// "auto" is served by a, b and c, as equals.
struct Simulation {
  Simulation(Prefer prefer, double share) : random(5), health(&random) {
    RouteTable table;
    table.version = "v1";
    TaskRoute task;
    task.id = "general";
    task.prefer = prefer;
    RouterParts parts;
    uint64_t seed = 100;
    for (const char* id : {"a", "b", "c"}) {
      ProviderSettings settings;
      settings.id.value = id;
      settings.timeouts.first_content = absl::Seconds(20);
      table.providers[id] = settings;
      AddModel(&table, std::string("model-") + id, {MakeDeployment(id, "m")});
      task.primary.push_back(ModelId{std::string("model-") + id});
      auto provider = std::make_unique<ChancyProvider>(clock, ++seed, share);
      providers[id] = provider.get();
      parts.providers[id] = std::move(provider);
    }
    table.tasks["general"] = task;
    conversations = MakeMemoryConversationState(clock, 10, absl::Hours(1));
    parts.table = std::make_shared<const RouteTable>(std::move(table));
    parts.clock = &clock;
    parts.random = &random;
    parts.ledger = &ledger;
    parts.admission = &admission;
    parts.observer = &observer;
    parts.health = &health;
    parts.conversations = conversations.get();
    router = std::make_unique<Router>(std::move(parts));
  }

  // Starts `count` calls, one each `gap`, each with a deadline of 60 s; runs
  // until all have ended. Returns how many failed.
  int Run(int count, absl::Duration gap) {
    int failed = 0;
    int running = 0;
    const ChatRequest request{Ask("auto", "hi"), {}};
    std::vector<std::unique_ptr<CallContext>> contexts;
    for (int i = 0; i < count; ++i) {
      CallContext& context =
          *contexts.emplace_back(std::make_unique<CallContext>());
      context.call_id.value = std::to_string(i);
      context.caller.tenant = "t";
      context.received = clock.Monotonic();
      context.received_wall = clock.WallNow();
      context.deadline = context.received + absl::Seconds(60);
      ++running;
      boost::asio::co_spawn(io, router->Chat(context, request, nullptr),
                            [&](std::exception_ptr, CallResult result) {
                              --running;
                              if (!result.status.ok()) ++failed;
                            });
      Settle();
      Advance(gap);
    }
    while (running > 0 && clock.AdvanceToNextSleeper()) Settle();
    ledger.appends.clear();
    observer.events.clear();
    return failed;
  }
  void Settle() {
    io.restart();
    while (io.poll_one() > 0) {
    }
  }
  void Advance(absl::Duration by) {
    for (absl::Duration passed; passed < by; passed += absl::Milliseconds(25)) {
      clock.Advance(absl::Milliseconds(25));
      Settle();
    }
  }

  boost::asio::io_context io;
  FakeClock clock;
  SeededRandom random;
  MemoryLedger ledger;
  CountingAdmission admission;
  RecordingObserver observer;
  HealthBoard health;
  std::unique_ptr<ConversationState> conversations;
  std::map<std::string, ChancyProvider*> providers;
  std::unique_ptr<Router> router;
};

TEST_CASE("Three that fail one in twenty give at least 99.9 %",
          "[router][outage]") {
  const Prefer prefer = GENERATE(Prefer::kOrder, Prefer::kLatency);
  Simulation simulation(prefer, 0.05);
  int failed = 0;
  for (int i = 0; i < 10; ++i) {
    failed += simulation.Run(2000, absl::Milliseconds(100));
  }
  CAPTURE(failed);
  CHECK(failed <= 20);
  // No breaker has opened by chance: order would otherwise have left a.
  if (prefer == Prefer::kOrder) {
    CHECK(simulation.providers["a"]->calls >= 20'000);
  }
}

TEST_CASE("An outage of one is felt by no request that had time left",
          "[router][outage]") {
  const Prefer prefer = GENERATE(Prefer::kOrder, Prefer::kLatency);
  const auto out =
      GENERATE(ChancyProvider::Out::kErrors, ChancyProvider::Out::kHangs);
  Simulation simulation(prefer, 0);
  CHECK(simulation.Run(200, absl::Milliseconds(100)) == 0);
  for (const char* id : {"a", "b", "c"}) {
    ChancyProvider& broken = *simulation.providers[id];
    const int64_t before = broken.calls;
    broken.out = out;
    CHECK(simulation.Run(1000, absl::Milliseconds(100)) == 0);
    const int64_t during = broken.calls - before;
    CAPTURE(id, during);
    // Errors end in a breaker after five; the hanging one is seen after its
    // timeout of 20 s, in which 200 calls came.
    CHECK(during < (out == ChancyProvider::Out::kErrors ? 20 : 230));
    broken.out = ChancyProvider::Out::kNo;
    // It is back by itself.
    const int64_t after = broken.calls;
    CHECK(simulation.Run(1000, absl::Milliseconds(100)) == 0);
    if (prefer == Prefer::kLatency || id == std::string("a")) {
      CHECK(broken.calls > after);
    }
  }
}

TEST_CASE("Equals get equal traffic in whole calls",
          "[router][outage][LIM-5]") {
  Simulation simulation(Prefer::kLatency, 0);
  CHECK(simulation.Run(3000, absl::Milliseconds(100)) == 0);
  for (const auto& [id, provider] : simulation.providers) {
    CAPTURE(id, provider->calls);
    CHECK(provider->calls > 850);
    CHECK(provider->calls < 1150);
  }
}

}  // namespace
}  // namespace llm
