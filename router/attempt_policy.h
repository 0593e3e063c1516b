// What to do next: the loop asks, this answers. One object per call; it
// counts attempts, keeps who was tried, and never sends more than
// policy.max_attempts.
//
// Order: the plan's targets in turn. A target is repeated at once where
// ClassifyFailure says so (after a wait), with another key where that may
// help, and once more at the end where only time was missing (rate limits,
// cut streams) and no other target is left.
//
// Threads: The call's event loop.
#ifndef LLM_ROUTER_ATTEMPT_POLICY_H_
#define LLM_ROUTER_ATTEMPT_POLICY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "adapters/core/random.h"
#include "router/classify_failure.h"
#include "router/health_board.h"
#include "router/route_plan.h"
#include "router/usage_ledger.h"

namespace llm {

struct NextAttempt {
  size_t target = 0;  // index in the plan
  int key = -1;       // index of the provider's key; -1: it has none
  AttemptRole role = AttemptRole::kPrimary;
  absl::Duration wait = absl::ZeroDuration();
  // The last connection was dead: use no kept-alive one.
  bool fresh_connection = false;
  std::string reason;
};

struct FailedTry {
  FailureFacts facts;
  std::optional<absl::Duration> retry_after;
};

class AttemptPolicy {
 public:
  // Everything passed in outlives the policy.
  AttemptPolicy(const RoutePlan& plan, const RouteTable& table,
                HealthBoard& health, Random& random);

  // The first attempt: an attempt counts from here on.
  NextAttempt First(Instant now);
  // After the failure of the last one. nullopt: stop. A wait never ends at
  // or after `deadline`. `move`, if not null, is set to what was decided.
  std::optional<NextAttempt> AfterFailure(const FailedTry& failed, Instant now,
                                          Instant deadline, NextMove* move);
  // Instead of the attempt just chosen, whose provider takes no more at once:
  // it was not made and does not count, and its target is not chosen again.
  // nullopt: nobody else is left.
  std::optional<NextAttempt> InsteadOfFull(Instant now, Instant deadline);
  // The attempt that InsteadOfFull dropped last is made after all: its
  // provider has a place for it now.
  NextAttempt AfterRoom(const NextAttempt& dropped);
  // The last attempt never left: it does not count against max_attempts.
  void NotSent() { --attempts_; }
  int attempts() const { return attempts_; }

 private:
  struct TargetState {
    int tries = 0;
    int repeats = 0;  // after waits
    int key = -1;
    int keys_tried = 0;
    // Worth another try once time has passed: from when, and with which key.
    bool come_back = false;
    Instant back_at;
    int back_key = -1;
  };
  absl::Span<const ApiKey> Keys(size_t target) const;
  // Neither cooling down nor without a usable key.
  bool Ready(size_t target, Instant now) const;
  // Chooses a key of the target other than `avoid`, if it has several.
  int Pick(size_t target, int avoid, Instant now);
  NextAttempt Start(size_t target, int key, std::string reason);
  // Notes that time may heal what failed.
  void NoteComeBack(const FailedTry& failed, Instant now);
  std::optional<NextAttempt> Repeat(const FailedTry& failed, Instant now,
                                    Instant deadline);
  std::optional<NextAttempt> OtherKey(Instant now);
  std::optional<NextAttempt> OtherTarget(Instant now);
  std::optional<NextAttempt> ComeBack(Instant now, Instant deadline);
  std::optional<NextAttempt> WaitFor(size_t target,
                                     std::optional<absl::Duration> retry_after,
                                     Instant now, Instant deadline);

  const RoutePlan& plan_;
  const RouteTable& table_;
  HealthBoard& health_;
  Random& random_;
  std::vector<TargetState> states_;
  size_t current_ = 0;
  // The target before the current one, should that be full.
  size_t previous_ = 0;
  int attempts_ = 0;
  // As attempts_, with those that never left.
  int started_ = 0;
};

}  // namespace llm

#endif  // LLM_ROUTER_ATTEMPT_POLICY_H_
