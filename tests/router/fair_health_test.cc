// Whose fault a failure was, and whose time it took: what one target, key or
// caller does is not held against another.
#include <catch2/catch.hpp>

#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

ProviderTimeouts Total(absl::Duration total) {
  ProviderTimeouts timeouts;
  timeouts.total = total;
  return timeouts;
}

// alpha, then beta; `first` and `second` are their totals.
RouteTable TwoTotals(absl::Duration first, absl::Duration second) {
  RouteTable table = TestTable();
  table.providers["a"].timeouts = Total(first);
  table.providers["b"].timeouts = Total(second);
  return table;
}

ScriptedAttempt Hangs(absl::Duration delay) {
  ScriptedAttempt attempt = Answer("late", 1, 1);
  attempt.delay = delay;
  return attempt;
}

TEST_CASE("A fallback with a shorter total has all of it left",
          "[router][deadline][RTY-1]") {
  RouterFixture fixture(TwoTotals(absl::Minutes(15), absl::Minutes(1)));
  // Silent for two minutes, then given up: longer than beta's whole total.
  ScriptedAttempt silent = Failure(FailureClass::kTimeout);
  silent.delay = absl::Minutes(2);
  fixture.a->PlayForever(silent);
  fixture.b->PlayForever(Hangs(absl::Seconds(50)));
  const Instant start = fixture.clock.Monotonic();
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.provider() == "b");
  CHECK(fixture.b->calls()[0].context.deadlines.total ==
        start + absl::Minutes(3));
}

TEST_CASE("The longest total bounds all attempts together",
          "[router][deadline][RTY-1]") {
  RouterFixture fixture(TwoTotals(absl::Seconds(100), absl::Seconds(80)));
  ScriptedAttempt silent = Failure(FailureClass::kTimeout);
  silent.delay = absl::Seconds(60);
  fixture.a->PlayForever(silent);
  fixture.b->PlayForever(Hangs(absl::Seconds(70)));
  const Instant start = fixture.clock.Monotonic();
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  CHECK(CallErrorHttpStatus(result.status) == 504);
  CHECK(fixture.clock.Monotonic() - start == absl::Seconds(100));
  // beta was cut after half of its time: that says nothing of beta.
  CHECK(StateOf(fixture.health, "b/beta-up", fixture.clock.Monotonic()) !=
        HealthState::kUnavailable);
  CHECK(fixture.health.View({"b/beta-up", "b", {}}, fixture.clock.Monotonic())
            .failures <= 1);
}

TEST_CASE("A target that used up its own total is to blame",
          "[router][deadline][TMO-3]") {
  RouterFixture fixture(TwoTotals(absl::Seconds(20), absl::Seconds(20)));
  fixture.a->PlayForever(Hangs(absl::Minutes(5)));
  fixture.Unary(Ask("alpha", "hi"));
  CHECK(fixture.health.View({"a/alpha-up", "a", {}}, fixture.clock.Monotonic())
            .failures == 1);
}

TEST_CASE("A caller who takes nothing is not held against the deployment",
          "[router][deadline][TMO-3]") {
  RouterFixture fixture;
  ScriptedAttempt answer = Answer("words", 1, 1);
  answer.failure = FailureClass::kTimeout;
  fixture.a->PlayForever(answer);
  RecordingSink sink;
  sink.answer = absl::DeadlineExceededError("nothing was taken");
  fixture.Stream(Ask("alpha", "hi"), sink);
  CHECK(fixture.health.View({"a/alpha-up", "a", {}}, fixture.clock.Monotonic())
            .failures == 0);
}

RouteTable FourKeys() {
  RouteTable table = TestTable();
  for (const char* key : {"k1", "k2", "k3"}) {
    table.providers["a"].api_keys.emplace_back(key);
  }
  return table;
}

TEST_CASE("However many keys fail, the last attempt is another target's",
          "[router][keys][RTY-5]") {
  const auto failure =
      GENERATE(FailureClass::kBadKey, FailureClass::kOutOfMoney,
               FailureClass::kRateLimited, FailureClass::kPermission);
  RouterFixture fixture(FourKeys());
  fixture.a->PlayForever(Failure(failure));
  fixture.b->PlayForever(Answer("ok", 1, 1));
  CAPTURE(FailureClassName(failure));
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.provider() == "b");
}

TEST_CASE("A permission that no key has closes the deployment for a while",
          "[router][keys][RTY-3]") {
  const bool one_key = GENERATE(true, false);
  RouterFixture fixture(one_key ? TestTable() : FourKeys());
  fixture.a->PlayForever(Failure(FailureClass::kPermission, 403));
  fixture.b->PlayForever(Answer("ok", 1, 1));
  for (int i = 0; i < 20; ++i) {
    REQUIRE_THAT(fixture.Unary(Ask("auto", "hi")).status, IsOk());
  }
  // Two keys at most are asked per call, until the breaker is open.
  CHECK(fixture.a->calls().size() == (one_key ? 5 : 10));
  // Another model of the provider is not concerned.
  CHECK(fixture.health.View({"a/twin-a", "a", {}}, fixture.clock.Monotonic())
            .ready());
}

TEST_CASE("A key that lacks a permission which another has harms nobody",
          "[router][keys][RTY-3]") {
  RouteTable table = TestTable();
  table.providers["a"].api_keys.emplace_back("good");
  RouterFixture fixture(std::move(table));
  for (int i = 0; i < 20; ++i) {
    fixture.a->Play(Failure(FailureClass::kPermission, 403));
    fixture.a->Play(Answer("ok", 1, 1));
    REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
  }
  CHECK(fixture.health.View({"a/alpha-up", "a", {}}, fixture.clock.Monotonic())
            .ready());
}

TEST_CASE("A limit without a time is repeated within the retry budget",
          "[router][retry][RTY-3]") {
  RouterFixture fixture;
  fixture.a->PlayForever(Failure(FailureClass::kRateLimited, 429));
  const bool spent = GENERATE(false, true);
  while (spent && fixture.health.TakeRepeat("a", fixture.clock.Monotonic())) {
  }
  fixture.Unary(Ask("alpha", "hi"));
  CHECK((fixture.a->calls().size() == 1) == spent);
}

TEST_CASE("Names that never answered make room for those that did",
          "[router][health]") {
  HealthBoard board;
  const Instant start = Instant{} + absl::Seconds(1);
  board.Report("a/known", {FailureClass::kNone, {}, start, start});
  board.Report("a/known", {FailureClass::kServerError,
                           {},
                           start + absl::Seconds(1),
                           start + absl::Seconds(1)});
  for (int i = 0; i < 9000; ++i) {
    const Instant now = start + absl::Seconds(2 + i);
    board.Report("a/made-up-" + std::to_string(i),
                 {FailureClass::kModelNotFound, {}, now, now});
  }
  CHECK(board.View({"a/known", "a", {}}, start + absl::Hours(3)).failures == 1);
}

TEST_CASE("Who has not taken a key's trial cannot give it back",
          "[router][keys][RTY-5]") {
  KeyRing ring;
  const std::vector<KeyName> names = {1, 2};
  const Instant start = Instant{} + absl::Seconds(1);
  ring.Fail(1, FailureClass::kBadKey, {}, start, 0);
  ring.Fail(2, FailureClass::kBadKey, {}, start, 0);
  const Instant due = start + absl::Minutes(1);
  bool first = false;
  bool second = false;
  ring.Pick(names, {}, 1, due, &first);
  ring.Pick(names, {}, 1, due, &second);
  CHECK(first);
  CHECK_FALSE(second);
}

}  // namespace
}  // namespace llm
