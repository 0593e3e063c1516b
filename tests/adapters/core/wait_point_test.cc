#include "adapters/core/wait_point.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>

namespace llm {
namespace {

namespace asio = boost::asio;

struct Waiter {
  WaitPoint point;
  int rounds = 0;
  int cancels = 0;
};

Task<void> WaitThrice(std::shared_ptr<Waiter> waiter) {
  for (int i = 0; i < 3; ++i) {
    co_await waiter->point.Wait();
    ++waiter->rounds;
  }
}

TEST_CASE("Who waits goes on inside Wake, and may wait again there",
          "[adapters][core][wait_point]") {
  asio::io_context loop;
  const auto waiter = std::make_shared<Waiter>();
  waiter->point.Wake();  // nobody is there, and nobody remembers
  asio::co_spawn(loop, WaitThrice(waiter), asio::detached);
  loop.poll();
  CHECK(waiter->point.waiting());
  CHECK(waiter->rounds == 0);
  for (int i = 1; i <= 3; ++i) {
    waiter->point.Wake();
    CHECK(waiter->rounds == i);
  }
  CHECK_FALSE(waiter->point.waiting());
  waiter->point.Wake();
  CHECK(waiter->rounds == 3);
}

Task<void> WaitForCancel(Waiter* waiter) {
  // By a name of its own: GCC 12 destroys a temporary twice in a co_await.
  Task<void> wait = waiter->point.Wait([waiter] { ++waiter->cancels; });
  co_await std::move(wait);
  ++waiter->rounds;
}

TEST_CASE("A cancellation is only told; Wake ends the wait",
          "[adapters][core][wait_point]") {
  asio::io_context loop;
  asio::cancellation_signal signal;
  Waiter waiter;
  asio::co_spawn(loop, WaitForCancel(&waiter),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  loop.poll();
  signal.emit(asio::cancellation_type::terminal);
  loop.poll();
  CHECK(waiter.cancels == 1);
  CHECK(waiter.rounds == 0);
  waiter.point.Wake();
  CHECK(waiter.rounds == 1);
}

TEST_CASE("A loop that goes takes along who waits on it, and whom that holds",
          "[adapters][core][wait_point]") {
  std::optional<asio::io_context> loop(std::in_place);
  std::weak_ptr<Waiter> seen;
  for (int i = 0; i < 3; ++i) {
    auto waiter = std::make_shared<Waiter>();
    seen = waiter;
    asio::co_spawn(*loop, WaitThrice(std::move(waiter)), asio::detached);
  }
  loop->poll();
  REQUIRE_FALSE(seen.expired());
  loop.reset();
  CHECK(seen.expired());
}

}  // namespace
}  // namespace llm
