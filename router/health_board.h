// What recent attempts said about each deployment and key: cooldowns now,
// breakers and latency with the next issue. Shared by all loops and
// configurations, keyed by "provider/upstream" and by provider and key. Keys
// are known by a digest, so a key that a reload swaps in starts afresh.
//
// Threads: Any event loop.
#ifndef LLM_ROUTER_HEALTH_BOARD_H_
#define LLM_ROUTER_HEALTH_BOARD_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/core/clock.h"
#include "adapters/core/failure.h"
#include "adapters/core/ids.h"
#include "adapters/core/mutex.h"
#include "router/digest.h"
#include "router/in_flight_board.h"

namespace llm {

enum class HealthState { kUnknown, kHealthy, kDegraded, kUnavailable };
std::string_view HealthStateName(HealthState state);

// What an attempt came to. Its start counts too: a success only clears what
// was held against its deployment and key before it began.
struct HealthReport {
  FailureClass failure = FailureClass::kNone;
  std::optional<absl::Duration> retry_after;
  Instant started;
  Instant now;
};

class HealthBoard {
 public:
  // Every attempt reports, not only the first. Cancelled ones do not count.
  void Report(std::string_view deployment, const HealthReport& report);
  HealthState State(std::string_view deployment, Instant now) const;
  // When a cooling deployment may be tried again; nullopt if it may now.
  std::optional<Instant> CoolingUntil(std::string_view deployment,
                                      Instant now) const;

  // Keys of a provider: one that was refused, rate limited or is out of money
  // is set aside for a while. Returns the index of the key to use now, spread
  // evenly, never `avoid` while there is another; if all are set aside, the
  // one that comes back first; -1 if the provider has no keys.
  int PickKey(std::string_view provider, absl::Span<const ApiKey> keys,
              int avoid, Instant now);
  // Whether a key other than `avoid` is not set aside.
  bool HasUsableKey(std::string_view provider, absl::Span<const ApiKey> keys,
                    int avoid, Instant now) const;
  // When the first of a provider's keys comes back; nullopt if one is usable
  // now or none is needed.
  std::optional<Instant> KeysOutUntil(std::string_view provider,
                                      absl::Span<const ApiKey> keys,
                                      Instant now) const;
  void ReportKey(std::string_view provider, const ApiKey& key,
                 const HealthReport& report);

  // Attempts under way, for max_in_flight.
  InFlightBoard& in_flight() { return in_flight_; }

 private:
  struct Entry {
    Instant cooling_until;
    Instant last_failure;
    int consecutive_failures = 0;
  };
  struct KeyEntry {
    Instant until;
    Instant set_at;
  };
  bool MayAdd(std::string_view deployment, Instant now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When the key comes back; nullopt if it is usable.
  std::optional<Instant> KeyOutUntil(std::string_view provider,
                                     const ApiKey& key, Instant now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  InFlightBoard in_flight_;
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> deployments_ ABSL_GUARDED_BY(mutex_);
  // Only keys that were set aside.
  absl::flat_hash_map<Digest, KeyEntry> keys_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, uint64_t> turns_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm

#endif  // LLM_ROUTER_HEALTH_BOARD_H_
