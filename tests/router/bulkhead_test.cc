// max_in_flight, and the line before it: who waits, who goes first, who is
// told to come back.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <deque>
#include <thread>

#include "adapters/core/system_clock.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

namespace asio = boost::asio;

constexpr BulkheadLimits kOne{1, 3, absl::Seconds(40)};

struct LineFixture {
  // Waits as `name`; its end is written down, and a place given back at once.
  void Wait(std::string name, Priority priority,
            asio::cancellation_signal* leave = nullptr,
            Instant deadline = Instant::Never()) {
    if (leave == nullptr) leave = &signals.emplace_back();
    asio::co_spawn(
        io, Stand(std::move(name), priority, deadline),
        asio::bind_cancellation_slot(leave->slot(), [](std::exception_ptr) {}));
    Poll();
  }
  Task<void> Stand(std::string name, Priority priority, Instant deadline) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto got = co_await board.Wait("a", kOne, priority, clock, deadline);
    if (got.ok()) {
      ended.push_back(std::move(name));
    } else {
      ended.push_back(
          name + " " +
          std::string(absl::StatusCodeToString(got.status().code())));
    }
  }
  void Poll() {
    io.restart();
    io.poll();
  }
  void Advance(absl::Duration by) {
    clock.Advance(by);
    Poll();
  }

  // Before the loop, whose handlers use their slots.
  std::deque<asio::cancellation_signal> signals;
  asio::io_context io;
  FakeClock clock;
  InFlightBoard board;
  std::vector<std::string> ended;
};

using Words = std::vector<std::string>;

TEST_CASE_METHOD(LineFixture, "Who waits goes by priority, then by arrival",
                 "[router][bulkhead]") {
  auto busy = board.Take("a", 1);
  REQUIRE(busy);
  Wait("low", Priority::kLow);
  Wait("normal", Priority::kNormal);
  Wait("urgent", Priority::kUrgent);
  CHECK(board.Waiting("a") == 3);
  CHECK(ended.empty());
  // Nobody barges in between.
  busy.reset();
  CHECK_FALSE(board.Take("a", 1));
  Poll();
  CHECK(ended == Words{"urgent", "normal", "low"});
  CHECK(board.InFlight("a") == 0);
  CHECK(board.Waiting("a") == 0);
}

TEST_CASE_METHOD(LineFixture, "Whoever has waited long enough goes first",
                 "[router][bulkhead]") {
  auto busy = board.Take("a", 1);
  Wait("low", Priority::kLow);
  Advance(absl::Seconds(31));  // three quarters of queue_timeout, and some
  Wait("urgent", Priority::kUrgent);
  busy.reset();
  Poll();
  CHECK(ended == Words{"low", "urgent"});
}

TEST_CASE_METHOD(LineFixture, "A full line refuses whoever stands last",
                 "[router][bulkhead]") {
  auto busy = board.Take("a", 1);
  Wait("first", Priority::kNormal);
  Wait("second", Priority::kNormal);
  Wait("low", Priority::kLow);
  Wait("late low", Priority::kLow);
  CHECK(ended == Words{"late low RESOURCE_EXHAUSTED"});
  Wait("high", Priority::kHigh);
  CHECK(ended.back() == "low RESOURCE_EXHAUSTED");
  CHECK(board.Waiting("a") == 3);
  ended.clear();
  busy.reset();
  Poll();
  CHECK(ended == Words{"high", "first", "second"});
}

TEST_CASE_METHOD(LineFixture, "A wait ends with its time, or the caller's",
                 "[router][bulkhead][TMO-2]") {
  const auto busy = board.Take("a", 1);
  Wait("patient", Priority::kNormal);
  Wait("hasty", Priority::kNormal, nullptr,
       clock.Monotonic() + absl::Seconds(1));
  Advance(absl::Seconds(1));
  CHECK(ended == Words{"hasty DEADLINE_EXCEEDED"});
  Advance(absl::Seconds(39));
  CHECK(ended.back() == "patient DEADLINE_EXCEEDED");
  CHECK(board.Waiting("a") == 0);
  CHECK(clock.sleepers() == 0);
}

