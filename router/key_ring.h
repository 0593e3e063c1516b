// The keys of one provider: used in turn, a failing one set aside, tried
// again by one call at a time when its time is over.
//
// A rate-limited key rests and is then used by all; a refused one, or one
// whose account has no money, is half-open after its time: one attempt tries
// it, and each further failure sets it aside for twice as long.
//
// Keys are known by a number made of the secret, so a key that a reload swaps
// in starts afresh and no secret is kept here.
//
// Threads: None; HealthBoard locks.
#ifndef LLM_ROUTER_KEY_RING_H_
#define LLM_ROUTER_KEY_RING_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/core/clock.h"
#include "adapters/core/failure.h"
#include "adapters/core/ids.h"

namespace llm {

// Of this process only.
using KeyName = uint64_t;
KeyName KeyNameOf(const ApiKey& key);

struct KeyOut {
  Instant back_at;
  FailureClass why = FailureClass::kNone;
  // Its time is over and one attempt is trying it just now.
  bool in_trial = false;
};

class KeyRing {
 public:
  // Nearly always nothing is set aside, and no key need be named.
  bool all_in() const { return out_.empty(); }
  // nullopt: it may be used now.
  std::optional<KeyOut> Out(KeyName key, Instant now) const;
  // True: the caller is the one attempt that tries it now.
  bool TakeTrial(KeyName key, Instant now);
  void GiveBackTrial(KeyName key);
  // Failures that are about a key and not about a deployment.
  static bool IsTheKeys(FailureClass why);

  // The key to use now, `avoid` only if there is no other: usable ones in
  // turn, those not in `low` first; if all are out, the one that is back
  // first. Takes the trial of a half-open one, if nobody has it: `trial`.
  // -1 without keys.
  int Pick(absl::Span<const KeyName> keys, absl::Span<const KeyName> low,
           int avoid, Instant now, bool* trial = nullptr);

  // An attempt from `started` to `now` ended well, or brought content.
  void Succeed(KeyName key, Instant started);
  // `asked` is the provider's Retry-After. Failures that are not the key's
  // end its trial without a word on it.
  void Fail(KeyName key, FailureClass why, std::optional<absl::Duration> asked,
            Instant now, double jitter);
  // A look saw the provider take the key: a trial may come now.
  void EndEarly(KeyName key, Instant now);

 private:
  struct Entry {
    KeyName key = 0;
    FailureClass why = FailureClass::kNone;
    Instant since;
    Instant until;
    Instant trial_until;
    int times = 0;
    bool tried_by_one() const { return why != FailureClass::kRateLimited; }
  };
  const Entry* Find(KeyName key) const;
  Entry* Find(KeyName key);
  // Its time is over, and the next attempt would be the one to try it.
  bool TrialDue(KeyName key, Instant now) const;
  void Prune(Instant now);

  uint64_t turn_ = 0;
  // Only what was set aside and has not answered since.
  std::vector<Entry> out_;
};

}  // namespace llm

#endif  // LLM_ROUTER_KEY_RING_H_
