#include "router/attempt_policy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/backoff.h"

namespace llm {
namespace {

// Failures that time heals, though not at once.
bool TimeHeals(FailureClass failure) {
  return failure == FailureClass::kRateLimited ||
         failure == FailureClass::kIncomplete;
}

}  // namespace

AttemptPolicy::AttemptPolicy(const RoutePlan& plan, const RouteTable& table,
                             HealthBoard& health, Random& random)
    : plan_(plan),
      table_(table),
      health_(health),
      random_(random),
      states_(plan.targets.size()) {}

absl::Span<const ApiKey> AttemptPolicy::Keys(size_t target) const {
  const auto it =
      table_.providers.find(plan_.targets[target].deployment.provider.value);
  if (it == table_.providers.end()) return {};
  return it->second.api_keys;
}

int AttemptPolicy::Pick(size_t target, int avoid, Instant now) {
  ++states_[target].keys_tried;
  return health_.PickKey(plan_.targets[target].deployment.provider.value,
                         Keys(target), avoid, now);
}

NextAttempt AttemptPolicy::Start(size_t target, int key, std::string reason) {
  NextAttempt next;
  next.target = target;
  next.key = key;
  next.role = AttemptRole::kPrimary;
  if (started_ > 0) {
    next.role =
        target == current_ ? AttemptRole::kRetry : AttemptRole::kFallback;
  }
  next.reason = std::move(reason);
  ++states_[target].tries;
  states_[target].key = key;
  previous_ = current_;
  current_ = target;
  ++attempts_;
  ++started_;
  return next;
}

NextAttempt AttemptPolicy::First(Instant now) {
  return Start(0, Pick(0, -1, now), plan_.targets.front().reason);
}

std::optional<NextAttempt> AttemptPolicy::WaitFor(
    size_t target, std::optional<absl::Duration> retry_after, Instant now,
    Instant deadline) {
  TargetState& state = states_[target];
  if (state.repeats >= table_.policy.max_retries_same) return std::nullopt;
  const auto wait =
      BackoffDelay(table_.policy, state.repeats + 1, retry_after, random_);
  // An answer that cannot come in time is not worth its price.
  if (!wait || now + *wait >= deadline) return std::nullopt;
  ++state.repeats;
  // The same key: a wait is for the endpoint, or for this key's own limit.
  NextAttempt next =
      Start(target, state.key,
            absl::StrCat("again after ", absl::FormatDuration(*wait)));
  next.wait = *wait;
  return next;
}

std::optional<NextAttempt> AttemptPolicy::Repeat(const FailedTry& failed,
                                                 Instant now,
                                                 Instant deadline) {
  if (failed.facts.stale_connection) {
    NextAttempt next =
        Start(current_, states_[current_].key, "again on a fresh connection");
    next.fresh_connection = true;
    return next;
  }
  return WaitFor(current_, failed.retry_after, now, deadline);
}

std::optional<NextAttempt> AttemptPolicy::OtherKey(Instant now) {
  const TargetState& state = states_[current_];
  const auto keys = Keys(current_);
  if (state.keys_tried >= static_cast<int>(keys.size()) ||
      !health_.HasUsableKey(plan_.targets[current_].deployment.provider.value,
                            keys, state.key, now)) {
    return std::nullopt;
  }
  return Start(current_, Pick(current_, state.key, now), "another key");
}

bool AttemptPolicy::Ready(size_t target, Instant now) const {
  const Deployment& deployment = plan_.targets[target].deployment;
  return !health_.CoolingUntil(deployment.id, now) &&
         !health_.KeysOutUntil(deployment.provider.value, Keys(target), now);
}

std::optional<NextAttempt> AttemptPolicy::OtherTarget(Instant now) {
  std::optional<size_t> best;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].tries > 0) continue;
    if (!best) best = i;
    // Another model behind a key that was just refused would waste a try.
    if (!Ready(i, now)) continue;
    best = i;
    break;
  }
  if (!best) return std::nullopt;
  return Start(*best, Pick(*best, -1, now), plan_.targets[*best].reason);
}

std::optional<NextAttempt> AttemptPolicy::ComeBack(Instant now,
                                                   Instant deadline) {
  std::optional<size_t> soonest;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i].come_back) continue;
    if (!soonest || states_[i].back_at < states_[*soonest].back_at) soonest = i;
  }
  if (!soonest) return std::nullopt;
  TargetState& state = states_[*soonest];
  state.come_back = false;
  state.key = state.back_key;
  // What the other attempts took has been waited already.
  return WaitFor(*soonest, std::max(state.back_at - now, absl::ZeroDuration()),
                 now, deadline);
}

void AttemptPolicy::NoteComeBack(const FailedTry& failed, Instant now) {
  TargetState& state = states_[current_];
  if (!TimeHeals(failed.facts.failure)) return;
  const Instant back_at =
      now + failed.retry_after.value_or(absl::ZeroDuration());
  // Of several limited keys, the one that is back first.
  if (state.come_back && state.back_at <= back_at) return;
  state.come_back = true;
  state.back_at = back_at;
  state.back_key = state.key;
}

std::optional<NextAttempt> AttemptPolicy::InsteadOfFull(Instant now,
                                                        Instant deadline) {
  --attempts_;
  --started_;
  states_[current_].come_back = false;
  current_ = previous_;
  if (now >= deadline) return std::nullopt;
  std::optional<NextAttempt> next = OtherTarget(now);
  if (!next) next = ComeBack(now, deadline);
  if (next) absl::StrAppend(&next->reason, ", as another was full");
  return next;
}

NextAttempt AttemptPolicy::AfterRoom(const NextAttempt& dropped) {
  NextAttempt next =
      Start(dropped.target, dropped.key,
            absl::StrCat(dropped.reason, ", after waiting for a place"));
  next.fresh_connection = dropped.fresh_connection;
  return next;
}

std::optional<NextAttempt> AttemptPolicy::AfterFailure(const FailedTry& failed,
                                                       Instant now,
                                                       Instant deadline,
                                                       NextMove* move) {
  const NextMove wanted = ClassifyFailure(failed.facts);
  NoteComeBack(failed, now);
  const size_t before = current_;
  std::optional<NextAttempt> next;
  if (wanted != NextMove::kStop && attempts_ < table_.policy.max_attempts &&
      now < deadline) {
    if (wanted == NextMove::kRetrySame) next = Repeat(failed, now, deadline);
    if (wanted == NextMove::kNextKey) next = OtherKey(now);
    if (!next) next = OtherTarget(now);
    if (!next) next = ComeBack(now, deadline);
  }
  if (move != nullptr) {
    *move = NextMove::kStop;
    if (next && next->target != before) {
      *move = NextMove::kNextDeployment;
    } else if (next) {
      *move = wanted == NextMove::kNextKey && next->wait == absl::ZeroDuration()
                  ? NextMove::kNextKey
                  : NextMove::kRetrySame;
    }
  }
  return next;
}

}  // namespace llm
