// What is known of one deployment at one moment, copied out of the board: for
// choosing, for the words of a reason, for readiness and metrics.
//
// Plain values.
#ifndef LLM_ROUTER_HEALTH_VIEW_H_
#define LLM_ROUTER_HEALTH_VIEW_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/core/clock.h"
#include "adapters/core/failure.h"
#include "adapters/core/ids.h"
#include "router/breaker.h"
#include "router/quota_watch.h"

namespace llm {

enum class HealthState { kUnknown, kHealthy, kDegraded, kUnavailable };
std::string_view HealthStateName(HealthState state);

// Who is looked at: a deployment, its provider and that provider's keys.
struct HealthSubject {
  std::string_view deployment;
  std::string_view provider;
  absl::Span<const ApiKey> keys;
  // HealthBoard::HashOf(deployment), where it is known; 0: not.
  size_t hash = 0;
};

struct HealthView {
  HealthState state = HealthState::kUnknown;
  BreakerState breaker = BreakerState::kClosed;
  // Why it may not be asked now, if it may not.
  enum class Out {
    kNo,
    kOpen,   // it failed
    kTrial,  // half-open, and another call is trying it
    kRest,   // the provider asked for a rest
    kKeys,   // no key of its provider is usable
  };
  Out out = Out::kNo;
  FailureClass why = FailureClass::kNone;
  // If out: when it may be asked again. Of a trial: when to look again.
  Instant back_at;
  // Half-open, and the next call is the one to try it.
  bool trial_due = false;
  // Open, and a call with nobody else to ask is trying it all the same.
  bool early_trial = false;
  // Failures in a row, or those among the last `of` attempts if of > 0.
  int failures = 0;
  int of = 0;
  // Nearly used up with every key that could be used.
  std::optional<QuotaLow> low;
  // To the first content; nullopt while nobody has measured it.
  std::optional<absl::Duration> latency;
  int in_flight = 0;
  // When an attempt at it last ended; the epoch if never.
  Instant last_report;
  // A look found its provider down while there was no traffic.
  bool seen_down = false;

  bool ready() const { return out == Out::kNo; }
  // Time alone brings it back: an account's trouble needs a person.
  bool time_heals() const {
    return out != Out::kKeys || why == FailureClass::kRateLimited;
  }
};

// A provider's keys at one moment, for metrics and readiness.
struct KeyPool {
  int keys = 0;
  // Set aside, by reason: bad_key, out_of_money, rate_limited.
  std::vector<std::pair<FailureClass, int>> out;
};

// For an operator: "open after 5 failures (server_error), back in 12 s".
// Empty if it is ready and not low.
std::string HealthWords(const HealthView& view, Instant now);

// "0.8 s", "120 ms", "3 min".
std::string ShortDuration(absl::Duration duration);

}  // namespace llm

#endif  // LLM_ROUTER_HEALTH_VIEW_H_
