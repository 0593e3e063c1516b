#include "router/health_board.h"

#include <algorithm>
#include <utility>

#include "adapters/core/text.h"
#include "router/classify_failure.h"

namespace llm {
namespace {

// Far more than are configured; bounds what ad-hoc names can fill.
constexpr size_t kMaxDeployments = 4096;
// Of providers with very many keys, the rest counts as usable.
constexpr size_t kMostKeys = 64;
// The only key rests no longer than this for a limit of one deployment.
constexpr absl::Duration kOneKeyRest = absl::Seconds(5);
constexpr absl::Duration kOneKeyHintless = absl::Seconds(1);

std::vector<KeyName> NamesOf(absl::Span<const ApiKey> keys) {
  std::vector<KeyName> names;
  names.reserve(keys.size());
  for (const ApiKey& key : keys) names.push_back(KeyNameOf(key));
  return names;
}

}  // namespace

HealthBoard::Pass::Pass(HealthBoard* board, DeploymentHealth* deployment)
    : board_(board), deployment_(deployment) {}

HealthBoard::Pass::Pass(Pass&& from) noexcept
    : board_(std::exchange(from.board_, nullptr)),
      deployment_(from.deployment_),
      provider_(std::move(from.provider_)),
      key_(from.key_),
      key_name_(from.key_name_),
      keys_(from.keys_),
      trial_(from.trial_),
      key_trial_(from.key_trial_),
      denied_before_(from.denied_before_) {}

void HealthBoard::Pass::End() {
  if (board_ != nullptr) std::exchange(board_, nullptr)->Leave(*this);
}

void HealthBoard::Leave(Pass& pass) {
  MutexLock lock(mutex_);
  if (pass.deployment_ != nullptr) {
    --pass.deployment_->in_flight;
    if (pass.trial_ != 0) pass.deployment_->breaker.GiveBackTrial(pass.trial_);
  }
  if (!pass.key_trial_) return;
  const auto ring = rings_.find(pass.provider_);
  if (ring == rings_.end()) return;
  // A word on the key has been said by now, if there was one.
  ring->second.GiveBackTrial(pass.key_name_);
}

size_t HealthBoard::HashOf(std::string_view deployment) {
  return Deployments::hasher{}(ToAbsl(deployment));
}

const DeploymentHealth* HealthBoard::Find(const HealthSubject& subject) const {
  const auto name = ToAbsl(subject.deployment);
  const auto it = subject.hash == 0 ? deployments_.find(name)
                                    : deployments_.find(name, subject.hash);
  return it == deployments_.end() ? nullptr : it->second.get();
}

bool HealthBoard::AllKeysIn() const {
  return std::all_of(rings_.begin(), rings_.end(),
                     [](const auto& entry) { return entry.second.all_in(); });
}

bool HealthBoard::AllWell() const {
  MutexLock lock(mutex_);
  return troubled_ == 0 && AllKeysIn();
}

void HealthBoard::Recount(DeploymentHealth* deployment) {
  if (deployment->troubled() == deployment->counted) return;
  deployment->counted = !deployment->counted;
  if (deployment->counted) {
    ++troubled_;
  } else {
    --troubled_;
  }
}

void HealthBoard::Forget(Instant now, bool answered) {
  for (auto it = deployments_.begin(); it != deployments_.end();) {
    const DeploymentHealth& health = *it->second;
    const auto known = it++;
    if ((answered || !health.answered) && health.Forgettable(now)) {
      if (health.counted) --troubled_;
      deployments_.erase(known);
    }
  }
}

DeploymentHealth* HealthBoard::FindOrAdd(std::string_view deployment,
                                         Instant now) {
  const auto it = deployments_.find(ToAbsl(deployment));
  if (it != deployments_.end()) return it->second.get();
  if (deployments_.size() >= kMaxDeployments) {
    // First the names that never answered: nobody may have configured them.
    Forget(now, false);
  }
  if (deployments_.size() >= kMaxDeployments) {
    Forget(now, true);
    if (deployments_.size() >= kMaxDeployments) return nullptr;
  }
  auto& entry = deployments_[std::string(deployment)];
  entry = std::make_unique<DeploymentHealth>();
  return entry.get();
}

std::optional<KeyOut> HealthBoard::KeysOut(std::string_view provider,
                                           absl::Span<const ApiKey> keys,
                                           Instant now) const {
  const auto ring = rings_.find(ToAbsl(provider));
  if (keys.empty() || ring == rings_.end() || ring->second.all_in()) {
    return std::nullopt;
  }
  std::optional<KeyOut> first;
  for (const ApiKey& key : keys) {
    auto out = ring->second.Out(KeyNameOf(key), now);
    if (!out) return std::nullopt;
    if (out->in_trial) out->back_at = now + kTrialLook;
    if (!first || out->back_at < first->back_at) first = out;
  }
  return first;
}

void HealthBoard::AddKeys(const HealthSubject& subject,
                          const DeploymentHealth* deployment, int64_t tokens,
                          Instant now, HealthView* view) const {
  if (deployment == nullptr || deployment->quotas.empty()) return;
  if (subject.keys.empty()) {
    view->low = deployment->Low(0, tokens, now);
    return;
  }
  const auto ring = rings_.find(ToAbsl(subject.provider));
  std::optional<QuotaLow> best;
  for (const ApiKey& key : subject.keys) {
    const KeyName name = KeyNameOf(key);
    if (ring != rings_.end() && ring->second.Out(name, now)) continue;
    const auto low = deployment->Low(name, tokens, now);
    if (!low) return;
    if (!best || low->until < best->until) best = low;
  }
  view->low = best;
}

void HealthBoard::Look(absl::Span<const HealthSubject* const> subjects,
                       int64_t tokens, Instant now,
                       std::vector<HealthView>* views) const {
  views->clear();
  views->reserve(subjects.size());
  MutexLock lock(mutex_);
  // Candidates of one provider mostly stand together.
  std::string_view provider;
  std::optional<KeyOut> keys_out;
  const bool all_in = subjects.size() > 1 && AllKeysIn();
  for (const HealthSubject* const subject : subjects) {
    const DeploymentHealth* known = Find(*subject);
    HealthView& view =
        views->emplace_back(known == nullptr ? HealthView() : known->View(now));
    if (!all_in && (provider != subject->provider || views->size() == 1)) {
      provider = subject->provider;
      keys_out = KeysOut(provider, subject->keys, now);
    }
    if (keys_out && (view.ready() || keys_out->back_at > view.back_at)) {
      view.out = HealthView::Out::kKeys;
      view.why = keys_out->why;
      view.back_at = keys_out->back_at;
      view.state = HealthState::kUnavailable;
      if (keys_out->in_trial) view.out = HealthView::Out::kTrial;
    }
    AddKeys(*subject, known, tokens, now, &view);
  }
}

HealthView HealthBoard::View(const HealthSubject& subject, Instant now,
                             int64_t tokens) const {
  std::vector<HealthView> views;
  const HealthSubject* const one = &subject;
  Look({&one, 1}, tokens, now, &views);
  return views.front();
}

KeyPool HealthBoard::Keys(std::string_view provider,
                          absl::Span<const ApiKey> keys, Instant now) const {
  KeyPool pool;
  pool.keys = static_cast<int>(keys.size());
  MutexLock lock(mutex_);
  const auto ring = rings_.find(ToAbsl(provider));
  for (const FailureClass why :
       {FailureClass::kBadKey, FailureClass::kOutOfMoney,
        FailureClass::kRateLimited}) {
    int out = 0;
    for (const ApiKey& key : keys) {
      if (ring == rings_.end()) break;
      const auto state = ring->second.Out(KeyNameOf(key), now);
      if (state && state->why == why) ++out;
    }
    pool.out.emplace_back(why, out);
  }
  return pool;
}

std::optional<size_t> HealthBoard::RefusedKey(std::string_view provider,
                                              absl::Span<const ApiKey> keys,
                                              Instant now) const {
  MutexLock lock(mutex_);
  const auto ring = rings_.find(ToAbsl(provider));
  if (ring == rings_.end()) return std::nullopt;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto out = ring->second.Out(KeyNameOf(keys[i]), now);
    if (out && out->why == FailureClass::kBadKey) return i;
  }
  return std::nullopt;
}

