// The board: what many loops share.
#include "router/health_board.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/router/router_fixture.h"

namespace llm {
namespace {

struct BoardFixture {
  void Report(FailureClass failure, std::optional<absl::Duration> after = {}) {
    board.Report("a/m", {failure, after, now, now});
  }
  void Fail(int times, FailureClass failure = FailureClass::kServerError) {
    for (int i = 0; i < times; ++i) {
      now = now + absl::Milliseconds(1);
      Report(failure);
    }
  }
  HealthView View() { return board.View(subject, now); }
  std::optional<HealthBoard::Pass> Enter() {
    return board.Enter(subject, {}, now);
  }

  HealthBoard board;
  Instant now{absl::Seconds(1000)};
  HealthSubject subject{"a/m", "a", {}};
};

TEST_CASE_METHOD(BoardFixture, "A deployment cools after a rate limit",
                 "[router][health][RTY-3]") {
  CHECK(View().state == HealthState::kUnknown);
  Report(FailureClass::kRateLimited, absl::Seconds(7));
  CHECK(View().state == HealthState::kUnavailable);
  CHECK(View().out == HealthView::Out::kRest);
  CHECK(BackAt(board, "a/m", now) == now + absl::Seconds(7));
  CHECK_FALSE(Enter());
  now = now + absl::Seconds(7);
  // Its end is for everybody: a limit is no illness.
  const auto first = Enter();
  const auto second = Enter();
  CHECK((first && second));
  CHECK_FALSE(first->trial());
}

TEST_CASE_METHOD(BoardFixture, "Without a hint a rest grows from 1 s to 8 s",
                 "[router][health][RTY-3]") {
  for (const int want : {1, 2, 4, 8, 8}) {
    Report(FailureClass::kRateLimited);
    CHECK(BackAt(board, "a/m", now) == now + absl::Seconds(want));
    now = now + absl::Seconds(want);
  }
  Report(FailureClass::kNone);
  CHECK(View().state == HealthState::kHealthy);
}

TEST_CASE_METHOD(BoardFixture, "A 503 with Retry-After rests, one without not",
                 "[router][health][RTY-3]") {
  Report(FailureClass::kOverloaded);
  CHECK(View().ready());
  Report(FailureClass::kServerError, absl::Seconds(30));
  CHECK(View().ready());
  Report(FailureClass::kOverloaded, absl::Seconds(30));
  CHECK(BackAt(board, "a/m", now) == now + absl::Seconds(30));
}

TEST_CASE_METHOD(BoardFixture, "A Retry-After beside an answer is no limit",
                 "[router][health][RTY-3]") {
  Report(FailureClass::kNone, absl::Seconds(30));
  CHECK(View().ready());
  CHECK(View().state == HealthState::kHealthy);
}

TEST_CASE_METHOD(BoardFixture, "Callers' mistakes and leaving say nothing",
                 "[router][health][TMO-3]") {
  for (const FailureClass quiet :
       {FailureClass::kCancelled, FailureClass::kSinkFailed,
        FailureClass::kInvalidRequest, FailureClass::kContextLength,
        FailureClass::kContentFilter, FailureClass::kUnsupported}) {
    Fail(10, quiet);
    auto pass = Enter();
    REQUIRE(pass);
    board.Report(*pass, {}, {quiet, std::nullopt, now, now});
  }
  CHECK(View().state == HealthState::kUnknown);
  CHECK_FALSE(View().latency);
  CHECK(View().in_flight == 0);
}

TEST_CASE_METHOD(BoardFixture, "A late success lifts nothing that began later",
                 "[router][health][RTY-3]") {
  const Instant start = now;
  now = now + absl::Seconds(1);
  Report(FailureClass::kRateLimited, absl::Seconds(30));
  board.Report("a/m", {FailureClass::kNone, std::nullopt, start, now});
  CHECK_FALSE(View().ready());
  board.Report("a/m", {FailureClass::kNone, std::nullopt, now, now});
  CHECK(View().ready());
}

TEST_CASE_METHOD(BoardFixture, "Of all loops one call is the trial",
                 "[router][health][threads][RTY-3]") {
  Fail(5);
  CHECK_FALSE(Enter());
  now = now + absl::Seconds(5);
  CHECK(View().trial_due);
  std::atomic<int> let_in{0};
  Mutex mutex;
  std::vector<HealthBoard::Pass> held;
  std::vector<std::thread> loops;
  for (int i = 0; i < 8; ++i) {
    loops.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        auto pass = board.Enter(subject, {}, now);
        if (!pass) continue;
        ++let_in;
        // Kept, as by a call that never ends.
        MutexLock lock(mutex);
        held.push_back(*std::move(pass));
      }
    });
  }
  for (std::thread& loop : loops) loop.join();
  CHECK(let_in == 1);
  CHECK(View().out == HealthView::Out::kTrial);
  // It has vanished: after its lease another one may try.
  now = now + absl::Seconds(30);
  CHECK(Enter());
}

TEST_CASE_METHOD(BoardFixture, "A trial ends with its attempt",
                 "[router][health][RTY-3]") {
  Fail(5);
  now = now + absl::Seconds(5);
  auto pass = Enter();
  REQUIRE(pass);
  CHECK(pass->trial());
  CHECK_FALSE(Enter());
  SECTION("answered: closed") {
    board.Report(*pass, {}, {FailureClass::kNone, {}, now, now});
    CHECK(View().breaker == BreakerState::kClosed);
  }
  SECTION("failed: open, for longer") {
    board.Report(*pass, {}, {FailureClass::kConnect, {}, now, now});
    CHECK(BackAt(board, "a/m", now) == now + absl::Seconds(10));
  }
  SECTION("its caller left: the next one tries") {
    pass->End();
    CHECK(Enter());
  }
  SECTION("first content: others go too") {
    board.Answering(*pass, absl::Seconds(1), now);
    CHECK(Enter());
    CHECK(Enter());
  }
}