TEST_CASE_METHOD(LineFixture, "A caller who leaves is out of the line at once",
                 "[router][bulkhead][TMO-2]") {
  auto busy = board.Take("a", 1);
  asio::cancellation_signal leave;
  Wait("leaves", Priority::kUrgent, &leave);
  Wait("stays", Priority::kLow);
  SECTION("before there is a place") {
    leave.emit(asio::cancellation_type::terminal);
    Poll();
    CHECK(ended == Words{"leaves CANCELLED"});
    busy.reset();
    Poll();
    CHECK(ended.back() == "stays");
  }
  SECTION("just as it is given one: nobody's place is lost") {
    busy.reset();
    leave.emit(asio::cancellation_type::terminal);
    Poll();
    CHECK(ended.back() == "stays");
  }
  CHECK(board.InFlight("a") == 0);
}

TEST_CASE_METHOD(LineFixture, "A higher limit lets those in who wait",
                 "[router][bulkhead][OPS-4]") {
  const auto busy = board.Take("a", 1);
  Wait("first", Priority::kNormal);
  const auto more = board.Take("a", 3);
  CHECK(more);
  Poll();
  CHECK(ended == Words{"first"});
}

TEST_CASE("A line across loops loses no wake-up and no place",
          "[router][bulkhead][threads]") {
  constexpr int kLoops = 3;
  constexpr int kCalls = 400;
  const BulkheadLimits limits{2, 2000, absl::Seconds(60)};
  const SystemClock clock;
  InFlightBoard board;
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  std::vector<std::unique_ptr<asio::io_context>> loops;
  for (int i = 0; i < kLoops; ++i) {
    loops.push_back(std::make_unique<asio::io_context>(1));
  }
  const auto one = [&](int i) -> Task<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto priority = static_cast<Priority>(i % 4);
    const auto got =
        co_await board.Wait("a", limits, priority, clock, Instant::Never());
    if (got.ok()) {
      const int now = ++under_way;
      if (now > most) most = now;
      // Gives the loop to others while it holds its place.
      (void)co_await clock.SleepUntil(clock.Monotonic());
      --under_way;
    }
    ++done;
  };
  // Of every fifth the caller leaves at some moment.
  std::vector<std::unique_ptr<asio::cancellation_signal>> leave;
  for (int i = 0; i < kCalls * kLoops; ++i) {
    leave.push_back(std::make_unique<asio::cancellation_signal>());
    asio::io_context& loop = *loops[static_cast<size_t>(i % kLoops)];
    asio::co_spawn(loop, one(i),
                   asio::bind_cancellation_slot(leave.back()->slot(),
                                                [](std::exception_ptr) {}));
    if (i % 5 == 0) {
      asio::post(loop, [signal = leave.back().get()] {
        signal->emit(asio::cancellation_type::terminal);
      });
    }
  }
  std::vector<std::thread> threads;
  for (const auto& loop : loops) {
    threads.emplace_back([&loop] { loop->run(); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done == kCalls * kLoops);
  CHECK(most <= 2);
  CHECK(board.InFlight("a") == 0);
  CHECK(board.Waiting("a") == 0);
}

struct FullFixture : RouterFixture {
  FullFixture() : RouterFixture(Narrow()) {
    a->PlayForever(Answer("from a", 1, 1));
    b->PlayForever(Answer("from b", 1, 1));
  }
  static RouteTable Narrow() {
    RouteTable table = TestTable();
    table.providers["a"].max_in_flight = 1;
    table.providers["a"].queue_timeout = absl::Seconds(20);
    return table;
  }
  // Another loop's call ends after so long.
  void FreeAfter(absl::Duration time) {
    asio::co_spawn(io, Hold(time), asio::detached);
    io.restart();
    io.poll();
  }
  Task<void> Hold(absl::Duration time) {
    const auto place = board().Take("a", 1);
    (void)co_await clock.SleepUntil(clock.Monotonic() + time);
  }
  InFlightBoard& board() { return health.in_flight(); }
};

TEST_CASE_METHOD(FullFixture, "With nobody else left a call waits for a place",
                 "[router][bulkhead]") {
  FreeAfter(absl::Seconds(3));
  const CallResult result = Unary(Ask("alpha", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.attempts() == 1);
  const auto rows = ledger.Rows<RequestRecord>();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].queued == absl::Seconds(3));
  // Waiting is no overhead.
  CHECK(observer.overhead < absl::Seconds(1));
  REQUIRE(observer.queued.size() == 1);
  CHECK(observer.queued[0].provider.value == "a");
  CHECK(observer.queued[0].got_place);
  const auto intents = ledger.Rows<AttemptIntent>();
  CHECK(intents[0].role == AttemptRole::kPrimary);
  CHECK(board().InFlight("a") == 0);
}

