#include "tests/support/fake_clock.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <utility>
#include <vector>

#include "adapters/core/mutex.h"

namespace llm {

namespace asio = boost::asio;

namespace {

// One wait. Its timer never fires by itself; Advance cancels it on its own
// loop, and `due` tells that from a cancelled task.
struct Sleeper {
  Sleeper(const asio::any_io_executor& executor, Instant at)
      : timer(executor, asio::steady_timer::time_point::max()), when(at) {}
  asio::steady_timer timer;  // touched on its loop only
  const Instant when;
  bool due = false;  // written and read on its loop only
};

}  // namespace

struct FakeClock::State {
  Mutex mutex;
  absl::Time wall ABSL_GUARDED_BY(mutex);
  Instant now ABSL_GUARDED_BY(mutex) = {absl::Hours(1)};
  std::list<std::shared_ptr<Sleeper>> sleepers ABSL_GUARDED_BY(mutex);
};

FakeClock::FakeClock(absl::Time wall) : state_(std::make_shared<State>()) {
  MutexLock lock(state_->mutex);
  state_->wall = wall;
}

FakeClock::~FakeClock() = default;

absl::Time FakeClock::WallNow() const {
  MutexLock lock(state_->mutex);
  return state_->wall;
}

Instant FakeClock::Monotonic() const {
  MutexLock lock(state_->mutex);
  return state_->now;
}

// Takes a sleeper off the list when its wait ends, also when the loop is torn
// down around it: no timer may outlive its loop.
class FakeClock::Registration {
 public:
  Registration(std::shared_ptr<State> state, std::shared_ptr<Sleeper> sleeper)
      : state_(std::move(state)), sleeper_(std::move(sleeper)) {}
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() {
    MutexLock lock(state_->mutex);
    state_->sleepers.remove(sleeper_);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Sleeper> sleeper_;
};

Task<absl::Status> FakeClock::SleepUntil(Instant when) const {
  const std::shared_ptr<State> state = state_;
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return absl::CancelledError("cancelled while waiting");
  }
  // Shared with Advance, which posts it to this loop: the post may run after
  // this coroutine is gone.
  const auto sleeper =
      std::make_shared<Sleeper>(co_await asio::this_coro::executor, when);
  {
    MutexLock lock(state->mutex);
    if (when <= state->now) co_return absl::OkStatus();
    state->sleepers.push_back(sleeper);
  }
  const Registration registration(state, sleeper);
  co_await sleeper->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return sleeper->due ? absl::OkStatus()
                         : absl::CancelledError("cancelled while waiting");
}

void FakeClock::Advance(absl::Duration by) {
  std::vector<std::shared_ptr<Sleeper>> due;
  {
    MutexLock lock(state_->mutex);
    state_->wall += by;
    state_->now = state_->now + by;
    for (auto it = state_->sleepers.begin(); it != state_->sleepers.end();) {
      if ((*it)->when <= state_->now) {
        due.push_back(*it);
        it = state_->sleepers.erase(it);
      } else {
        ++it;
      }
    }
  }
  std::sort(due.begin(), due.end(),
            [](const auto& a, const auto& b) { return a->when < b->when; });
  for (const auto& sleeper : due) {
    asio::post(sleeper->timer.get_executor(), [sleeper] {
      sleeper->due = true;
      sleeper->timer.cancel();
    });
  }
}

bool FakeClock::AdvanceToNextSleeper() {
  absl::Duration wait = absl::InfiniteDuration();
  {
    MutexLock lock(state_->mutex);
    for (const auto& sleeper : state_->sleepers) {
      wait = std::min(wait, sleeper->when - state_->now);
    }
  }
  if (wait == absl::InfiniteDuration()) return false;
  Advance(wait);
  return true;
}

void FakeClock::SetWall(absl::Time wall) {
  MutexLock lock(state_->mutex);
  state_->wall = wall;
}

size_t FakeClock::sleepers() const {
  MutexLock lock(state_->mutex);
  return state_->sleepers.size();
}

}  // namespace llm
