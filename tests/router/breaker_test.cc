// The breaker alone: times are passed in, so every case is a table.
#include "router/breaker.h"

#include <catch2/catch.hpp>
#include <random>

#include "router/rest.h"

namespace llm {
namespace {

constexpr FailureClass kBroken = FailureClass::kServerError;

struct Timeline {
  Breaker breaker;
  Instant now{absl::Seconds(1000)};

  void Fail(FailureClass why = kBroken) { breaker.Fail(why, now, now, 0); }
  void Fail(int times) {
    for (int i = 0; i < times; ++i) {
      now = now + absl::Milliseconds(1);
      Fail();
    }
  }
  void Succeed() { breaker.Succeed(now, now); }
  void Pass(absl::Duration by) { now = now + by; }
  BreakerState State() const { return breaker.StateAt(now); }
};

TEST_CASE("Five failures in a row open, four do not", "[router][breaker]") {
  Timeline line;
  line.Fail(4);
  CHECK(line.State() == BreakerState::kClosed);
  line.Succeed();
  line.Fail(4);
  CHECK(line.State() == BreakerState::kClosed);
  line.Fail(1);
  CHECK(line.State() == BreakerState::kOpen);
  CHECK(line.breaker.failures_in_a_row() == 5);
  CHECK_FALSE(line.breaker.by_share());
}

TEST_CASE("Failing every other call is noticed within 25 calls",
          "[router][breaker][RTY-3]") {
  Timeline line;
  int calls = 0;
  while (line.State() == BreakerState::kClosed && calls < 100) {
    line.Pass(absl::Seconds(1));
    if (calls++ % 2 == 0) {
      line.Fail();
    } else {
      line.Succeed();
    }
  }
  CHECK(calls <= 25);
  CHECK(line.breaker.by_share());
}

TEST_CASE("One failure in twenty never opens a breaker by chance",
          "[router][breaker]") {
  std::mt19937 random(7);
  Timeline line;
  for (int call = 0; call < 200'000; ++call) {
    line.Pass(absl::Milliseconds(10));
    if (random() % 20 == 0) {
      line.Fail();
    } else {
      line.Succeed();
    }
    REQUIRE(line.State() == BreakerState::kClosed);
  }
}

TEST_CASE("Failures long ago do not add up to a share", "[router][breaker]") {
  Timeline line;
  for (int i = 0; i < 40; ++i) {
    line.Pass(absl::Minutes(3));
    line.Fail();
    line.Pass(absl::Minutes(3));
    line.Succeed();
  }
  CHECK(line.State() == BreakerState::kClosed);
}

TEST_CASE("A cooldown ends at its time and grows from 5 s to 60 s",
          "[router][breaker][RTY-3]") {
  Timeline line;
  line.Fail(5);
  for (const int seconds : {5, 10, 20, 40, 60, 60}) {
    CAPTURE(seconds);
    line.Pass(absl::Seconds(seconds) - absl::Nanoseconds(1));
    CHECK(line.State() == BreakerState::kOpen);
    line.Pass(absl::Nanoseconds(1));
    CHECK(line.State() == BreakerState::kHalfOpen);
    line.Pass(absl::Nanoseconds(1));
    line.Fail();
    CHECK(line.State() == BreakerState::kOpen);
  }
  line.Pass(absl::Seconds(60));
  line.Succeed();
  CHECK(line.State() == BreakerState::kClosed);
  // Recovered: it grows from the start again.
  line.Fail(5);
  CHECK(line.breaker.open_until() == line.now + absl::Seconds(5));
}

TEST_CASE("Jitter makes a cooldown at most a quarter longer",
          "[router][breaker][RTY-3]") {
  CHECK(GrowingCooldown(0, 0) == absl::Seconds(5));
  CHECK(GrowingCooldown(1, 0.5) == absl::Seconds(11.25));
  CHECK(GrowingCooldown(30, 0) == absl::Seconds(60));
  CHECK(GrowingCooldown(2, 0.999) < absl::Seconds(25));
}

TEST_CASE("Half-open lets one trial through, which cannot block for ever",
          "[router][breaker][RTY-3]") {
  Timeline line;
  line.Fail(5);
  CHECK(line.breaker.TakeTrial(line.now) == 0);  // still open
  line.Pass(absl::Seconds(5));
  const uint64_t first = line.breaker.TakeTrial(line.now);
  CHECK(first != 0);
  CHECK(line.breaker.TrialUnderWay(line.now));
  CHECK(line.breaker.TakeTrial(line.now) == 0);
  SECTION("one that ends without a word makes room") {
    line.breaker.GiveBackTrial(first);
    CHECK(line.breaker.TakeTrial(line.now) != 0);
  }
  SECTION("one that vanishes expires") {
    line.Pass(absl::Seconds(30));
    const uint64_t second = line.breaker.TakeTrial(line.now);
    CHECK(second != 0);
    // The first one's late end is not the second one's.
    line.breaker.GiveBackTrial(first);
    CHECK(line.breaker.TrialUnderWay(line.now));
  }
  SECTION("one that fails opens again, for longer") {
    line.Pass(absl::Seconds(1));
    line.breaker.Fail(kBroken, line.now + -absl::Seconds(1), line.now, 0);
    CHECK(line.breaker.open_until() == line.now + absl::Seconds(10));
  }
}

TEST_CASE("A trial's first content lets others in, on probation",
          "[router][breaker][RTY-3]") {
  Timeline line;
  line.Fail(5);
  line.Pass(absl::Seconds(5));
  const uint64_t trial = line.breaker.TakeTrial(line.now);
  line.breaker.Answering(trial);
  CHECK(line.State() == BreakerState::kClosed);
  line.Pass(absl::Seconds(1));
  SECTION("the next failure opens at once, and for longer") {
    line.Fail();
    CHECK(line.breaker.open_until() == line.now + absl::Seconds(10));
  }
  SECTION("a complete answer ends the probation") {
    line.Succeed();
    line.Fail();
    CHECK(line.State() == BreakerState::kClosed);
  }
}

TEST_CASE("What was under way when it opened changes nothing",
          "[router][breaker][RTY-3]") {
  Timeline line;
  const Instant before = line.now;
  line.Fail(5);
  const Instant until = line.breaker.open_until();
  line.Pass(absl::Seconds(2));
  line.breaker.Succeed(before, line.now);
  CHECK(line.State() == BreakerState::kOpen);
  for (int i = 0; i < 50; ++i) line.breaker.Fail(kBroken, before, line.now, 0);
  CHECK(line.breaker.open_until() == until);
}

TEST_CASE("A look ends the cooldown only of what a look can judge",
          "[router][breaker][HLT-1]") {
  const auto [why, ends] = GENERATE(table<FailureClass, bool>({
      {FailureClass::kConnect, true},
      {FailureClass::kTransport, true},
      {FailureClass::kServerError, true},
      {FailureClass::kOverloaded, true},
      {FailureClass::kTimeout, false},
      {FailureClass::kModelNotFound, false},
      {FailureClass::kBadAnswer, false},
      {FailureClass::kEmptyAnswer, false},
  }));
  CAPTURE(FailureClassName(why));
  Timeline line;
  line.Fail(4);
  line.Pass(absl::Milliseconds(1));
  line.Fail(why);
  CHECK(line.breaker.EndEarly(line.now) == ends);
  CHECK((line.State() == BreakerState::kHalfOpen) == ends);
}

TEST_CASE("A rest ends when it was asked to, an hour at most",
          "[router][breaker][RTY-3]") {
  const Instant now{absl::Seconds(1000)};
  Rest rest;
  rest.Begin(FailureClass::kRateLimited, absl::Seconds(7), now, 0.9);
  CHECK(rest.until() == now + absl::Seconds(7));
  // A shorter one that arrives late does not cut it short.
  rest.Begin(FailureClass::kRateLimited, absl::Seconds(1), now, 0);
  CHECK(rest.Lasts(now + absl::Seconds(6.9)));
  CHECK_FALSE(rest.Lasts(now + absl::Seconds(7)));
  rest.Begin(FailureClass::kOverloaded, absl::Hours(30), now, 0);
  CHECK(rest.until() == now + absl::Hours(1));
  rest.Succeed(now + -absl::Seconds(1));
  CHECK(rest.Lasts(now + absl::Seconds(1)));
  rest.Succeed(now + absl::Seconds(1));
  CHECK_FALSE(rest.Lasts(now + absl::Seconds(1)));
}

}  // namespace
}  // namespace llm