TEST_CASE_METHOD(FullFixture, "While another candidate is left nobody waits",
                 "[router][bulkhead]") {
  const auto busy = board().Take("a", 1);
  const CallResult result = Unary(Ask("auto", "hi"));
  CHECK(result.info.provider() == "b");
  CHECK(observer.queued.empty());
}

TEST_CASE_METHOD(FullFixture, "After a failure the full one is worth the wait",
                 "[router][bulkhead]") {
  FreeAfter(absl::Seconds(3));
  ScriptedProvider& second = *b;
  second.Play(Failure(FailureClass::kBadAnswer, 200));
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.provider() == "a");
  const auto records = ledger.Rows<AttemptRecord>();
  REQUIRE(records.size() == 2);
  CHECK(records[0].next == "next_deployment");
  CHECK(records[1].intent.role == AttemptRole::kFallback);
}

TEST_CASE_METHOD(FullFixture,
                 "A wait in vain is overloaded, or the caller's end",
                 "[router][bulkhead][ERR-2]") {
  const auto busy = board().Take("a", 1);
  SECTION("the line's time is over") {
    const CallResult result = Unary(Ask("alpha", "hi"));
    CHECK(CodeOf(result) == "overloaded");
    CHECK(CallErrorHttpStatus(result.status) == 503);
    CHECK(CallErrorDetail(result.status).retry_after_s() >= 1);
    CHECK(clock.Monotonic() - context.received == absl::Seconds(20));
  }
  SECTION("the caller's deadline passes") {
    context.deadline = clock.Monotonic() + absl::Seconds(2);
    const CallResult result = Unary(Ask("alpha", "hi"));
    CHECK(CodeOf(result) == "timeout");
    CHECK(CallErrorDetail(result.status).message().find("x-llm-timeout") !=
          std::string::npos);
    CHECK(clock.Monotonic() - context.received == absl::Seconds(2));
  }
  SECTION("the caller leaves") {
    const CallResult result = Cancelled(
        Ask("alpha", "hi"), nullptr, [&] { return board().Waiting("a") == 1; });
    CHECK(CodeOf(result) == "client_cancelled");
  }
  CHECK(board().Waiting("a") == 0);
  CHECK(a->calls().empty());
  CHECK(ledger.Rows<AttemptIntent>().empty());
  CHECK(ledger.Rows<RequestRecord>().size() == 1);
}

TEST_CASE_METHOD(FullFixture, "The request's own word on priority wins",
                 "[router][bulkhead]") {
  v1::ChatCompletionRequest request = Ask("alpha", "hi");
  request.set_priority("soonish");
  const CallResult result = Unary(request);
  CHECK(CodeOf(result) == "invalid_request");
  CHECK(CallErrorDetail(result.status).param() == "priority");
  CHECK(CallErrorDetail(result.status).message() ==
        "priority must be low, normal, high or urgent");
  for (const char* word : {"", "low", "normal", "high", "urgent"}) {
    request.set_priority(word);
    CHECK_THAT(Unary(request).status, IsOk());
  }
}

}  // namespace
}  // namespace llm
