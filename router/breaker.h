// When a failing deployment is left alone, and how it comes back.
//
//   closed ── fails ──► open ── its time is over ──► half-open ─► closed
//                        ▲                               │
//                        └──────── the trial fails ──────┘
//
// It opens after five failures in a row or ten among the last twenty. Of a
// deployment that fails one call in twenty by chance, that is 0.05^5 = 3e-7
// per call, once in three million, and for the second rule
// P(X >= 10 of 20) = 1e-8. One that fails every other call meets the second
// rule within some 25 calls, one that is down the first after five.
//
// Half-open lets one call through at a time. That trial has an owner and an
// expiry, so a call that vanishes blocks nobody for long; and its first
// content already lets the others in again, on probation: the next failure
// opens at once, until one answer was complete.
//
// Threads: None; HealthBoard locks. Times are passed in.
#ifndef LLM_ROUTER_BREAKER_H_
#define LLM_ROUTER_BREAKER_H_

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "adapters/core/failure.h"

namespace llm {

enum class BreakerState { kClosed, kHalfOpen, kOpen };
std::string_view BreakerStateName(BreakerState state);

// 5 s, doubling to 60 s, for the `step`th time in a row from 0; up to a
// quarter longer with a jitter in [0, 1).
absl::Duration GrowingCooldown(int step, double jitter);

class Breaker {
 public:
  // An attempt that ran from `started` to `now` failed in a way that says
  // something about the deployment.
  void Fail(FailureClass why, Instant started, Instant now, double jitter);
  // An attempt that began while it was open, or before, changes nothing: it
  // was on its way when the trouble began.
  void Succeed(Instant started, Instant now);

  BreakerState StateAt(Instant now) const;
  // Not closed.
  bool tripped() const { return tripped_; }
  // When an open one lets a trial through.
  Instant open_until() const { return open_until_; }
  // Of the failure that opened it.
  FailureClass why() const { return why_; }
  // In a row, as far as known; and among the last twenty attempts.
  int failures_in_a_row() const { return in_a_row_; }
  int recent_failures() const;
  int recent_attempts() const { return seen_; }
  // It opened by its share of failures, not by a row of them.
  bool by_share() const { return by_share_; }

  // Half-open: the one trial. 0 if another has it, or none is due. `early`:
  // also while it is open, for a call that has nobody else to ask.
  uint64_t TakeTrial(Instant now, bool early = false);
  bool TrialUnderWay(Instant now) const { return now < trial_until_; }
  // The trial ended without a word on the deployment.
  void GiveBackTrial(uint64_t trial);
  // The trial has brought content.
  void Answering(uint64_t trial);
  // Something else than traffic saw it up: a trial may come now, where the
  // failure was one that such a look can judge. True if it was open.
  bool EndEarly(Instant now);

 private:
  void Note(bool failed, Instant now);
  bool TooMany() const;
  void Open(FailureClass why, Instant now, double jitter);
  void Close();

  // The last attempts, newest in bit 0, 1 for a failure.
  uint32_t recent_ = 0;
  int seen_ = 0;
  Instant noted_at_;
  int in_a_row_ = 0;

  bool tripped_ = false;
  bool by_share_ = false;
  bool on_probation_ = false;
  // Times it opened since the last complete answer.
  int openings_ = 0;
  Instant opened_at_;
  Instant open_until_;
  FailureClass why_ = FailureClass::kNone;
  uint64_t trial_ = 0;
  uint64_t last_trial_ = 0;
  Instant trial_until_;
};

}  // namespace llm

#endif  // LLM_ROUTER_BREAKER_H_
