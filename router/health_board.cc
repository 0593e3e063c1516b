#include "router/health_board.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
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

std::string KeyName(std::string_view provider, int key) {
  return absl::StrCat(ToAbsl(provider), "#", key);
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

void HealthBoard::Report(std::string_view deployment, FailureClass failure,
                         std::optional<absl::Duration> retry_after,
                         Instant now) {
  if (failure != FailureClass::kNone && !CountsAgainstHealth(failure)) return;
  MutexLock lock(mutex_);
  // Callers can name upstream ids that no configuration knows.
  if (deployments_.size() >= kMaxDeployments &&
      !deployments_.contains(ToAbsl(deployment))) {
    absl::erase_if(deployments_, [now](const auto& known) {
      return known.second.cooling_until <= now;
    });
    if (deployments_.size() >= kMaxDeployments) return;
  }
  Entry& entry = deployments_[std::string(deployment)];
  if (failure == FailureClass::kNone) {
    entry.any_success = true;
    entry.consecutive_failures = 0;
    entry.cooling_until = Instant{};
    return;
  }
  entry.any_failure = true;
  ++entry.consecutive_failures;
  std::optional<absl::Duration> cool;
  if (failure == FailureClass::kRateLimited ||
      failure == FailureClass::kOverloaded) {
    if (retry_after) cool = std::min(*retry_after, kLongestRetryAfter);
  }
  if (!cool && failure == FailureClass::kRateLimited) {
    cool = Growing(entry.consecutive_failures - 1);
  }
  if (!cool && entry.consecutive_failures >= kFailuresToCool) {
    cool = Growing(entry.consecutive_failures - kFailuresToCool);
  }
  // A shorter wait never cuts a longer one short: the failures of calls in
  // flight arrive in any order.
  if (cool) entry.cooling_until = std::max(entry.cooling_until, now + *cool);
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

std::optional<Instant> HealthBoard::KeysOutUntil(std::string_view provider,
                                                 int key_count,
                                                 Instant now) const {
  if (key_count <= 0) return std::nullopt;
  MutexLock lock(mutex_);
  Instant first = Instant::Never();
  for (int key = 0; key < key_count; ++key) {
    const auto it = keys_.find(KeyName(provider, key));
    if (it == keys_.end() || it->second <= now) return std::nullopt;
    first = std::min(first, it->second);
  }
  return first;
}

int HealthBoard::PickKey(std::string_view provider, int key_count, int avoid,
                         Instant now) {
  if (key_count <= 0) return -1;
  MutexLock lock(mutex_);
  const uint64_t turn = turns_[std::string(provider)]++;
  int soonest = -1;
  Instant soonest_at = Instant::Never();
  for (int step = 0; step < key_count; ++step) {
    const int key = static_cast<int>((turn + static_cast<uint64_t>(step)) %
                                     static_cast<uint64_t>(key_count));
    if (key == avoid && key_count > 1) continue;
    const auto it = keys_.find(KeyName(provider, key));
    if (it == keys_.end() || it->second <= now) return key;
    if (soonest < 0 || it->second < soonest_at) {
      soonest = key;
      soonest_at = it->second;
    }
  }
  return soonest;
}

void HealthBoard::ReportKey(std::string_view provider, int key,
                            FailureClass failure, Instant now) {
  if (key < 0) return;
  absl::Duration out = absl::ZeroDuration();
  switch (failure) {
    case FailureClass::kBadKey:
      out = kKeyRefusedFor;
      break;
    case FailureClass::kOutOfMoney:
      out = kKeyOutOfMoneyFor;
      break;
    case FailureClass::kRateLimited:
      out = kKeyRateLimitedFor;
      break;
    case FailureClass::kNone:
      break;
    default:
      return;
  }
  MutexLock lock(mutex_);
  if (failure == FailureClass::kNone) {
    keys_.erase(KeyName(provider, key));
    return;
  }
  Instant& until = keys_[KeyName(provider, key)];
  until = std::max(until, now + out);
}

}  // namespace llm