bool HealthBoard::HasUsableKey(std::string_view provider,
                               absl::Span<const ApiKey> keys, int avoid,
                               Instant now) const {
  MutexLock lock(mutex_);
  const auto ring = rings_.find(ToAbsl(provider));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (static_cast<int>(i) == avoid) continue;
    if (ring == rings_.end() || !ring->second.Out(KeyNameOf(keys[i]), now)) {
      return true;
    }
  }
  return false;
}

void HealthBoard::ChooseKey(const HealthSubject& subject,
                            const Entering& entering, Instant now, Pass* pass) {
  pass->keys_ = static_cast<int>(subject.keys.size());
  if (subject.keys.empty()) return;
  KeyRing& ring = rings_[std::string(subject.provider)];
  const std::vector<KeyName> names =
      NamesOf(subject.keys.subspan(0, kMostKeys));
  std::vector<KeyName> low;
  for (const KeyName name : names) {
    if (pass->deployment_ == nullptr || pass->deployment_->quotas.empty()) {
      break;
    }
    if (pass->deployment_->Low(name, entering.tokens, now)) low.push_back(name);
  }
  const auto same = static_cast<size_t>(std::max(entering.same_key, 0));
  const bool again = entering.same_key >= 0 && same < names.size() &&
                     !ring.Out(names[same], now);
  if (again) {
    pass->key_ = entering.same_key;
    pass->key_trial_ = ring.TakeTrial(names[same], now);
  } else {
    pass->key_ =
        ring.Pick(names, low, entering.avoid_key, now, &pass->key_trial_);
  }
  pass->key_name_ = names[static_cast<size_t>(pass->key_)];
}

