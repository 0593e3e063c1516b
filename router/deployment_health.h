// Everything that is remembered of one deployment.
//
// Threads: None; HealthBoard locks.
#ifndef LLM_ROUTER_DEPLOYMENT_HEALTH_H_
#define LLM_ROUTER_DEPLOYMENT_HEALTH_H_

#include <optional>
#include <vector>

#include "router/breaker.h"
#include "router/health_view.h"
#include "router/key_ring.h"
#include "router/latency_mean.h"
#include "router/quota_watch.h"
#include "router/rest.h"

namespace llm {

// How soon the outcome of another call's trial is looked at again.
inline constexpr absl::Duration kTrialLook = absl::Milliseconds(250);

// What an attempt came to. Its start counts too: a success only clears what
// was held against its deployment and key before it began.
struct HealthReport {
  FailureClass failure = FailureClass::kNone;
  std::optional<absl::Duration> retry_after;
  Instant started;
  Instant now;
  // What the provider said of its limits; may be null.
  const RateLimitFacts* limits = nullptr;
  // It ended at a deadline of the caller's before any content.
  bool at_callers_deadline = false;
};

struct DeploymentHealth {
  Breaker breaker;
  Rest rest;
  LatencyMean latency;
  struct KeyQuota {
    KeyName key = 0;  // 0: none is needed
    QuotaWatch watch;
  };
  std::vector<KeyQuota> quotas;  // only where the provider says something
  int in_flight = 0;
  bool reported = false;
  bool answered = false;  // ever
  bool seen_down = false;
  bool counted = false;  // as troubled, by the board
  Instant last_report;

  // It may be out, now or at some later time, whatever its keys say.
  bool troubled() const { return breaker.tripped() || rest.begun(); }

  // A failure that counts, or a success.
  void Report(const HealthReport& report, double jitter);
  // False where a deadline of the caller's came too soon to say anything.
  bool SilentTooLong(const HealthReport& report) const;
  void Observe(const RateLimitFacts& facts, KeyName key, Instant now);
  void Sent(KeyName key, int64_t tokens);
  // Of one key; nullopt if it has room.
  std::optional<QuotaLow> Low(KeyName key, int64_t tokens, Instant now) const;
  // All but what keys are to say.
  HealthView View(Instant now) const;
  // Nothing would be lost with it.
  bool Forgettable(Instant now) const;
};

}  // namespace llm

#endif  // LLM_ROUTER_DEPLOYMENT_HEALTH_H_
