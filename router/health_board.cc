#include "router/health_board.h"

#include <algorithm>

#include "adapters/core/text.h"
#include "router/classify_failure.h"

namespace llm {
namespace {

constexpr absl::Duration kFirstCooldown = absl::Seconds(5);
constexpr absl::Duration kLongestCooldown = absl::Seconds(60);
// A provider that asks for more than this is asked again all the same: a
// mistaken header must not take a deployment out for a day.
constexpr absl::Duration kLongestRetryAfter = absl::Hours(1);
// Far more than are configured; bounds what ad-hoc names can fill.
constexpr size_t kMaxDeployments = 4096;
// One failed call says little about a deployment; three in a row say enough.
constexpr int kFailuresToCool = 3;
// How long a key is set aside. Long enough not to waste an attempt on every
// call, short enough that a topped-up account is found again.
constexpr absl::Duration kKeyRefusedFor = absl::Minutes(5);
constexpr absl::Duration kKeyOutOfMoneyFor = absl::Minutes(1);
constexpr absl::Duration kKeyRateLimitedFor = absl::Seconds(5);

absl::Duration Growing(int step) {
  return std::min(kFirstCooldown * (1 << std::clamp(step, 0, 10)),
                  kLongestCooldown);
}

Digest KeyName(std::string_view provider, const ApiKey& key) {
  return DigestOf({provider, key.Reveal()});
}

// How long the `failures`th failure in a row cools a deployment, if at all.
std::optional<absl::Duration> CooldownFor(const HealthReport& report,
                                          int failures) {
  const bool limited = report.failure == FailureClass::kRateLimited;
  if ((limited || report.failure == FailureClass::kOverloaded) &&
      report.retry_after) {
    return std::min(*report.retry_after, kLongestRetryAfter);
  }
  if (limited) return Growing(failures - 1);
  if (failures < kFailuresToCool) return std::nullopt;
  return Growing(failures - kFailuresToCool);
}

// How long a failure sets its key aside; zero: not at all.
absl::Duration KeyOutFor(const HealthReport& report) {
  switch (report.failure) {
    case FailureClass::kBadKey:
      return kKeyRefusedFor;
    case FailureClass::kOutOfMoney:
      return kKeyOutOfMoneyFor;
    case FailureClass::kRateLimited:
      return std::min(report.retry_after.value_or(kKeyRateLimitedFor),
                      kLongestRetryAfter);
    default:
      return absl::ZeroDuration();
  }
}

}  // namespace

std::string_view HealthStateName(HealthState state) {
  switch (state) {
    case HealthState::kUnknown:
      return "unknown";
    case HealthState::kHealthy:
      return "healthy";
    case HealthState::kDegraded:
      return "degraded";
    case HealthState::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

bool HealthBoard::MayAdd(std::string_view deployment, Instant now) {
  if (deployments_.size() < kMaxDeployments ||
      deployments_.contains(ToAbsl(deployment))) {
    return true;
  }
  absl::erase_if(deployments_, [now](const auto& known) {
    return known.second.cooling_until <= now;
  });
  return deployments_.size() < kMaxDeployments;
}

void HealthBoard::Report(std::string_view deployment,
                         const HealthReport& report) {
  const FailureClass failure = report.failure;
  if (failure != FailureClass::kNone && !CountsAgainstHealth(failure)) return;
  MutexLock lock(mutex_);
  // Callers can name upstream ids that no configuration knows.
  if (!MayAdd(deployment, report.now)) return;
  Entry& entry = deployments_[std::string(deployment)];
  if (failure == FailureClass::kNone) {
    // An answer that was on its way when the trouble began says nothing
    // about its end.
    if (entry.consecutive_failures > 0 && entry.last_failure > report.started) {
      return;
    }
    entry.consecutive_failures = 0;
    entry.cooling_until = Instant{};
    return;
  }
  entry.last_failure = std::max(entry.last_failure, report.now);
  ++entry.consecutive_failures;
  const auto cool = CooldownFor(report, entry.consecutive_failures);
  // A shorter wait never cuts a longer one short: the failures of calls in
  // flight arrive in any order.
  if (cool) {
    entry.cooling_until = std::max(entry.cooling_until, report.now + *cool);
  }
}

HealthState HealthBoard::State(std::string_view deployment, Instant now) const {
  MutexLock lock(mutex_);
  const auto it = deployments_.find(ToAbsl(deployment));
  if (it == deployments_.end()) return HealthState::kUnknown;
  if (it->second.cooling_until > now) return HealthState::kUnavailable;
  if (it->second.consecutive_failures > 0) return HealthState::kDegraded;
  return HealthState::kHealthy;
}

std::optional<Instant> HealthBoard::CoolingUntil(std::string_view deployment,
                                                 Instant now) const {
  MutexLock lock(mutex_);
  const auto it = deployments_.find(ToAbsl(deployment));
  if (it == deployments_.end() || it->second.cooling_until <= now) {
    return std::nullopt;
  }
  return it->second.cooling_until;
}

std::optional<Instant> HealthBoard::KeyOutUntil(std::string_view provider,
                                                const ApiKey& key,
                                                Instant now) const {
  // Nearly always nothing is set aside, and nothing need be hashed.
  if (keys_.empty()) return std::nullopt;
  const auto it = keys_.find(KeyName(provider, key));
  if (it == keys_.end() || it->second.until <= now) return std::nullopt;
  return it->second.until;
}

std::optional<Instant> HealthBoard::KeysOutUntil(std::string_view provider,
                                                 absl::Span<const ApiKey> keys,
                                                 Instant now) const {
  if (keys.empty()) return std::nullopt;
  MutexLock lock(mutex_);
  Instant first = Instant::Never();
  for (const ApiKey& key : keys) {
    const auto until = KeyOutUntil(provider, key, now);
    if (!until) return std::nullopt;
    first = std::min(first, *until);
  }
  return first;
}

bool HealthBoard::HasUsableKey(std::string_view provider,
                               absl::Span<const ApiKey> keys, int avoid,
                               Instant now) const {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (static_cast<int>(i) == avoid) continue;
    if (!KeyOutUntil(provider, keys[i], now)) return true;
  }
  return false;
}

int HealthBoard::PickKey(std::string_view provider,
                         absl::Span<const ApiKey> keys, int avoid,
                         Instant now) {
  if (keys.empty()) return -1;
  MutexLock lock(mutex_);
  const uint64_t turn = turns_[std::string(provider)]++;
  int soonest = -1;
  Instant soonest_at = Instant::Never();
  for (size_t step = 0; step < keys.size(); ++step) {
    const size_t at = (turn + step) % keys.size();
    const int key = static_cast<int>(at);
    if (key == avoid && keys.size() > 1) continue;
    const auto until = KeyOutUntil(provider, keys[at], now);
    if (!until) return key;
    if (soonest < 0 || *until < soonest_at) {
      soonest = key;
      soonest_at = *until;
    }
  }
  return soonest;
}

void HealthBoard::ReportKey(std::string_view provider, const ApiKey& key,
                            const HealthReport& report) {
  const absl::Duration out = KeyOutFor(report);
  const bool good = report.failure == FailureClass::kNone;
  if (!good && out <= absl::ZeroDuration()) return;
  MutexLock lock(mutex_);
  if (good && keys_.empty()) return;
  const Digest name = KeyName(provider, key);
  if (good) {
    const auto it = keys_.find(name);
    if (it != keys_.end() && it->second.set_at <= report.started) {
      keys_.erase(it);
    }
    return;
  }
  // Keys that a reload took away leave nothing behind.
  absl::erase_if(keys_, [&report](const auto& known) {
    return known.second.until <= report.now;
  });
  KeyEntry& entry = keys_[name];
  entry.until = std::max(entry.until, report.now + out);
  entry.set_at = std::max(entry.set_at, report.now);
}

}  // namespace llm
