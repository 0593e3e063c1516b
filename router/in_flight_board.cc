#include "router/in_flight_board.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "adapters/core/text.h"
#include "router/wakeup.h"

namespace llm {

namespace asio = boost::asio;

struct InFlightBoard::Waiter {
  enum class State { kOutside, kInLine, kGranted, kDisplaced };
  Waiter(const asio::any_io_executor& loop, std::string_view to)
      : wakeup(loop), provider(to) {}
  const Wakeup wakeup;
  const std::string provider;
  // Of the board's mutex.
  State state = State::kOutside;
  Rank rank;
};

// A waiter's stay in the line. However its coroutine ends, it leaves, and a
// place that was handed to it meanwhile goes on to the next.
class InFlightBoard::Ticket {
 public:
  Ticket(InFlightBoard& board, std::shared_ptr<Waiter> waiter)
      : board_(board), waiter_(std::move(waiter)) {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    if (Close() == Waiter::State::kGranted) board_.GiveBack(waiter_->provider);
  }

  // What the wait came to; the place, if there is one, is the caller's now.
  Waiter::State Close() {
    const MutexLock lock(board_.mutex_);
    const Waiter::State state =
        std::exchange(waiter_->state, Waiter::State::kOutside);
    if (state == Waiter::State::kInLine) {
      board_.entries_[waiter_->provider].line.erase(waiter_->rank);
      board_.ForgetIfIdle(waiter_->provider);
    }
    return state;
  }

 private:
  InFlightBoard& board_;
  const std::shared_ptr<Waiter> waiter_;
};

std::optional<InFlightBoard::Lease> InFlightBoard::Take(
    std::string_view provider, int limit) {
  const MutexLock lock(mutex_);
  Entry& entry = entries_[ToAbsl(provider)];
  entry.limit = limit;
  Grant(entry);
  if (entry.count >= limit || !entry.line.empty()) return std::nullopt;
  ++entry.count;
  return Lease(this, provider);
}

void InFlightBoard::Grant(Entry& entry) {
  while (entry.count < entry.limit && !entry.line.empty()) {
    const std::shared_ptr<Waiter> next = entry.line.begin()->second;
    entry.line.erase(entry.line.begin());
    ++entry.count;
    next->state = Waiter::State::kGranted;
    next->wakeup.Wake();
  }
}

void InFlightBoard::ForgetIfIdle(const std::string& provider) {
  const auto it = entries_.find(provider);
  if (it == entries_.end()) return;
  if (it->second.count <= 0 && it->second.line.empty()) entries_.erase(it);
}

void InFlightBoard::GiveBack(const std::string& provider) {
  const MutexLock lock(mutex_);
  const auto it = entries_.find(provider);
  if (it == entries_.end()) return;
  --it->second.count;
  Grant(it->second);
  ForgetIfIdle(provider);
}

bool InFlightBoard::Enqueue(const std::shared_ptr<Waiter>& waiter,
                            const BulkheadLimits& limits, Priority priority,
                            Instant now) {
  const MutexLock lock(mutex_);
  Entry& entry = entries_[waiter->provider];
  entry.limit = limits.max_in_flight;
  waiter->rank = {
      now.since_epoch - static_cast<int>(priority) * limits.queue_timeout / 4,
      ++arrivals_};
  const auto waiting = static_cast<int>(entry.line.size());
  // A place may have become free since the caller looked.
  const bool free = entry.count < entry.limit && waiting == 0;
  if (!free && waiting >= limits.max_queue) {
    if (waiting == 0) return false;
    const auto last = std::prev(entry.line.end());
    if (last->first < waiter->rank) return false;
    last->second->state = Waiter::State::kDisplaced;
    last->second->wakeup.Wake();
    entry.line.erase(last);
  }
  waiter->state = Waiter::State::kInLine;
  entry.line.emplace(waiter->rank, waiter);
  Grant(entry);
  return true;
}

bool InFlightBoard::StillWaits(const Waiter& waiter) const {
  const MutexLock lock(mutex_);
  return waiter.state == Waiter::State::kInLine;
}

Task<absl::StatusOr<InFlightBoard::Lease>> InFlightBoard::Wait(
    std::string_view provider, const BulkheadLimits& limits, Priority priority,
    const Clock& clock, Instant deadline) {
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(loop, provider);
  Ticket ticket(*this, waiter);
  const Instant now = clock.Monotonic();
  if (!Enqueue(waiter, limits, priority, now)) {
    co_return absl::ResourceExhaustedError("the line is full");
  }
  const Instant until = std::min(deadline, now + limits.queue_timeout);
  absl::Status waited;
  while (waited.ok() && StillWaits(*waiter)) {
    waited = co_await waiter->wakeup.Wait(clock, until);
  }
  switch (ticket.Close()) {
    case Waiter::State::kGranted:
      co_return Lease(this, provider);
    case Waiter::State::kDisplaced:
      co_return absl::ResourceExhaustedError("others were more urgent");
    default:
      co_return waited;
  }
}

int InFlightBoard::InFlight(std::string_view provider) const {
  const MutexLock lock(mutex_);
  const auto it = entries_.find(ToAbsl(provider));
  return it == entries_.end() ? 0 : it->second.count;
}

int InFlightBoard::Waiting(std::string_view provider) const {
  const MutexLock lock(mutex_);
  const auto it = entries_.find(ToAbsl(provider));
  return it == entries_.end() ? 0 : static_cast<int>(it->second.line.size());
}

}  // namespace llm
