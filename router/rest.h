// A rest that was asked for: a rate limit, or a 503 with Retry-After. Ends
// when it was said to, for everybody at once; only hintless ones grow, from
// 1 s to 8 s: a limit without a word on its end is mostly one per second or
// per minute, and a call with nobody else to ask waits that long.
//
// Threads: None; HealthBoard locks.
#ifndef LLM_ROUTER_REST_H_
#define LLM_ROUTER_REST_H_

#include <algorithm>
#include <optional>

#include "absl/time/time.h"
#include "router/breaker.h"

namespace llm {

// A provider that asks for more than this is asked again all the same: a
// mistaken header must not take a deployment out for a day.
inline constexpr absl::Duration kLongestRetryAfter = absl::Hours(1);

class Rest {
 public:
  // A shorter rest never cuts a longer one short: the failures of calls in
  // flight arrive in any order.
  void Begin(FailureClass why, std::optional<absl::Duration> asked, Instant now,
             double jitter) {
    const absl::Duration rest =
        asked ? std::min(*asked, kLongestRetryAfter)
              : absl::Seconds(1 << std::min(hintless_, 3)) * (1 + jitter / 4);
    if (!asked) ++hintless_;
    began_ = std::max(began_, now);
    if (now + rest > until_) why_ = why;
    until_ = std::max(until_, now + rest);
  }
  // An answer that began after the rest did ends it.
  void Succeed(Instant started) {
    if (until_ > Instant{} && started < began_) return;
    until_ = Instant{};
    hintless_ = 0;
  }
  bool Lasts(Instant now) const { return now < until_; }
  // Whether it lasted, or has ended without an answer since.
  bool begun() const { return until_ > Instant{}; }
  Instant until() const { return until_; }
  FailureClass why() const { return why_; }

 private:
  int hintless_ = 0;
  Instant began_;
  Instant until_;
  FailureClass why_ = FailureClass::kNone;
};

}  // namespace llm

#endif  // LLM_ROUTER_REST_H_
