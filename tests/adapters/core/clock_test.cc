// Both clocks keep the same promises; the fake one stands still.
#include "adapters/core/clock.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "adapters/core/system_clock.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

namespace asio = boost::asio;

// What became of one sleep.
struct Nap {
  bool ended = false;
  absl::Status status;
  asio::cancellation_signal cancel;
};

Task<void> Sleep(const Clock& clock, Instant when, Nap& nap) {
  nap.status = co_await clock.SleepUntil(when);
  nap.ended = true;
}

void Start(asio::io_context& io, const Clock& clock, Instant when, Nap& nap) {
  asio::co_spawn(io, Sleep(clock, when, nap),
                 asio::bind_cancellation_slot(nap.cancel.slot(),
                                              [](std::exception_ptr) {}));
}

void Poll(asio::io_context& io) {
  io.restart();
  io.poll();
}

Task<absl::Status> SleepFor(const Clock& clock, absl::Duration wait) {
  co_return co_await clock.SleepUntil(clock.Monotonic() + wait);
}

TEST_CASE("A sleeper wakes when the clock reaches its time and not before",
          "[support][clock]") {
  FakeClock clock;
  asio::io_context io;
  Nap nap;
  Start(io, clock, clock.Monotonic() + absl::Seconds(5), nap);
  Poll(io);
  CHECK(clock.sleepers() == 1);
  clock.Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  Poll(io);
  CHECK_FALSE(nap.ended);
  clock.Advance(absl::Nanoseconds(1));
  CHECK_FALSE(nap.ended);
  Poll(io);
  CHECK(nap.ended);
  CHECK_THAT(nap.status, IsOk());
  CHECK(clock.sleepers() == 0);
}

TEST_CASE("Advancing moves both times alike", "[support][clock]") {
  FakeClock clock(absl::FromUnixSeconds(1000));
  const Instant start = clock.Monotonic();
  clock.Advance(absl::Minutes(3));
  CHECK(clock.Monotonic() - start == absl::Minutes(3));
  CHECK(clock.WallNow() == absl::FromUnixSeconds(1180));
  clock.SetWall(absl::FromUnixSeconds(5));
  CHECK(clock.WallNow() == absl::FromUnixSeconds(5));
  CHECK(clock.Monotonic() - start == absl::Minutes(3));
}

TEST_CASE("A cancelled sleep ends as cancelled", "[support][clock]") {
  FakeClock fake;
  SystemClock real;
  const Clock* const clock = GENERATE_REF(static_cast<const Clock*>(&fake),
                                          static_cast<const Clock*>(&real));
  asio::io_context io;
  Nap nap;
  Start(io, *clock, Instant::Never(), nap);
  Poll(io);
  CHECK_FALSE(nap.ended);
  nap.cancel.emit(asio::cancellation_type::terminal);
  Poll(io);
  CHECK(nap.ended);
  CHECK_THAT(nap.status, HasCode(absl::StatusCode::kCancelled));
  CHECK(fake.sleepers() == 0);
}

Task<absl::Status> SleepAfterCancel(const Clock& clock) {
  co_await asio::this_coro::throw_if_cancelled(false);
  FakeClock other;
  // Ends by the cancellation; the second sleep then begins cancelled.
  static_cast<void>(co_await other.SleepUntil(Instant::Never()));
  co_return co_await clock.SleepUntil(Instant::Never());
}

TEST_CASE("A sleep of a task that is cancelled already ends at once",
          "[support][clock]") {
  FakeClock fake;
  SystemClock real;
  const Clock* const clock = GENERATE_REF(static_cast<const Clock*>(&fake),
                                          static_cast<const Clock*>(&real));
  asio::io_context io;
  asio::cancellation_signal cancel;
  std::exception_ptr error;
  absl::Status status;
  asio::co_spawn(io, SleepAfterCancel(*clock),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr e, absl::Status s) {
                       error = e;
                       status = s;
                     }));
  Poll(io);
  cancel.emit(asio::cancellation_type::terminal);
  Poll(io);
  CHECK(error == nullptr);
  CHECK_THAT(status, HasCode(absl::StatusCode::kCancelled));
}

TEST_CASE("A time that has come does not wait", "[support][clock]") {
  FakeClock fake;
  SystemClock real;
  asio::io_context io;
  CHECK_THAT(RunTask(io, fake.SleepUntil(fake.Monotonic())), IsOk());
  CHECK_THAT(RunTask(io, fake.SleepUntil(Instant{})), IsOk());
  CHECK_THAT(RunTask(io, real.SleepUntil(Instant{})), IsOk());
}

TEST_CASE("Sleepers wake in the order of their times", "[support][clock]") {
  FakeClock clock;
  asio::io_context io;
  std::vector<int> order;
  const auto sleeper = [](const FakeClock& c, int s,
                          std::vector<int>& out) -> Task<void> {
    static_cast<void>(co_await SleepFor(c, absl::Seconds(s)));
    out.push_back(s);
  };
  for (const int seconds : {3, 1, 2}) {
    asio::co_spawn(io, sleeper(clock, seconds, order),
                   [](std::exception_ptr) {});
  }
  Poll(io);
  clock.Advance(absl::Seconds(10));
  Poll(io);
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("A loop may go while a sleeper waits", "[support][clock]") {
  FakeClock clock;
  Nap nap;
  {
    asio::io_context io;
    Start(io, clock, clock.Monotonic() + absl::Seconds(1), nap);
    Poll(io);
    CHECK(clock.sleepers() == 1);
    SECTION("with its wake-up on the way") { clock.Advance(absl::Hours(1)); }
    SECTION("without a wake-up") {}
  }
  CHECK(clock.sleepers() == 0);
  clock.Advance(absl::Hours(2));
  CHECK_FALSE(nap.ended);
}

Task<int> ThreeNaps(const FakeClock& clock) {
  int naps = 0;
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = co_await SleepFor(clock, absl::Hours(1));
    if (status.ok()) ++naps;
  }
  co_return naps;
}

TEST_CASE("A task that only sleeps runs through in no time",
          "[support][clock]") {
  FakeClock clock;
  const Instant start = clock.Monotonic();
  asio::io_context io;
  CHECK(RunTask(io, clock, ThreeNaps(clock)) == 3);
  CHECK(clock.Monotonic() - start == absl::Hours(3));
}

Task<std::unique_ptr<int>> Made() { co_return std::make_unique<int>(7); }
Task<void> Throws() {
  throw std::runtime_error("thrown");
  co_return;
}

TEST_CASE("RunTask gives the value or the exception of its task",
          "[support][clock]") {
  asio::io_context io;
  CHECK(*RunTask(io, Made()) == 7);
  CHECK_THROWS_WITH(RunTask(io, Throws()), "thrown");
  FakeClock clock;
  CHECK_THROWS_AS(RunTask(io, clock, clock.SleepUntil(Instant::Never())),
                  std::logic_error);
}

TEST_CASE("Instants order and never is last", "[adapters][core][clock]") {
  const Instant early{absl::Seconds(1)};
  const Instant late = early + absl::Seconds(1);
  CHECK(early < late);
  CHECK(late > early);
  CHECK(early <= early);
  CHECK(late >= early);
  CHECK(late < Instant::Never());
  CHECK(late - early == absl::Seconds(1));
  CHECK(Instant::Never() + absl::Hours(1) == Instant::Never());
}

}  // namespace
}  // namespace llm
