// What a provider says is left of its own limits, watched so that traffic
// moves before the refusal comes.
//
// Each answer's facts replace the last ones; what is sent since is taken off
// until the next answer or until the limit is reset.
//
// Threads: None; HealthBoard locks.
#ifndef LLM_ROUTER_QUOTA_WATCH_H_
#define LLM_ROUTER_QUOTA_WATCH_H_

#include <cstdint>
#include <optional>

#include "adapters/core/clock.h"
#include "adapters/core/provider.h"

namespace llm {

// What is nearly used up, in words' terms.
struct QuotaLow {
  bool of_tokens = false;  // else of requests
  int64_t left = 0;
  std::optional<int64_t> limit;
  Instant until;
};

class QuotaWatch {
 public:
  void Observe(const RateLimitFacts& facts, Instant now);
  // A request of about `tokens` was sent.
  void Sent(int64_t tokens);
  // Set where fewer than a twentieth of a limit is left, or fewer tokens than
  // the `tokens` of the next request, until the limit is reset.
  std::optional<QuotaLow> Low(int64_t tokens, Instant now) const;
  // Nothing is known that still holds.
  bool Over(Instant now) const;

 private:
  struct Side {
    std::optional<int64_t> limit;
    std::optional<int64_t> left;
    Instant until;
  };
  static void Take(std::optional<int64_t> limit, std::optional<int64_t> left,
                   std::optional<absl::Duration> reset, Instant now,
                   Side* side);
  static bool Short(const Side& side, int64_t needed, Instant now);

  Side requests_;
  Side tokens_;
};

}  // namespace llm

#endif  // LLM_ROUTER_QUOTA_WATCH_H_
