// Whole calls against breakers, keys, quotas, budgets and the last resort.
#include <catch2/catch.hpp>

#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

bool Says(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

// One deployment ("alpha"), or alpha and then beta ("auto").
struct FailoverFixture : RouterFixture {
  FailoverFixture() = default;
  explicit FailoverFixture(RouteTable table)
      : RouterFixture(std::move(table)) {}

  // Opens a deployment's breaker.
  void Break(const char* id) {
    for (int i = 0; i < 5; ++i) {
      clock.Advance(absl::Milliseconds(1));
      const Instant now = clock.Monotonic();
      health.Report(id, {FailureClass::kServerError, {}, now, now});
    }
  }
  HealthView View(const char* id) {
    return health.View({id, std::string_view(id).substr(0, 1), {}},
                       clock.Monotonic());
  }
};

TEST_CASE_METHOD(FailoverFixture, "Every attempt of a call feeds the breaker",
                 "[router][breaker][RTY-3]") {
  a->PlayForever(Failure(FailureClass::kServerError, 500));
  b->PlayForever(Failure(FailureClass::kServerError, 500));
  Unary(Ask("auto", "hi"));
  // Two at each: the attempt and its repeat.
  CHECK(View("a/alpha-up").failures == 2);
  CHECK(View("b/beta-up").failures == 2);
}

TEST_CASE_METHOD(FailoverFixture,
                 "An adapter that breaks its promise costs an attempt",
                 "[router][attempt][ERR-1]") {
  ScriptedAttempt broken;
  SECTION("by throwing before it waits") { broken.throws = true; }
  SECTION("by bringing no result") { broken.no_result = true; }
  a->PlayForever(broken);
  b->Play(Answer("ok", 1, 1)).PlayForever(broken);
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.provider() == "b");
  const auto records = ledger.Rows<AttemptRecord>();
  REQUIRE(records.size() == 2);
  CHECK(records[0].outcome == "bad_answer");
  // Where nobody answers the caller hears of it, and not in its words.
  const CallResult failed = Unary(Ask("auto", "hi"));
  CHECK(failed.status.message() ==
        "No candidate provider could answer; the last failure was bad_answer");
  CHECK_FALSE(Says(failed.status.ToString(), "what the caller asked"));
}

TEST_CASE_METHOD(FailoverFixture, "A dead deployment costs five attempts once",
                 "[router][breaker][RTY-3]") {
  a->PlayForever(Failure(FailureClass::kConnect));
  b->PlayForever(Answer("ok", 1, 1));
  for (int i = 0; i < 20; ++i) {
    REQUIRE_THAT(Unary(Ask("auto", "hi")).status, IsOk());
  }
  CHECK(a->calls().size() == 5);
  CHECK(View("a/alpha-up").breaker == BreakerState::kOpen);
}

TEST_CASE_METHOD(FailoverFixture, "A trial that answers brings it back",
                 "[router][breaker][RTY-3]") {
  Break("a/alpha-up");
  a->PlayForever(Answer("ok", 1, 1));
  b->PlayForever(Answer("ok", 1, 1));
  CallResult result = Unary(Ask("auto", "hi"));
  CHECK(result.info.provider() == "b");
  CHECK(Says(result.info.reason(),
             "passed over a/alpha-up: open after 5 failures (server_error), "
             "back in 5.0 s"));
  clock.Advance(absl::Seconds(5));
  CHECK(Unary(Ask("auto", "hi")).info.provider() == "a");
  CHECK(View("a/alpha-up").breaker == BreakerState::kClosed);
}

TEST_CASE_METHOD(FailoverFixture, "A trial that fails is felt by nobody",
                 "[router][breaker][RTY-3]") {
  Break("a/alpha-up");
  a->PlayForever(Failure(FailureClass::kServerError, 500));
  b->PlayForever(Answer("ok", 1, 1));
  clock.Advance(absl::Seconds(5));
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  // One attempt, no repeat: it has opened again.
  CHECK(a->calls().size() == 1);
  CHECK(result.info.attempts() == 2);
  CHECK(BackAt(health, "a/alpha-up", clock.Monotonic()) ==
        clock.Monotonic() + absl::Seconds(10));
}

TEST_CASE_METHOD(FailoverFixture,
                 "While one call tries it, others go elsewhere",
                 "[router][breaker][RTY-3]") {
  Break("a/alpha-up");
  clock.Advance(absl::Seconds(5));
  const auto trial =
      health.Enter({"a/alpha-up", "a", {}}, {}, clock.Monotonic());
  REQUIRE(trial);
  b->PlayForever(Answer("ok", 1, 1));
  CHECK(Unary(Ask("auto", "hi")).info.provider() == "b");
  CHECK(a->calls().empty());
}

