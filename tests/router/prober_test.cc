// Looks beside the traffic: who is due, what a look may change.
#include "router/prober.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "tests/router/router_fixture.h"

namespace llm {
namespace {

struct ProbeFixture : RouterFixture {
  ProbeFixture() : ProbeFixture(TestTable()) {}
  explicit ProbeFixture(RouteTable table)
      : RouterFixture(std::move(table)),
        prober([this] { return current; }, health, clock, random) {
    current = std::shared_ptr<Router>(std::shared_ptr<Router>(), router.get());
    Traffic();
  }
  // Nobody is idle.
  void Traffic() {
    const Instant now = clock.Monotonic();
    for (const char* id : {"a/alpha-up", "b/beta-up", "a/twin-a", "b/twin-b"}) {
      health.Report(id, {FailureClass::kNone, {}, now, now});
    }
  }
  void Break(const char* id, FailureClass why) {
    for (int i = 0; i < 5; ++i) {
      clock.Advance(absl::Milliseconds(1));
      const Instant now = clock.Monotonic();
      health.Report(id, {why, {}, now, now});
    }
  }
  void Round() { RunTask(io, prober.Round(*router)); }
  BreakerState Breaker(const char* id) {
    return health.View({id, "", {}}, clock.Monotonic()).breaker;
  }

  std::shared_ptr<Router> current;
  Prober prober;
};

TEST_CASE_METHOD(ProbeFixture, "Whoever is well and busy is not looked at",
                 "[router][probe][HLT-1]") {
  Round();
  CHECK(a->probes.empty());
  CHECK(b->probes.empty());
}

TEST_CASE_METHOD(ProbeFixture, "A look that succeeds ends a cooldown early",
                 "[router][probe][HLT-1]") {
  Break("a/alpha-up", FailureClass::kConnect);
  a->probe.verdict = ProbeVerdict::kUp;
  Round();
  REQUIRE(a->probes.size() == 1);
  CHECK(a->probes[0].api_key.Reveal() == "a-key-0");
  CHECK(a->probes[0].deadline == clock.Monotonic() + absl::Seconds(10));
  CHECK(b->probes.empty());
  const std::vector<ProbeCount> counts = prober.Counts();
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].provider == "a");
  CHECK(counts[0].verdict == ProbeVerdict::kUp);
  CHECK(counts[0].looks == 1);
  // Half-open: a call has to prove it.
  CHECK(Breaker("a/alpha-up") == BreakerState::kHalfOpen);
  CHECK(a->calls().empty());
}

TEST_CASE_METHOD(ProbeFixture, "A look says nothing of what it cannot see",
                 "[router][probe][HLT-1][HLT-2]") {
  a->probe.verdict = ProbeVerdict::kUp;
  SECTION("a limit") {
    const Instant now = clock.Monotonic();
    health.Report("a/alpha-up",
                  {FailureClass::kRateLimited, absl::Seconds(60), now, now});
    Round();
    CHECK(BackAt(health, "a/alpha-up", now) == now + absl::Seconds(60));
  }
  SECTION("a missing model") {
    Break("a/alpha-up", FailureClass::kModelNotFound);
    Round();
    CHECK(Breaker("a/alpha-up") == BreakerState::kOpen);
  }
  SECTION("a 4xx") {
    Break("a/alpha-up", FailureClass::kConnect);
    a->probe = {ProbeVerdict::kUnknown, 404, "no such page"};
    Round();
    CHECK(a->probes.size() == 1);
    CHECK(Breaker("a/alpha-up") == BreakerState::kOpen);
  }
  SECTION("a dead one stays dead") {
    Break("a/alpha-up", FailureClass::kConnect);
    a->probe.verdict = ProbeVerdict::kDown;
    Round();
    CHECK(Breaker("a/alpha-up") == BreakerState::kOpen);
  }
}

TEST_CASE_METHOD(ProbeFixture, "The idle are looked at seldom, and marked",
                 "[router][probe][HLT-1]") {
  b->probe.verdict = ProbeVerdict::kDown;
  clock.Advance(absl::Seconds(299));
  Round();
  CHECK(b->probes.empty());
  clock.Advance(absl::Seconds(1));
  Round();
  Round();
  CHECK(b->probes.size() == 1);
  const HealthView view =
      health.View({"b/beta-up", "b", {}}, clock.Monotonic());
  CHECK(view.state == HealthState::kDegraded);
  CHECK(view.ready());
  clock.Advance(absl::Minutes(5));
  Round();
  CHECK(b->probes.size() == 2);
}

TEST_CASE("A refused key is looked at, and tried once it is taken again",
          "[router][probe][RTY-5]") {
  RouteTable table = TestTable();
  table.providers["a"].api_keys.emplace_back("a-key-1");
  ProbeFixture fixture(std::move(table));
  const Instant now = fixture.clock.Monotonic();
  const ApiKey second("a-key-1");
  fixture.health.ReportKey("a", second, {FailureClass::kBadKey, {}, now, now});
  SECTION("still refused: unknown, nothing changes") {
    fixture.Round();
    REQUIRE(fixture.a->probes.size() == 1);
    CHECK(fixture.a->probes[0].api_key.Reveal() == "a-key-1");
    CHECK(KeysBackAt(fixture.health, "a", {&second, 1}, now));
  }
  SECTION("taken") {
    fixture.a->probe.verdict = ProbeVerdict::kUp;
    fixture.Round();
    CHECK_FALSE(KeysBackAt(fixture.health, "a", {&second, 1}, now));
  }
}

TEST_CASE("Looking can be turned off, for all or for one", "[router][probe]") {
  RouteTable table = TestTable();
  const bool all = GENERATE(true, false);
  if (all) {
    table.policy.probe_interval = absl::ZeroDuration();
  } else {
    table.providers["a"].probe = false;
  }
  ProbeFixture fixture(std::move(table));
  fixture.Break("a/alpha-up", FailureClass::kConnect);
  fixture.Round();
  CHECK(fixture.a->probes.empty());
}

TEST_CASE_METHOD(ProbeFixture, "Rounds come with jitter, follow reloads, end",
                 "[router][probe]") {
  Break("a/alpha-up", FailureClass::kTimeout);
  boost::asio::cancellation_signal stop;
  bool ended = false;
  boost::asio::co_spawn(
      io, prober.Run(),
      boost::asio::bind_cancellation_slot(
          stop.slot(), [&](std::exception_ptr) { ended = true; }));
  const auto step = [this] {
    io.restart();
    io.poll();
    REQUIRE(clock.AdvanceToNextSleeper());
    io.restart();
    io.poll();
  };
  const Instant began = clock.Monotonic();
  step();
  CHECK(a->probes.size() == 1);
  CHECK(clock.Monotonic() - began == absl::Seconds(30));  // the middle
  step();
  CHECK(a->probes.size() == 2);
  // A configuration without providers to look at.
  RouterParts parts;
  RouteTable none;
  parts.table = std::make_shared<const RouteTable>(none);
  current = std::make_shared<Router>(std::move(parts));
  step();
  CHECK(a->probes.size() == 2);
  stop.emit(boost::asio::cancellation_type::terminal);
  io.restart();
  io.poll();
  CHECK(ended);
}

}  // namespace
}  // namespace llm