TEST_CASE_METHOD(BoardFixture, "A caller's deadline counts after long silence",
                 "[router][health][TMO-3]") {
  const auto late = [this](absl::Duration silent) {
    auto pass = Enter();
    REQUIRE(pass);
    HealthReport report{FailureClass::kTimeout, {}, now, now + silent};
    report.at_callers_deadline = true;
    now = now + silent;
    board.Report(*pass, {}, report);
  };
  late(absl::Seconds(29));
  CHECK(View().failures == 0);
  late(absl::Seconds(30));  // nobody knows how long it usually takes
  CHECK(View().failures == 1);
  HealthBoard fresh;
  auto pass = fresh.Enter(subject, {}, now);
  fresh.Answering(*pass, absl::Seconds(2), now);
  HealthReport report{FailureClass::kTimeout, {}, now, now + absl::Seconds(9)};
  report.at_callers_deadline = true;
  fresh.Report(*pass, {}, report);
  CHECK(fresh.View(subject, now).failures == 0);
  report.now = now + absl::Seconds(10);
  fresh.Report(*pass, {}, report);
  CHECK(fresh.View(subject, now).failures == 1);
}

TEST_CASE_METHOD(BoardFixture, "Down is a mark on the idle, up ends a cooldown",
                 "[router][health][HLT-1]") {
  board.SeenDown({&subject, 1}, now);
  CHECK(View().state == HealthState::kDegraded);
  CHECK(View().ready());  // traffic decides
  Report(FailureClass::kNone);
  CHECK(View().state == HealthState::kHealthy);
  board.SeenDown({&subject, 1}, now + -absl::Seconds(30));  // it was busy since
  CHECK(View().state == HealthState::kHealthy);
  Fail(5);
  CHECK(View().state == HealthState::kUnavailable);
  board.SeenUp({&subject, 1}, nullptr, now);
  CHECK(View().breaker == BreakerState::kHalfOpen);
  CHECK(View().trial_due);
}

TEST_CASE_METHOD(BoardFixture, "Names that callers make up are bounded",
                 "[router][health][MET-1]") {
  for (int i = 0; i < 10'000; ++i) {
    now = now + absl::Milliseconds(1);
    const std::string name = "a/made-up-" + std::to_string(i);
    const auto pass = board.Enter({name, "a", {}}, {}, now);
    REQUIRE(pass);
    board.Report(*pass, {}, {FailureClass::kModelNotFound, {}, now, now});
  }
  Report(FailureClass::kRateLimited, absl::Seconds(30));
  CHECK_FALSE(View().ready());
}

TEST_CASE("A key pool tells how many are out, and why",
          "[router][health][RTY-5]") {
  HealthBoard board;
  const Instant now{absl::Seconds(1000)};
  std::vector<ApiKey> keys;
  for (const char* key : {"k0", "k1", "k2"}) keys.emplace_back(key);
  board.ReportKey("a", keys[0], {FailureClass::kBadKey, {}, now, now});
  board.ReportKey("a", keys[1], {FailureClass::kOutOfMoney, {}, now, now});
  const KeyPool pool = board.Keys("a", keys, now);
  CHECK(pool.keys == 3);
  CHECK(pool.out == std::vector<std::pair<FailureClass, int>>{
                        {FailureClass::kBadKey, 1},
                        {FailureClass::kOutOfMoney, 1},
                        {FailureClass::kRateLimited, 0}});
  CHECK_FALSE(KeysBackAt(board, "a", keys, now));
  CHECK(board.RefusedKey("a", keys, now) == size_t{0});
  board.ReportKey("a", keys[2], {FailureClass::kBadKey, {}, now, now});
  CHECK(KeysBackAt(board, "a", keys, now) == now + absl::Seconds(10));
  const HealthView view = board.View({"a/m", "a", keys}, now);
  CHECK(view.state == HealthState::kUnavailable);
  CHECK_FALSE(view.time_heals());
}

TEST_CASE("Words say what is wrong and for how long", "[router][health]") {
  const Instant now{absl::Seconds(1000)};
  HealthView view;
  CHECK(HealthWords(view, now).empty());
  view.out = HealthView::Out::kOpen;
  view.why = FailureClass::kServerError;
  view.failures = 5;
  view.back_at = now + absl::Seconds(12);
  CHECK(HealthWords(view, now) ==
        "open after 5 failures (server_error), back in 12 s");
  view.of = 20;
  view.failures = 10;
  CHECK(HealthWords(view, now) ==
        "open after 10 failures in 20 (server_error), back in 12 s");
  view.out = HealthView::Out::kRest;
  view.why = FailureClass::kRateLimited;
  CHECK(HealthWords(view, now) == "rate limited, back in 12 s");
  view.out = HealthView::Out::kKeys;
  view.why = FailureClass::kOutOfMoney;
  CHECK(HealthWords(view, now) ==
        "no usable key: account out of money, back in 12 s");
  view = HealthView();
  view.low = QuotaLow{false, 3, 500, now + absl::Seconds(20)};
  CHECK(HealthWords(view, now) ==
        "nearly used up: 3 of 500 requests left for 20 s");
  CHECK(ShortDuration(absl::Milliseconds(820)) == "820 ms");
  CHECK(ShortDuration(absl::Seconds(2.14)) == "2.1 s");
  CHECK(ShortDuration(absl::Minutes(4)) == "4 min");
}

}  // namespace
}  // namespace llm