std::optional<HealthBoard::Pass> HealthBoard::Enter(
    const HealthSubject& subject, const Entering& entering, Instant now) {
  MutexLock lock(mutex_);
  const auto keys_out = KeysOut(subject.provider, subject.keys, now);
  if (keys_out &&
      !(entering.last_resort && keys_out->why != FailureClass::kRateLimited)) {
    return std::nullopt;
  }
  DeploymentHealth* deployment = FindOrAdd(subject.deployment, now);
  uint64_t trial = 0;
  if (deployment != nullptr) {
    const HealthView view = deployment->View(now);
    const bool early = entering.last_resort && !view.early_trial &&
                       view.out == HealthView::Out::kOpen &&
                       !deployment->rest.Lasts(now);
    if (!view.ready() && !early) return std::nullopt;
    trial = deployment->breaker.TakeTrial(now, early);
    ++deployment->in_flight;
  }
  Pass pass(this, deployment);
  pass.provider_ = std::string(subject.provider);
  pass.trial_ = trial;
  pass.denied_before_ = entering.denied_before;
  ChooseKey(subject, entering, now, &pass);
  if (deployment != nullptr) deployment->Sent(pass.key_name_, entering.tokens);
  if (entering.first) budgets_[pass.provider_].First(now);
  return pass;
}

bool HealthBoard::TakeRepeat(std::string_view provider, Instant now) {
  MutexLock lock(mutex_);
  return budgets_[std::string(provider)].TakeRepeat(now);
}

void HealthBoard::Answering(const Pass& pass, absl::Duration first_content,
                            Instant now) {
  MutexLock lock(mutex_);
  if (pass.deployment_ != nullptr) {
    pass.deployment_->latency.Measure(first_content, now);
    pass.deployment_->breaker.Answering(pass.trial_);
    Recount(pass.deployment_);
  }
  if (pass.key_trial_) {
    rings_[pass.provider_].Succeed(pass.key_name_, now);
  }
}

