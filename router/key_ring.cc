#include "router/key_ring.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "adapters/core/text.h"
#include "router/rest.h"

namespace llm {
namespace {

// Short at first, so that a topped-up account is found soon; long in the end,
// so that hardly an attempt is wasted on a key that is gone for good.
constexpr absl::Duration kFirstOut = absl::Seconds(10);
constexpr absl::Duration kLongestOut = absl::Minutes(5);
constexpr absl::Duration kRateLimitedFor = absl::Seconds(5);
constexpr absl::Duration kTrialLease = absl::Seconds(30);
// What a reload took away is forgotten.
constexpr absl::Duration kForgetAfter = absl::Hours(2);

absl::Duration OutFor(int times, double jitter) {
  return std::min(kFirstOut * (1 << std::clamp(times, 0, 10)), kLongestOut) *
         (1 + jitter / 4);
}

}  // namespace

KeyName KeyNameOf(const ApiKey& key) {
  return absl::Hash<absl::string_view>{}(ToAbsl(key.Reveal()));
}

bool KeyRing::IsTheKeys(FailureClass why) {
  return why == FailureClass::kBadKey || why == FailureClass::kOutOfMoney ||
         why == FailureClass::kRateLimited;
}

const KeyRing::Entry* KeyRing::Find(KeyName key) const {
  for (const Entry& entry : out_) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

KeyRing::Entry* KeyRing::Find(KeyName key) {
  for (Entry& entry : out_) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::optional<KeyOut> KeyRing::Out(KeyName key, Instant now) const {
  const Entry* entry = Find(key);
  if (entry == nullptr) return std::nullopt;
  if (now < entry->until) return KeyOut{entry->until, entry->why, false};
  if (entry->tried_by_one() && now < entry->trial_until) {
    return KeyOut{entry->trial_until, entry->why, true};
  }
  return std::nullopt;
}

bool KeyRing::TakeTrial(KeyName key, Instant now) {
  if (!TrialDue(key, now)) return false;
  Find(key)->trial_until = now + kTrialLease;
  return true;
}

void KeyRing::GiveBackTrial(KeyName key) {
  if (Entry* entry = Find(key)) entry->trial_until = Instant{};
}

bool KeyRing::TrialDue(KeyName key, Instant now) const {
  const Entry* entry = Find(key);
  return entry != nullptr && entry->tried_by_one() && now >= entry->until &&
         now >= entry->trial_until;
}

int KeyRing::Pick(absl::Span<const KeyName> keys, absl::Span<const KeyName> low,
                  int avoid, Instant now, bool* trial) {
  if (trial != nullptr) *trial = false;
  if (keys.empty()) return -1;
  // A refused key that a reload took away would count as set aside for ever.
  Prune(now);
  const uint64_t turn = turn_++;
  int chosen = -1;
  int worst = 0;
  Instant back = Instant::Never();
  for (size_t step = 0; step < keys.size(); ++step) {
    const size_t at = (turn + step) % keys.size();
    if (static_cast<int>(at) == avoid && keys.size() > 1) continue;
    const auto out = Out(keys[at], now);
    const bool is_low =
        std::find(low.begin(), low.end(), keys[at]) != low.end();
    // 1: usable, 2: nearly used up, 3: out, the sooner the better.
    const int rank = out ? 3 : is_low ? 2 : 1;
    const Instant back_at = out ? out->back_at : Instant{};
    if (chosen >= 0 && (rank > worst || (rank == worst && back_at >= back))) {
      continue;
    }
    chosen = static_cast<int>(at);
    worst = rank;
    back = back_at;
    if (rank == 1) break;
  }
  if (chosen < 0) return -1;
  const bool taken = TakeTrial(keys[static_cast<size_t>(chosen)], now);
  if (trial != nullptr) *trial = taken;
  return chosen;
}

void KeyRing::Succeed(KeyName key, Instant started) {
  std::erase_if(out_, [&](const Entry& entry) {
    return entry.key == key && entry.since <= started;
  });
}

void KeyRing::Prune(Instant now) {
  std::erase_if(out_, [now](const Entry& entry) {
    return now - std::max(entry.until, entry.trial_until) > kForgetAfter;
  });
}

void KeyRing::Fail(KeyName key, FailureClass why,
                   std::optional<absl::Duration> asked, Instant now,
                   double jitter) {
  Entry* known = Find(key);
  if (!IsTheKeys(why)) {
    if (known != nullptr) known->trial_until = Instant{};
    return;
  }
  if (known == nullptr) {
    Prune(now);
    known = &out_.emplace_back();
    known->key = key;
  }
  Entry& entry = *known;
  absl::Duration rest;
  if (why == FailureClass::kRateLimited) {
    rest = std::min(asked.value_or(kRateLimitedFor), kLongestRetryAfter);
  } else {
    // Attempts that were under way together tell of one refusal.
    const bool again = entry.times > 0 && now < entry.until;
    rest = again ? absl::ZeroDuration() : OutFor(entry.times, jitter);
    if (!again) ++entry.times;
  }
  if (now + rest >= entry.until) entry.why = why;
  entry.until = std::max(entry.until, now + rest);
  entry.since = std::max(entry.since, now);
  entry.trial_until = Instant{};
}

void KeyRing::EndEarly(KeyName key, Instant now) {
  Entry* entry = Find(key);
  // The list of models is free: it says nothing of money or limits.
  if (entry == nullptr || entry->why != FailureClass::kBadKey) return;
  entry->until = std::min(entry->until, now);
}

}  // namespace llm
