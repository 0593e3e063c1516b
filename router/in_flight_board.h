// How many attempts are under way at each provider, over all loops and
// configurations: what max_in_flight limits.
//
// Threads:   Any event loop.
// Ownership: The board outlives its leases.
#ifndef LLM_ROUTER_IN_FLIGHT_BOARD_H_
#define LLM_ROUTER_IN_FLIGHT_BOARD_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "adapters/core/mutex.h"

namespace llm {

class InFlightBoard {
 public:
  // One attempt's place; given back when it is destroyed.
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
    InFlightBoard* board_;
    std::string provider_;
  };

  // nullopt: `limit` attempts are under way already.
  std::optional<Lease> Take(std::string_view provider, int limit);
  int InFlight(std::string_view provider) const;

 private:
  void GiveBack(const std::string& provider);

  mutable Mutex mutex_;
  // Only providers that are busy.
  absl::flat_hash_map<std::string, int> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm

#endif  // LLM_ROUTER_IN_FLIGHT_BOARD_H_
