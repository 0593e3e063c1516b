// What recent attempts said about each deployment and key: cooldowns now,
// breakers and latency with the next issue. Shared by all loops and
// configurations, keyed by "provider/upstream" and by provider and key index.
//
// Threads: Any event loop.
#ifndef LLM_ROUTER_HEALTH_BOARD_H_
#define LLM_ROUTER_HEALTH_BOARD_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "adapters/core/failure.h"
#include "adapters/core/mutex.h"
#include "router/in_flight_board.h"

namespace llm {

enum class HealthState { kUnknown, kHealthy, kDegraded, kUnavailable };
std::string_view HealthStateName(HealthState state);

class HealthBoard {
 public:
  // Every attempt reports, not only the first. Cancelled ones do not count.
  void Report(std::string_view deployment, FailureClass failure,
              std::optional<absl::Duration> retry_after, Instant now);
  HealthState State(std::string_view deployment, Instant now) const;
  // When a cooling deployment may be tried again; nullopt if it may now.
  std::optional<Instant> CoolingUntil(std::string_view deployment,
                                      Instant now) const;

  // Keys of a provider, by index: one that was refused, rate limited or is out
  // of money is set aside for a while. Returns the key to use now, spread
  // evenly, never `avoid` while there is another; if all are set aside, the
  // one that comes back first; -1 if the provider has no keys.
  int PickKey(std::string_view provider, int key_count, int avoid, Instant now);
  // When the first of a provider's keys comes back; nullopt if one is usable
  // now or none is needed.
  std::optional<Instant> KeysOutUntil(std::string_view provider, int key_count,
                                      Instant now) const;
  void ReportKey(std::string_view provider, int key, FailureClass failure,
                 Instant now);

  // Attempts under way, for max_in_flight.
  InFlightBoard& in_flight() { return in_flight_; }

 private:
  struct Entry {
    Instant cooling_until;
    int consecutive_failures = 0;
    bool any_success = false;
    bool any_failure = false;
  };
  InFlightBoard in_flight_;
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> deployments_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Instant> keys_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, uint64_t> turns_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm

#endif  // LLM_ROUTER_HEALTH_BOARD_H_