TEST_CASE_METHOD(FailoverFixture, "The last resort waits for who is back first",
                 "[router][last-resort][RTY-3]") {
  const Instant now = clock.Monotonic();
  health.Report("a/alpha-up",
                {FailureClass::kRateLimited, absl::Seconds(12), now, now});
  health.Report("b/beta-up",
                {FailureClass::kRateLimited, absl::Seconds(9), now, now});
  b->PlayForever(Answer("ok", 1, 1));
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.provider() == "b");
  REQUIRE(b->calls().size() == 1);
  CHECK(b->calls()[0].at == now + absl::Seconds(9.5));  // spread
  CHECK(a->calls().empty());
  CHECK(Says(result.info.reason(), "last resort, all 2 candidates are out"));
  CHECK(Says(ledger.Rows<AttemptRecord>().back().reason,
             "last resort after 9.5 s: fallback of general"));
}

TEST_CASE_METHOD(FailoverFixture, "Beyond max_wait all out is said at once",
                 "[router][last-resort][RTY-4]") {
  const Instant now = clock.Monotonic();
  health.Report("a/alpha-up",
                {FailureClass::kRateLimited, absl::Seconds(45), now, now});
  SECTION("rate limited, all of them: 429 with the earliest return") {
    health.Report("b/beta-up",
                  {FailureClass::kRateLimited, absl::Seconds(30), now, now});
    const CallResult result = Unary(Ask("auto", "hi"));
    CHECK(CodeOf(result) == "provider_rate_limited");
    CHECK(CallErrorHttpStatus(result.status) == 429);
    CHECK(CallErrorDetail(result.status).retry_after_s() == 30);
    // Nothing of ours was spent: the caller may come again.
    CHECK_FALSE(CallErrorDetail(result.status).no_retry());
    CHECK(CallErrorDetail(result.status).attempts() == 0);
  }
  SECTION("for mixed reasons: unavailable, with the earliest return") {
    health.Report("b/beta-up",
                  {FailureClass::kOverloaded, absl::Seconds(30), now, now});
    const CallResult result = Unary(Ask("auto", "hi"));
    CHECK(CodeOf(result) == "provider_unavailable");
    CHECK(CallErrorDetail(result.status).retry_after_s() == 30);
  }
  CHECK(clock.Monotonic() == now);
  CHECK(a->calls().empty());
  CHECK(b->calls().empty());
  CHECK(ledger.Rows<RequestRecord>().size() == 1);
  CHECK(ledger.Rows<AttemptIntent>().empty());
}

TEST_CASE_METHOD(FailoverFixture, "No last resort ends after the deadline",
                 "[router][last-resort][deadline]") {
  const Instant now = clock.Monotonic();
  health.Report("a/alpha-up",
                {FailureClass::kRateLimited, absl::Seconds(9), now, now});
  auto request = Ask("alpha", "hi");
  request.mutable_timeout()->set_seconds(5);
  const CallResult result = Unary(request);
  CHECK(CodeOf(result) == "provider_rate_limited");
  CHECK(CallErrorDetail(result.status).retry_after_s() == 9);
  CHECK(clock.Monotonic() == now);
}

TEST_CASE_METHOD(FailoverFixture, "Whoever waits while another tries goes next",
                 "[router][last-resort][RTY-3]") {
  Break("a/alpha-up");
  clock.Advance(absl::Seconds(5));
  auto trial = health.Enter({"a/alpha-up", "a", {}}, {}, clock.Monotonic());
  REQUIRE(trial);
  a->PlayForever(Answer("ok", 1, 1));
  const Instant before = clock.Monotonic();
  const ChatRequest request{Ask("alpha", "hi"), {}};
  context.received = before;
  std::optional<CallResult> result;
  boost::asio::co_spawn(
      io, router->Chat(context, request, nullptr),
      [&](std::exception_ptr, CallResult value) { result = std::move(value); });
  while (!result) {
    io.restart();
    if (io.poll_one() > 0) continue;
    // The trial takes two seconds.
    if (trial && clock.Monotonic() - before >= absl::Seconds(2)) {
      const Instant now = clock.Monotonic();
      health.Report(*trial, {}, {FailureClass::kNone, {}, before, now});
      trial.reset();
    }
    REQUIRE(clock.AdvanceToNextSleeper());
  }
  REQUIRE_THAT(result->status, IsOk());
  CHECK(a->calls().size() == 1);
  CHECK(result->info.attempts() == 1);
}

