#include "router/attempt_policy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/backoff.h"

namespace llm {
namespace {

// How soon a target that another call is trying is looked at again.
constexpr absl::Duration kLookAgain = absl::Milliseconds(250);

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

HealthSubject AttemptPolicy::Subject(size_t target) const {
  return SubjectOf(table_, *plan_.targets[target].deployment);
}

HealthView AttemptPolicy::View(size_t target, Instant now) const {
  return health_.View(Subject(target), now);
}

NextAttempt AttemptPolicy::Start(size_t target, std::string reason) {
  NextAttempt next;
  next.target = target;
  next.role = AttemptRole::kPrimary;
  if (started_ > 0) {
    next.role =
        target == current_ ? AttemptRole::kRetry : AttemptRole::kFallback;
  }
  next.reason = std::move(reason);
  ++states_[target].tries;
  previous_ = current_;
  current_ = target;
  ++attempts_;
  ++started_;
  return next;
}

void AttemptPolicy::TakeBack() {
  --attempts_;
  --started_;
  current_ = previous_;
}

std::optional<NextAttempt> AttemptPolicy::First(Instant now, Instant deadline) {
  std::optional<NextAttempt> next = OtherTarget(now);
  return next ? next : Later(now, deadline);
}

bool AttemptPolicy::Enter(NextAttempt* next, Instant now) {
  TargetState& state = states_[next->target];
  HealthBoard::Entering entering;
  entering.same_key = next->same_key;
  entering.avoid_key = next->avoid_key;
  entering.tokens = plan_.estimated_tokens;
  entering.first = state.tries == 1;
  entering.last_resort = next->last_resort;
  entering.denied_before = state.denied > 0;
  auto pass = health_.Enter(Subject(next->target), entering, now);
  if (!pass) return false;
  next->key = pass->key();
  next->pass = std::make_shared<HealthBoard::Pass>(*std::move(pass));
  state.key = next->key;
  ++state.keys_tried;
  return true;
}

std::optional<NextAttempt> AttemptPolicy::WaitFor(
    size_t target, std::optional<absl::Duration> retry_after, Instant now,
    Instant deadline) {
  TargetState& state = states_[target];
  if (state.repeats >= table_.policy.max_retries_same) return std::nullopt;
  auto wait =
      BackoffDelay(table_.policy, state.repeats + 1, retry_after, random_);
  // Rather with all the others than not at all.
  if (wait && retry_after && now + *wait >= deadline) {
    wait = std::min(*wait, *retry_after);
  }
  // An answer that cannot come in time is not worth its price.
  if (!wait || now + *wait >= deadline) return std::nullopt;
  const HealthView view = View(target, now);
  if (!view.ready() && view.back_at > now + *wait) return std::nullopt;
  if (!state.asked_back && !health_.TakeRepeat(Subject(target).provider, now)) {
    return std::nullopt;
  }
  ++state.repeats;
  // The same key: a wait is for the endpoint, or for this key's own limit.
  const int key = state.key;
  NextAttempt next =
      Start(target, absl::StrCat("again after ", absl::FormatDuration(*wait)));
  next.same_key = key;
  next.wait = *wait;
  return next;
}

std::optional<NextAttempt> AttemptPolicy::Repeat(const FailedTry& failed,
                                                 Instant now,
                                                 Instant deadline) {
  if (failed.facts.stale_connection) {
    NextAttempt next = Start(current_, "again on a fresh connection");
    next.same_key = states_[current_].key;
    next.fresh_connection = true;
    return next;
  }
  return WaitFor(current_, failed.retry_after, now, deadline);
}

bool AttemptPolicy::AnotherWaits(Instant now) const {
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].tries == 0 && View(i, now).ready()) return true;
  }
  return false;
}

std::optional<NextAttempt> AttemptPolicy::OtherKey(FailureClass failure,
                                                   Instant now) {
  TargetState& state = states_[current_];
  const HealthSubject subject = Subject(current_);
  // Two keys without the right: it is the account's, and so the others'.
  if (failure == FailureClass::kPermission && ++state.denied > 1) {
    return std::nullopt;
  }
  // The last attempt is for who was not asked yet, however many keys there are.
  if (attempts_ + 1 >= table_.policy.max_attempts && AnotherWaits(now)) {
    return std::nullopt;
  }
  if (state.keys_tried >= static_cast<int>(subject.keys.size()) ||
      !health_.HasUsableKey(subject.provider, subject.keys, state.key, now)) {
    return std::nullopt;
  }
  NextAttempt next = Start(current_, "another key");
  next.avoid_key = state.key;
  return next;
}

std::optional<NextAttempt> AttemptPolicy::OtherTarget(Instant now) {
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].tries > 0 || !View(i, now).ready()) continue;
    return Start(i, ReasonOf(plan_, plan_.targets[i]));
  }
  return std::nullopt;
}

std::optional<NextAttempt> AttemptPolicy::ComeBack(size_t target, Instant at,
                                                   Instant now,
                                                   Instant deadline) {
  TargetState& state = states_[target];
  state.come_back = false;
  state.key = state.back_key;
  // What the other attempts took has been waited already.
  return WaitFor(target, std::max(at - now, absl::ZeroDuration()), now,
                 deadline);
}

