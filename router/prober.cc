#include "router/prober.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

namespace llm {
namespace {

namespace asio = boost::asio;

// A provider that hangs must not keep the others waiting for long.
constexpr absl::Duration kLongestLook = absl::Seconds(10);
// Where looking is off, how often it is seen whether a reload turned it on.
constexpr absl::Duration kWhileOff = absl::Seconds(30);
// Without traffic for so many intervals, a provider is looked at so seldom.
constexpr int kIdleIntervals = 10;

// Each deployment of the provider once.
std::vector<HealthSubject> DeploymentsOf(const RouteTable& table,
                                         const std::string& provider) {
  std::vector<HealthSubject> subjects;
  for (const std::string& id : table.model_order) {
    const PublicModel* model = table.FindModel(id);
    if (model == nullptr) continue;
    for (const Deployment& deployment : model->deployments) {
      if (deployment.provider.value != provider) continue;
      const bool there = std::any_of(subjects.begin(), subjects.end(),
                                     [&](const HealthSubject& known) {
                                       return known.deployment == deployment.id;
                                     });
      if (!there) subjects.push_back(SubjectOf(table, deployment));
    }
  }
  return subjects;
}

}  // namespace

Prober::Prober(CurrentRouter current, HealthBoard& health, const Clock& clock,
               Random& random)
    : current_(std::move(current)),
      health_(health),
      clock_(clock),
      random_(random) {}

absl::Duration Prober::NextWait() const {
  const std::shared_ptr<Router> router = current_();
  const absl::Duration interval = router == nullptr
                                      ? absl::ZeroDuration()
                                      : router->table().policy.probe_interval;
  if (interval <= absl::ZeroDuration()) return kWhileOff;
  return interval * (0.9 + random_.Unit() / 5);
}

std::vector<DueLook> Prober::Due(const RouteTable& table, Instant now) const {
  std::vector<DueLook> due;
  const absl::Duration interval = table.policy.probe_interval;
  if (interval <= absl::ZeroDuration()) return due;
  for (const auto& [id, settings] : table.providers) {
    if (!settings.probe) continue;
    DueLook look;
    look.provider = id;
    look.deployments = DeploymentsOf(table, id);
    if (look.deployments.empty()) continue;
    const auto refused = health_.RefusedKey(id, settings.api_keys, now);
    bool wanted = refused.has_value();
    Instant last_report;
    for (const HealthSubject& subject : look.deployments) {
      const HealthView view = health_.View(subject, now);
      wanted = wanted || view.breaker != BreakerState::kClosed;
      last_report = std::max(last_report, view.last_report);
    }
    const absl::Duration idle = kIdleIntervals * interval;
    const auto looked = looked_at_.find(id);
    const bool long_ago =
        looked == looked_at_.end() || now - looked->second >= idle;
    if (!wanted && (now - last_report < idle || !long_ago)) continue;
    if (!settings.api_keys.empty()) {
      look.key = settings.api_keys[refused.value_or(0)];
    }
    due.push_back(std::move(look));
  }
  return due;
}

Task<void> Prober::Look(const Router& router, const DueLook& due) {
  const absl::Duration interval = router.table().policy.probe_interval;
  const Instant began = clock_.Monotonic();
  looked_at_[due.provider] = began;
  ProbeContext context;
  context.api_key = due.key;
  context.deadline = began + std::min(interval, kLongestLook);
  ProbeResult seen;
  try {
    seen = co_await router.Probe(due.provider, context);
  } catch (const std::exception&) {
    // Broken promise of a dialect: a look that saw nothing.
    seen = ProbeResult();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return;
  {
    const MutexLock lock(mutex_);
    ++counts_[{due.provider, seen.verdict}];
  }
  if (seen.verdict == ProbeVerdict::kUp) {
    health_.SeenUp(due.deployments, due.key.empty() ? nullptr : &due.key,
                   clock_.Monotonic());
  } else if (seen.verdict == ProbeVerdict::kDown) {
    health_.SeenDown(due.deployments, began + -interval);
  }
}

std::vector<ProbeCount> Prober::Counts() const {
  std::vector<ProbeCount> counts;
  const MutexLock lock(mutex_);
  for (const auto& [what, looks] : counts_) {
    counts.push_back({what.first, what.second, looks});
  }
  return counts;
}

Task<void> Prober::Round(const Router& router) {
  for (const DueLook& due : Due(router.table(), clock_.Monotonic())) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    co_await Look(router, due);
  }
}

Task<void> Prober::Run() {
  // A cancelled look comes back and is not judged; nothing is thrown.
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    const absl::Status slept =
        co_await clock_.SleepUntil(clock_.Monotonic() + NextWait());
    if (!slept.ok()) co_return;
    // Held while it is asked, whatever reloads meanwhile.
    const std::shared_ptr<Router> router = current_();
    if (router != nullptr) co_await Round(*router);
  }
}

}  // namespace llm
