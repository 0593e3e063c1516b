// How many attempts are under way at each provider, over all loops and
// configurations, and who waits for a place: what max_in_flight, max_queue and
// queue_timeout bound, so that one hung provider holds its own callers only.
//
// Order:     Waiters go by priority, then by arrival, and waiting counts: each
//            quarter of queue_timeout lifts a waiter by one priority. So one
//            of low priority that has waited three quarters of its time is
//            ahead of every urgent one that comes after, and starves never.
//            A newcomer never overtakes whoever waits at its own level.
// Bounds:    A full line refuses whoever stands last in it: the newcomer, or
//            a waiter of less priority, whom the newcomer displaces.
// Decision:  2026-11-26, a line per provider, not one for all: a hung
//            provider's callers wait for it and hold up nobody else. Downside:
//            of several full candidates a call waits for the first only,
//            unless that one's line is full too.
// Threads:   Any event loop; a waiter resumes on its own. A free place is
//            handed over, so no wake-up is lost and nobody barges in between.
// Ownership: The board outlives its leases and waits.
#ifndef LLM_ROUTER_IN_FLIGHT_BOARD_H_
#define LLM_ROUTER_IN_FLIGHT_BOARD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "adapters/core/clock.h"
#include "adapters/core/mutex.h"
#include "adapters/core/task.h"
#include "router/priority.h"

namespace llm {

// Of a provider, from its settings.
struct BulkheadLimits {
  int max_in_flight = 500;
  int max_queue = 500;
  absl::Duration queue_timeout = absl::Seconds(30);
};

class InFlightBoard {
 public:
  // One attempt's place; given back, or on to a waiter, when it is destroyed.
  class Lease {
   public:
    Lease(Lease&& from) noexcept
        : board_(std::exchange(from.board_, nullptr)),
          provider_(std::move(from.provider_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (board_ != nullptr) board_->GiveBack(provider_);
    }

   private:
    friend class InFlightBoard;
    Lease(InFlightBoard* board, std::string_view provider)
        : board_(board), provider_(provider) {}
    InFlightBoard* board_ = nullptr;
    std::string provider_;
  };

  // nullopt: `limit` attempts are under way already, or others wait.
  std::optional<Lease> Take(std::string_view provider, int limit);
  // Waits for a place: until `deadline` or for queue_timeout at most.
  // kResourceExhausted where the line is full, kDeadlineExceeded, kCancelled.
  // `provider` and `clock` outlive the wait.
  Task<absl::StatusOr<Lease>> Wait(std::string_view provider,
                                   const BulkheadLimits& limits,
                                   Priority priority, const Clock& clock,
                                   Instant deadline);
  int InFlight(std::string_view provider) const;
  int Waiting(std::string_view provider) const;

 private:
  struct Waiter;
  class Ticket;
  // Whose turn it is first: the arrival, less what the priority is worth.
  struct Rank {
    absl::Duration turn;
    uint64_t arrival = 0;
    friend bool operator<(const Rank& a, const Rank& b) {
      return a.turn != b.turn ? a.turn < b.turn : a.arrival < b.arrival;
    }
  };
  struct Entry {
    int count = 0;
    // As last said: a reload may change it.
    int limit = 0;
    std::map<Rank, std::shared_ptr<Waiter>> line;
  };

  void GiveBack(const std::string& provider);
  // Places that are free go to those who wait.
  static void Grant(Entry& entry);
  // False: the line is full, and nobody in it ranks behind.
  bool Enqueue(const std::shared_ptr<Waiter>& waiter,
               const BulkheadLimits& limits, Priority priority, Instant now);
  bool StillWaits(const Waiter& waiter) const;
  void ForgetIfIdle(const std::string& provider)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  // Only providers that are busy.
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  uint64_t arrivals_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace llm

#endif  // LLM_ROUTER_IN_FLIGHT_BOARD_H_
