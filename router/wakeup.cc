#include "router/wakeup.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace llm {

namespace asio = boost::asio;

struct Wakeup::State {
  explicit State(asio::any_io_executor executor) : loop(std::move(executor)) {}
  const asio::any_io_executor loop;
  // One wake-up on its way stands for all that come before it arrives.
  std::atomic<bool> posted{false};

  // The loop's. The timer never fires by itself: it is cancelled to wake. It
  // lives as long as a wait does: whoever may wake can outlive the loop, and a
  // timer must not.
  std::optional<asio::steady_timer> event;
  bool woken = false;

  void Cancel() {
    if (event) event->cancel();
  }
};

namespace {

// Ends a wait's timer with the wait's frame, however that ends.
class TimerOfWait {
 public:
  TimerOfWait(std::optional<asio::steady_timer>& timer,
              const asio::any_io_executor& loop)
      : timer_(timer) {
    timer_.emplace(loop);
  }
  ~TimerOfWait() { timer_.reset(); }
  TimerOfWait(const TimerOfWait&) = delete;
  TimerOfWait& operator=(const TimerOfWait&) = delete;

 private:
  std::optional<asio::steady_timer>& timer_;
};

}  // namespace

// The wait's end by the clock, beside it on the same loop.
struct Wakeup::Sleep {
  asio::cancellation_signal stop;
  bool over = false;
};

Wakeup::Wakeup(asio::any_io_executor loop)
    : state_(std::make_shared<State>(std::move(loop))) {}

void Wakeup::Wake() const {
  if (state_->posted.exchange(true)) return;
  asio::post(state_->loop, [state = state_] {
    state->posted = false;
    state->woken = true;
    state->Cancel();
  });
}

std::shared_ptr<Wakeup::Sleep> Wakeup::StartSleep(
    const std::shared_ptr<State>& state, const Clock& clock, Instant until) {
  auto sleep = std::make_shared<Sleep>();
  if (until == Instant::Never()) return sleep;
  asio::co_spawn(
      state->loop, clock.SleepUntil(until),
      asio::bind_cancellation_slot(
          sleep->stop.slot(),
          [state, sleep](const std::exception_ptr& error, absl::Status slept) {
            // The signal must outlive this handler's slot.
            asio::post(state->loop, [sleep] {});
            // A throw is a cancellation from before the sleep began.
            if (error != nullptr || !slept.ok()) return;
            sleep->over = true;
            state->Cancel();
          }));
  return sleep;
}

Task<absl::Status> Wakeup::Wait(const Clock& clock, Instant until) const {
  const std::shared_ptr<State> state = state_;
  const TimerOfWait timer(state->event, state->loop);
  std::shared_ptr<Sleep> sleep;
  bool cancelled = false;
  while (!state->woken) {
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    cancelled = cancellation.cancelled() != asio::cancellation_type::none;
    if (cancelled || (sleep != nullptr && sleep->over)) break;
    if (sleep == nullptr) sleep = StartSleep(state, clock, until);
    state->event->expires_at(asio::steady_timer::time_point::max());
    co_await state->event->async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (sleep != nullptr && !sleep->over) {
    sleep->stop.emit(asio::cancellation_type::terminal);
  }
  if (std::exchange(state->woken, false)) co_return absl::OkStatus();
  if (cancelled) co_return absl::CancelledError("the wait was cancelled");
  co_return absl::DeadlineExceededError("the wait's time is over");
}

}  // namespace llm
