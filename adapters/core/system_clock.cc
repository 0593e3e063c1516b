#include "adapters/core/system_clock.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "absl/time/clock.h"

namespace llm {

namespace asio = boost::asio;

absl::Time SystemClock::WallNow() const { return absl::Now(); }

Instant SystemClock::Monotonic() const {
  return {
      absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch())};
}

Task<absl::Status> SystemClock::SleepUntil(Instant when) const {
  // Asio would throw from the wait of a task that is cancelled already.
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return absl::CancelledError("cancelled while waiting");
  }
  asio::steady_timer timer(co_await asio::this_coro::executor);
  // A century stands for never: far enough, and safe from overflow.
  const absl::Duration wait =
      std::min(when - Monotonic(), absl::Hours(24 * 36500));
  timer.expires_after(absl::ToChronoNanoseconds(wait));
  auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return error ? absl::CancelledError("cancelled while waiting")
                  : absl::OkStatus();
}

}  // namespace llm
