#include "router/breaker.h"

#include <algorithm>
#include <bit>

namespace llm {
namespace {

constexpr absl::Duration kFirstCooldown = absl::Seconds(5);
constexpr absl::Duration kLongestCooldown = absl::Seconds(60);
constexpr int kFailuresInARow = 5;
constexpr int kWindow = 20;
constexpr int kFailuresOfWindow = 10;
constexpr uint32_t kWindowMask = (uint32_t{1} << kWindow) - 1;
// What was seen before a longer silence says nothing about now.
constexpr absl::Duration kWindowAge = absl::Minutes(2);
// A trial that has neither ended nor brought content by then stands in
// nobody's way.
constexpr absl::Duration kTrialLease = absl::Seconds(30);

// A list of models answers for the endpoint: that it can be reached and is
// not failing. It knows nothing of a model's silence or nonsense.
bool ALookCanJudge(FailureClass why) {
  return why == FailureClass::kConnect || why == FailureClass::kTransport ||
         why == FailureClass::kServerError || why == FailureClass::kOverloaded;
}

}  // namespace

std::string_view BreakerStateName(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kHalfOpen:
      return "half_open";
    case BreakerState::kOpen:
      return "open";
  }
  return "closed";
}

absl::Duration GrowingCooldown(int step, double jitter) {
  const absl::Duration grown = std::min(
      kFirstCooldown * (1 << std::clamp(step, 0, 10)), kLongestCooldown);
  return grown * (1 + jitter / 4);
}

int Breaker::recent_failures() const { return std::popcount(recent_); }

void Breaker::Note(bool failed, Instant now) {
  if (now - noted_at_ > kWindowAge) {
    recent_ = 0;
    seen_ = 0;
  }
  noted_at_ = std::max(noted_at_, now);
  recent_ = (recent_ << 1 | (failed ? 1U : 0U)) & kWindowMask;
  seen_ = std::min(seen_ + 1, kWindow);
}

bool Breaker::TooMany() const {
  return in_a_row_ >= kFailuresInARow || recent_failures() >= kFailuresOfWindow;
}

void Breaker::Open(FailureClass why, Instant now, double jitter) {
  by_share_ = in_a_row_ < kFailuresInARow && openings_ == 0;
  tripped_ = true;
  on_probation_ = false;
  opened_at_ = now;
  open_until_ = now + GrowingCooldown(openings_, jitter);
  ++openings_;
  why_ = why;
  trial_until_ = Instant{};
}

void Breaker::Close() {
  tripped_ = false;
  in_a_row_ = 0;
  recent_ = 0;
  seen_ = 0;
  trial_until_ = Instant{};
}

void Breaker::Fail(FailureClass why, Instant started, Instant now,
                   double jitter) {
  // Attempts that were under way when it opened tell of the same trouble.
  if ((tripped_ || on_probation_) && started <= opened_at_) return;
  ++in_a_row_;
  Note(true, now);
  if (tripped_ || on_probation_ || TooMany()) Open(why, now, jitter);
}

void Breaker::Succeed(Instant started, Instant now) {
  if (tripped_ && started <= opened_at_) return;
  if (tripped_) Close();
  // On probation, answers that began before it opened may still arrive.
  if (!on_probation_ || started > opened_at_) {
    on_probation_ = false;
    openings_ = 0;
  }
  in_a_row_ = 0;
  Note(false, now);
}

BreakerState Breaker::StateAt(Instant now) const {
  if (!tripped_) return BreakerState::kClosed;
  return now < open_until_ ? BreakerState::kOpen : BreakerState::kHalfOpen;
}

uint64_t Breaker::TakeTrial(Instant now, bool early) {
  const BreakerState state = StateAt(now);
  const bool due = state == BreakerState::kHalfOpen ||
                   (early && state == BreakerState::kOpen);
  if (!due || TrialUnderWay(now)) return 0;
  trial_ = ++last_trial_;
  trial_until_ = now + kTrialLease;
  return trial_;
}

void Breaker::GiveBackTrial(uint64_t trial) {
  if (trial == trial_) trial_until_ = Instant{};
}

void Breaker::Answering(uint64_t trial) {
  if (!tripped_ || trial == 0 || trial != trial_) return;
  Close();
  on_probation_ = true;
}

bool Breaker::EndEarly(Instant now) {
  if (StateAt(now) != BreakerState::kOpen || !ALookCanJudge(why_)) return false;
  open_until_ = now;
  return true;
}

}  // namespace llm
