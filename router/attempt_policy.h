// What to do next: the loop asks, this answers. One object per call; it
// counts attempts, keeps who was tried, and never sends more than
// policy.max_attempts.
//
// Order: the plan's targets in turn, those that are out left aside. A target
// is repeated where ClassifyFailure says so (after a wait, within the
// provider's retry budget), with another key where that may help (the last
// attempt is kept for a target that was not asked), and once more at the end
// where only time was missing (rate limits, cut streams).
//
// Last resort, when every target left is out: the one that is back first. One
// that is out for its failures is tried at once, by one call at a time; one
// that rests is waited for, if it is back before the deadline and the call
// waits no longer than policy.max_wait in all; one whose keys were refused is
// tried when nothing else is left. Else nobody is asked, and AllOut says when
// it makes sense to come again.
//
// Threads: The call's event loop.
#ifndef LLM_ROUTER_ATTEMPT_POLICY_H_
#define LLM_ROUTER_ATTEMPT_POLICY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/core/random.h"
#include "router/classify_failure.h"
#include "router/health_board.h"
#include "router/route_plan.h"
#include "router/usage_ledger.h"

namespace llm {

struct NextAttempt {
  size_t target = 0;  // index in the plan
  AttemptRole role = AttemptRole::kPrimary;
  absl::Duration wait = absl::ZeroDuration();
  // The last connection was dead: use no kept-alive one.
  bool fresh_connection = false;
  // Asked although it is out: nobody else is left.
  bool last_resort = false;
  std::string reason;
  // The key to use again, or to use no more; -1: none.
  int same_key = -1;
  int avoid_key = -1;
  // Since Enter: index of the provider's key (-1: it has none), and the way
  // in, which ends with the attempt. Shared, as this struct is copied.
  int key = -1;
  std::shared_ptr<HealthBoard::Pass> pass;
};

struct FailedTry {
  FailureFacts facts;
  std::optional<absl::Duration> retry_after;
};

// Why nobody can be asked now.
struct AllOut {
  bool all_rate_limited = true;
  // When the first is back.
  Instant back_at = Instant::Never();
};

class AttemptPolicy {
 public:
  // Everything passed in outlives the policy.
  AttemptPolicy(const RoutePlan& plan, const RouteTable& table,
                HealthBoard& health, Random& random);

  // The first attempt: an attempt counts from here on. nullopt: all are out.
  std::optional<NextAttempt> First(Instant now, Instant deadline);
  // After the failure of the last one. nullopt: stop. A wait never ends at
  // or after `deadline`. `move`, if not null, is set to what was decided.
  std::optional<NextAttempt> AfterFailure(const FailedTry& failed, Instant now,
                                          Instant deadline, NextMove* move);
  // Just before the dispatch, its wait over: chooses the key and takes the
  // way in. False: others were quicker (a breaker has opened, or a half-open
  // one's trial is taken), so InsteadOfTaken is to be asked.
  bool Enter(NextAttempt* next, Instant now);
  std::optional<NextAttempt> InsteadOfTaken(Instant now, Instant deadline);
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
  // Of all targets, where First found nobody.
  AllOut Outage(Instant now) const;

 private:
  struct TargetState {
    int tries = 0;
    int repeats = 0;  // after waits
    int key = -1;
    int keys_tried = 0;
    int denied = 0;  // keys that lack the permission
    // Worth another try once time has passed: from when, and with which key.
    bool come_back = false;
    // Enter refused it once, so the next look takes its time.
    bool turned_away = false;
    // It cannot be waited for.
    bool given_up = false;
    // The provider named the time, so coming back is no repeat of its making.
    bool asked_back = false;
    Instant back_at;
    int back_key = -1;
  };
  struct Return {
    size_t target = 0;
    Instant at;
    HealthView view;
  };
  HealthSubject Subject(size_t target) const;
  HealthView View(size_t target, Instant now) const;
  NextAttempt Start(size_t target, std::string reason);
  void TakeBack();
  // Notes that time may heal what failed.
  void NoteComeBack(const FailedTry& failed, Instant now);
  std::optional<NextAttempt> Repeat(const FailedTry& failed, Instant now,
                                    Instant deadline);
  // Whether a target could be asked now that was not asked yet.
  bool AnotherWaits(Instant now) const;
  std::optional<NextAttempt> OtherKey(FailureClass failure, Instant now);
  std::optional<NextAttempt> OtherTarget(Instant now);
  // Of what was never asked, and of what is worth another try.
  std::optional<Return> Soonest(Instant now) const;
  // Nobody is left who could be asked now: who is worth a wait.
  std::optional<NextAttempt> Later(Instant now, Instant deadline);
  std::optional<NextAttempt> ComeBack(size_t target, Instant at, Instant now,
                                      Instant deadline);
  std::optional<NextAttempt> LastResort(size_t target, const HealthView& view,
                                        Instant now, Instant deadline);
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
  // Set with the first wait for a target that was out.
  std::optional<Instant> patience_until_;
};

}  // namespace llm

#endif  // LLM_ROUTER_ATTEMPT_POLICY_H_
