#include "router/deployment_health.h"

#include <algorithm>

namespace llm {
namespace {

// A caller's deadline is no fact about a deployment, unless that had been
// silent for far longer than it usually is.
constexpr absl::Duration kSilence = absl::Seconds(10);
constexpr absl::Duration kSilenceUnmeasured = absl::Seconds(30);
constexpr int kSilenceTimesMean = 4;
}  // namespace

bool DeploymentHealth::SilentTooLong(const HealthReport& report) const {
  const absl::Duration silent = report.now - report.started;
  const auto mean = latency.At(report.now);
  if (!mean) return silent >= kSilenceUnmeasured;
  return silent >= std::max(kSilence, kSilenceTimesMean * *mean);
}

void DeploymentHealth::Report(const HealthReport& report, double jitter) {
  reported = true;
  last_report = std::max(last_report, report.now);
  if (report.failure == FailureClass::kNone) {
    seen_down = false;
    answered = true;
    rest.Succeed(report.started);
    breaker.Succeed(report.started, report.now);
    return;
  }
  latency.Failed(report.now - report.started, report.now);
  const bool limited = report.failure == FailureClass::kRateLimited;
  const bool asked =
      report.failure == FailureClass::kOverloaded && report.retry_after;
  if (limited || asked) {
    rest.Begin(report.failure, report.retry_after, report.now, jitter);
  }
  // A limit is no illness: it has its own end.
  if (!limited) {
    breaker.Fail(report.failure, report.started, report.now, jitter);
  }
}

void DeploymentHealth::Observe(const RateLimitFacts& facts, KeyName key,
                               Instant now) {
  if (!facts.remaining_requests && !facts.remaining_tokens) return;
  for (KeyQuota& quota : quotas) {
    if (quota.key == key) return quota.watch.Observe(facts, now);
  }
  std::erase_if(quotas,
                [now](const KeyQuota& quota) { return quota.watch.Over(now); });
  quotas.push_back({key, {}});
  quotas.back().watch.Observe(facts, now);
}

void DeploymentHealth::Sent(KeyName key, int64_t tokens) {
  for (KeyQuota& quota : quotas) {
    if (quota.key == key) quota.watch.Sent(tokens);
  }
}

std::optional<QuotaLow> DeploymentHealth::Low(KeyName key, int64_t tokens,
                                              Instant now) const {
  for (const KeyQuota& quota : quotas) {
    if (quota.key == key) return quota.watch.Low(tokens, now);
  }
  return std::nullopt;
}

HealthView DeploymentHealth::View(Instant now) const {
  HealthView view;
  view.breaker = breaker.StateAt(now);
  view.failures = breaker.failures_in_a_row();
  if (breaker.by_share()) {
    view.failures = breaker.recent_failures();
    view.of = breaker.recent_attempts();
  }
  view.latency = latency.At(now);
  view.in_flight = in_flight;
  view.last_report = last_report;
  view.seen_down = seen_down;
  if (view.breaker == BreakerState::kOpen) {
    view.out = HealthView::Out::kOpen;
    view.why = breaker.why();
    view.back_at = breaker.open_until();
    // A call that had nobody else to ask tries it early.
    view.early_trial = breaker.TrialUnderWay(now);
  } else if (view.breaker == BreakerState::kHalfOpen) {
    view.why = breaker.why();
    view.trial_due = !breaker.TrialUnderWay(now);
    if (!view.trial_due) {
      view.out = HealthView::Out::kTrial;
      view.back_at = now + kTrialLook;
    }
  }
  if (rest.Lasts(now) && (view.ready() || rest.until() > view.back_at)) {
    view.out = HealthView::Out::kRest;
    view.why = rest.why();
    view.back_at = rest.until();
  }
  if (view.out == HealthView::Out::kOpen ||
      view.out == HealthView::Out::kRest) {
    view.state = HealthState::kUnavailable;
  } else if (view.breaker == BreakerState::kHalfOpen || view.failures > 0 ||
             seen_down) {
    view.state = HealthState::kDegraded;
  } else if (reported) {
    view.state = HealthState::kHealthy;
  }
  return view;
}

bool DeploymentHealth::Forgettable(Instant now) const {
  return in_flight == 0 && breaker.StateAt(now) != BreakerState::kOpen &&
         !rest.Lasts(now);
}

}  // namespace llm