RouteTable TwoKeys() {
  RouteTable table = TestTable();
  table.providers["a"].api_keys.emplace_back("a-key-1");
  return table;
}

TEST_CASE("A refused key comes back by one attempt's trial",
          "[router][keys][RTY-5]") {
  FailoverFixture fixture(TwoKeys());
  fixture.a->Play(Failure(FailureClass::kBadKey, 401));
  fixture.a->PlayForever(Answer("ok", 1, 1));
  REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
  const auto key = [&](size_t call) {
    return fixture.a->calls()[call].context.api_key.Reveal();
  };
  const std::string bad = key(0);
  for (int i = 0; i < 4; ++i) {
    fixture.Unary(Ask("alpha", "hi"));
    CHECK(fixture.a->calls().back().context.api_key.Reveal() != bad);
  }
  fixture.clock.Advance(absl::Seconds(10));
  const size_t before = fixture.a->calls().size();
  for (int i = 0; i < 4; ++i) fixture.Unary(Ask("alpha", "hi"));
  int tried = 0;
  for (size_t i = before; i < before + 4; ++i) tried += key(i) == bad ? 1 : 0;
  CHECK(tried == 2);  // it answers, so it is used in turn again
}

TEST_CASE(
    "With nobody else to ask, an only key that was refused is tried again",
    "[router][keys][last-resort][RTY-5]") {
  FailoverFixture fixture;
  fixture.a->Play(Failure(FailureClass::kOutOfMoney, 402));
  fixture.a->PlayForever(Answer("ok", 1, 1));
  CHECK(CallErrorHttpStatus(fixture.Unary(Ask("alpha", "hi")).status) == 502);
  // The account may have been topped up; a 402 costs nothing.
  const Instant now = fixture.clock.Monotonic();
  CHECK_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
  CHECK(fixture.clock.Monotonic() == now);
}

TEST_CASE("With somebody else to ask, a refused only key is left alone",
          "[router][keys][RTY-5]") {
  FailoverFixture fixture;
  fixture.a->PlayForever(Failure(FailureClass::kBadKey, 401));
  fixture.b->PlayForever(Answer("ok", 1, 1));
  for (int i = 0; i < 5; ++i) {
    CHECK(fixture.Unary(Ask("auto", "hi")).info.provider() == "b");
  }
  CHECK(fixture.a->calls().size() == 1);
}