void HealthBoard::Report(const Pass& pass, absl::Span<const ApiKey> keys,
                         const HealthReport& report) {
  MutexLock lock(mutex_);
  HealthReport of_deployment = report;
  const bool good = report.failure == FailureClass::kNone;
  const bool limited = report.failure == FailureClass::kRateLimited;
  DeploymentHealth* deployment = pass.deployment_;
  if (deployment != nullptr && report.limits != nullptr) {
    deployment->Observe(*report.limits, pass.key_name_, report.now);
  }
  if (pass.key_ >= 0) {
    KeyRing& ring = rings_[pass.provider_];
    if (good) {
      ring.Succeed(pass.key_name_, report.started);
    } else if (!ring.all_in() || KeyRing::IsTheKeys(report.failure)) {
      // With one key its limit is the deployment's; other models may go on
      // soon.
      auto asked = report.retry_after;
      if (pass.keys_ < 2) {
        asked = std::min(asked.value_or(kOneKeyHintless), kOneKeyRest);
      }
      ring.Fail(pass.key_name_, report.failure, asked, report.now, Jitter());
    }
    if (limited && pass.keys_ > 1) {
      const auto out = KeysOut(pass.provider_, keys, report.now);
      if (!out) return;
      of_deployment.retry_after = out->back_at - report.now;
    }
  }
  if (deployment == nullptr) return;
  // A key without the right is the deployment's trouble once no other helps.
  const bool denied = report.failure == FailureClass::kPermission &&
                      (pass.keys_ < 2 || pass.denied_before_);
  if (!good && !denied && !CountsAgainstHealth(report.failure)) return;
  if (report.at_callers_deadline && !deployment->SilentTooLong(report)) return;
  deployment->Report(of_deployment, Jitter());
  Recount(deployment);
}

void HealthBoard::Report(std::string_view deployment,
                         const HealthReport& report) {
  const FailureClass failure = report.failure;
  if (failure != FailureClass::kNone && !CountsAgainstHealth(failure)) return;
  MutexLock lock(mutex_);
  DeploymentHealth* known = FindOrAdd(deployment, report.now);
  if (known == nullptr) return;
  known->Report(report, Jitter());
  Recount(known);
}

void HealthBoard::ReportKey(std::string_view provider, const ApiKey& key,
                            const HealthReport& report) {
  MutexLock lock(mutex_);
  KeyRing& ring = rings_[std::string(provider)];
  if (report.failure == FailureClass::kNone) {
    ring.Succeed(KeyNameOf(key), report.started);
  } else {
    ring.Fail(KeyNameOf(key), report.failure, report.retry_after, report.now,
              Jitter());
  }
}

void HealthBoard::SeenUp(absl::Span<const HealthSubject> deployments,
                         const ApiKey* key, Instant now) {
  MutexLock lock(mutex_);
  for (const HealthSubject& subject : deployments) {
    const auto it = deployments_.find(ToAbsl(subject.deployment));
    if (it == deployments_.end()) continue;
    it->second->seen_down = false;
    it->second->breaker.EndEarly(now);
  }
  if (key == nullptr || deployments.empty()) return;
  const auto ring = rings_.find(ToAbsl(deployments.front().provider));
  if (ring != rings_.end()) ring->second.EndEarly(KeyNameOf(*key), now);
}

void HealthBoard::SeenDown(absl::Span<const HealthSubject> deployments,
                           Instant idle_since) {
  MutexLock lock(mutex_);
  for (const HealthSubject& subject : deployments) {
    DeploymentHealth* known = FindOrAdd(subject.deployment, idle_since);
    if (known == nullptr || known->last_report > idle_since) continue;
    known->seen_down = true;
  }
}

}  // namespace llm