std::optional<NextAttempt> AttemptPolicy::LastResort(size_t target,
                                                     const HealthView& view,
                                                     Instant now,
                                                     Instant deadline) {
  const Instant patience =
      patience_until_.value_or(now + table_.policy.max_wait);
  Instant at = view.back_at;
  if (view.out == HealthView::Out::kOpen || !view.time_heals()) at = now;
  if (view.early_trial || states_[target].turned_away) {
    at = std::max(at, now + kLookAgain);
  }
  if (at > patience || at >= deadline) return std::nullopt;
  patience_until_ = patience;
  // The spread takes half of what time is left at most.
  const absl::Duration until = std::max(at - now, absl::ZeroDuration());
  const absl::Duration left = std::min(patience, deadline) - now - until;
  const absl::Duration wait =
      std::min(Spread(until, random_), until + left / 2);
  NextAttempt next =
      Start(target, absl::StrCat("last resort",
                                 wait > absl::ZeroDuration()
                                     ? " after " + ShortDuration(wait)
                                     : "",
                                 ": ", ReasonOf(plan_, plan_.targets[target])));
  next.wait = wait;
  next.last_resort = true;
  return next;
}

std::optional<AttemptPolicy::Return> AttemptPolicy::Soonest(Instant now) const {
  std::optional<Return> soonest;
  for (size_t i = 0; i < states_.size(); ++i) {
    const TargetState& state = states_[i];
    if (state.given_up || (state.tries > 0 && !state.come_back)) continue;
    const HealthView view = View(i, now);
    Instant at = view.ready() ? now : view.back_at;
    if (!view.ready() && !view.time_heals()) {
      // Time alone does not bring it back: only where nothing else is left.
      if (state.come_back) continue;
      at = Instant::Never();
    }
    if (state.come_back) at = std::max(at, state.back_at);
    if (!soonest || at < soonest->at) soonest = Return{i, at, view};
  }
  return soonest;
}

std::optional<NextAttempt> AttemptPolicy::Later(Instant now, Instant deadline) {
  // Each round takes one target away.
  while (const auto soonest = Soonest(now)) {
    TargetState& state = states_[soonest->target];
    const bool again = state.come_back;
    auto next = again
                    ? ComeBack(soonest->target, soonest->at, now, deadline)
                    : LastResort(soonest->target, soonest->view, now, deadline);
    if (next) return next;
    if (!again) state.given_up = true;
  }
  return std::nullopt;
}

void AttemptPolicy::NoteComeBack(const FailedTry& failed, Instant now) {
  TargetState& state = states_[current_];
  if (!TimeHeals(failed.facts.failure)) return;
  const Instant back_at =
      now + failed.retry_after.value_or(absl::ZeroDuration());
  // Of several limited keys, the one that is back first.
  if (state.come_back && state.back_at <= back_at) return;
  state.come_back = true;
  state.asked_back = failed.facts.failure == FailureClass::kRateLimited &&
                     failed.retry_after.has_value();
  state.back_at = back_at;
  state.back_key = state.key;
}

std::optional<NextAttempt> AttemptPolicy::InsteadOfTaken(Instant now,
                                                         Instant deadline) {
  // It was not asked, so it may be later.
  --states_[current_].tries;
  states_[current_].turned_away = true;
  TakeBack();
  if (now >= deadline) return std::nullopt;
  std::optional<NextAttempt> next = OtherTarget(now);
  return next ? next : Later(now, deadline);
}

std::optional<NextAttempt> AttemptPolicy::InsteadOfFull(Instant now,
                                                        Instant deadline) {
  states_[current_].come_back = false;
  TakeBack();
  if (now >= deadline) return std::nullopt;
  std::optional<NextAttempt> next = OtherTarget(now);
  if (!next) next = Later(now, deadline);
  if (next) absl::StrAppend(&next->reason, ", as another was full");
  return next;
}

NextAttempt AttemptPolicy::AfterRoom(const NextAttempt& dropped) {
  // It was counted when it was chosen.
  --states_[dropped.target].tries;
  NextAttempt next =
      Start(dropped.target,
            absl::StrCat(dropped.reason, ", after waiting for a place"));
  next.same_key = dropped.same_key;
  next.avoid_key = dropped.avoid_key;
  next.fresh_connection = dropped.fresh_connection;
  next.last_resort = dropped.last_resort;
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
    if (wanted == NextMove::kNextKey)
      next = OtherKey(failed.facts.failure, now);
    if (!next) next = OtherTarget(now);
    if (!next) next = Later(now, deadline);
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

AllOut AttemptPolicy::Outage(Instant now) const {
  AllOut outage;
  for (size_t i = 0; i < states_.size(); ++i) {
    const HealthView view = View(i, now);
    outage.all_rate_limited =
        outage.all_rate_limited && view.why == FailureClass::kRateLimited;
    outage.back_at =
        std::min(outage.back_at, view.ready() ? now : view.back_at);
  }
  return outage;
}

}  // namespace llm