TEST_CASE_METHOD(FailoverFixture,
                 "An open breaker lets a call in that has nobody else to ask",
                 "[router][breaker][last-resort][RTY-3]") {
  Break("a/alpha-up");
  a->PlayForever(Answer("ok", 1, 1));
  const Instant now = clock.Monotonic();
  const CallResult result = Unary(Ask("alpha", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(clock.Monotonic() == now);
  CHECK(Says(ledger.Rows<AttemptRecord>().back().reason, "last resort"));
  CHECK(StateOf(health, "a/alpha-up", now) == HealthState::kHealthy);
}

TEST_CASE_METHOD(FailoverFixture,
                 "Of calls that have nobody else one at a time goes in early",
                 "[router][breaker][last-resort][RTY-3]") {
  Break("a/alpha-up");
  HealthBoard::Entering last;
  last.last_resort = true;
  const Instant now = clock.Monotonic();
  CHECK_FALSE(health.Enter({"a/alpha-up", "a", {}}, {}, now));
  const auto first = health.Enter({"a/alpha-up", "a", {}}, last, now);
  REQUIRE(first);
  CHECK(first->trial());
  CHECK_FALSE(health.Enter({"a/alpha-up", "a", {}}, last, now));
}

TEST_CASE_METHOD(FailoverFixture, "A rest that was asked for is no breaker",
                 "[router][last-resort][RTY-4]") {
  const Instant now = clock.Monotonic();
  health.Report("a/alpha-up",
                {FailureClass::kRateLimited, absl::Seconds(30), now, now});
  HealthBoard::Entering last;
  last.last_resort = true;
  CHECK_FALSE(health.Enter({"a/alpha-up", "a", {}}, last, now));
  CHECK(CodeOf(Unary(Ask("alpha", "hi"))) == "provider_rate_limited");
  CHECK(a->calls().empty());
}

TEST_CASE_METHOD(FailoverFixture,
                 "Calls that find the early trial taken look again, and end",
                 "[router][breaker][last-resort]") {
  Break("a/alpha-up");
  HealthBoard::Entering last;
  last.last_resort = true;
  const Instant before = clock.Monotonic();
  const auto other = health.Enter({"a/alpha-up", "a", {}}, last, before);
  REQUIRE(other);
  a->PlayForever(Answer("ok", 1, 1));
  // The other call's trial never ends while this one has patience.
  const CallResult result = Unary(Ask("alpha", "hi"));
  CHECK(CodeOf(result) == "provider_unavailable");
  CHECK(a->calls().empty());
  CHECK(clock.Monotonic() > before);
  CHECK(clock.Monotonic() - before <= absl::Seconds(10));
}

TEST_CASE("Quotas are watched per key", "[router][quota][keys]") {
  FailoverFixture fixture(TwoKeys());
  ScriptedAttempt near_end = Answer("ok", 1, 1);
  near_end.limits.limit_requests = 100;
  near_end.limits.remaining_requests = 2;
  near_end.limits.reset_requests = absl::Seconds(30);
  fixture.a->Play(near_end);
  fixture.a->PlayForever(Answer("ok", 1, 1));
  fixture.Unary(Ask("auto", "hi"));
  const std::string low = fixture.a->calls().front().context.api_key.Reveal();
  for (int i = 0; i < 4; ++i) {
    CHECK(fixture.Unary(Ask("auto", "hi")).info.provider() == "a");
    CHECK(fixture.a->calls().back().context.api_key.Reveal() != low);
  }
  // With the other key nearly used up too, traffic moves.
  fixture.a->Play(near_end);
  fixture.Unary(Ask("auto", "hi"));
  fixture.b->PlayForever(Answer("ok", 1, 1));
  CHECK(fixture.Unary(Ask("auto", "hi")).info.provider() == "b");
}

TEST_CASE_METHOD(FailoverFixture, "Repeats never multiply an outage",
                 "[router][budget]") {
  // Two of five calls fail and would be repeated: 40 % more, but for the
  // budget. Too few for the breaker.
  a->PlayForever(Answer("ok", 1, 1));
  constexpr int kCalls = 500;
  const Instant began = clock.Monotonic();
  for (int i = 0; i < kCalls; ++i) {
    if (i % 5 < 2) a->Play(Failure(FailureClass::kServerError, 500));
    Unary(Ask("alpha", "hi"));
  }
  const int repeats = static_cast<int>(a->calls().size()) - kCalls;
  const double windows =
      absl::ToDoubleSeconds(clock.Monotonic() - began) / 10 + 1;
  CAPTURE(repeats, windows);
  CHECK(repeats >= 10);
  CHECK(repeats <= kCalls / 5 + 10 * windows);
  CHECK(repeats < kCalls * 2 / 5);
}

TEST_CASE_METHOD(FailoverFixture, "Without budget a call still falls over",
                 "[router][budget]") {
  while (health.TakeRepeat("a", clock.Monotonic())) {
  }
  a->PlayForever(Failure(FailureClass::kServerError, 500));
  b->PlayForever(Answer("ok", 1, 1));
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(a->calls().size() == 1);
  CHECK(result.info.attempts() == 2);
  CHECK(Says(result.info.reason(),
             "answered by b/beta-up after 1 failed: a server_error"));
  // The one who has nobody else is told so at once.
  CHECK(CodeOf(Unary(Ask("alpha", "hi"))) == "provider_unavailable");
  CHECK(a->calls().size() == 2);
}

TEST_CASE_METHOD(FailoverFixture, "A cancelled call gives its trial back",
                 "[router][breaker][TMO-3]") {
  Break("a/alpha-up");
  clock.Advance(absl::Seconds(5));
  ScriptedAttempt slow = Answer("late", 1, 1);
  slow.delay = absl::Minutes(1);
  a->Play(slow);
  Cancelled(Ask("alpha", "hi"), nullptr, [&] { return !a->calls().empty(); });
  const HealthView view = View("a/alpha-up");
  CHECK(view.breaker == BreakerState::kHalfOpen);
  CHECK(view.trial_due);
  CHECK(view.in_flight == 0);
}

TEST_CASE_METHOD(FailoverFixture, "The row and the caller hear the same reason",
                 "[router][reason]") {
  a->PlayForever(Failure(FailureClass::kBadAnswer));
  b->PlayForever(Answer("ok", 1, 1));
  const CallResult result = Unary(Ask("auto", "hi"));
  CHECK(ledger.Rows<RequestRecord>().back().reason == result.info.reason());
}

}  // namespace
}  // namespace llm
