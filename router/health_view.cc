#include "router/health_view.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

std::string FailureWords(FailureClass why) {
  switch (why) {
    case FailureClass::kRateLimited:
      return "rate limited";
    case FailureClass::kOverloaded:
      return "overloaded";
    case FailureClass::kBadKey:
      return "key refused";
    case FailureClass::kOutOfMoney:
      return "account out of money";
    default:
      return std::string(FailureClassName(why));
  }
}

std::string OpenWords(const HealthView& view) {
  const std::string kind =
      view.why == FailureClass::kNone
          ? ""
          : absl::StrCat(" (", FailureWords(view.why), ")");
  if (view.of > 0) {
    return absl::StrCat("open after ", view.failures, " failures in ", view.of,
                        kind);
  }
  return absl::StrCat("open after ", view.failures,
                      view.failures == 1 ? " failure" : " failures", kind);
}

std::string LowWords(const QuotaLow& low, Instant now) {
  std::string words = absl::StrCat("nearly used up: ", low.left);
  if (low.limit) absl::StrAppend(&words, " of ", *low.limit);
  absl::StrAppend(&words, low.of_tokens ? " tokens" : " requests", " left for ",
                  ShortDuration(low.until - now));
  return words;
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

std::string ShortDuration(absl::Duration duration) {
  const double seconds = std::max(absl::ToDoubleSeconds(duration), 0.0);
  // By whole numbers: it stands in the reason of every call by latency, and
  // formatting a fraction costs ten times as much.
  if (seconds >= 120) return absl::StrCat(std::llround(seconds / 60), " min");
  if (seconds >= 10)
    return absl::StrCat(std::llround(std::ceil(seconds)), " s");
  if (seconds >= 1 || seconds == 0) {
    const int64_t tenths = std::llround(seconds * 10);
    return absl::StrCat(tenths / 10, ".", tenths % 10, " s");
  }
  return absl::StrCat(std::llround(seconds * 1000), " ms");
}

std::string HealthWords(const HealthView& view, Instant now) {
  const auto back = [&] {
    return absl::StrCat(", back in ", ShortDuration(view.back_at - now));
  };
  switch (view.out) {
    case HealthView::Out::kOpen:
      return absl::StrCat(OpenWords(view), back());
    case HealthView::Out::kTrial:
      return "half-open, one call is trying it";
    case HealthView::Out::kRest:
      return absl::StrCat(FailureWords(view.why), back());
    case HealthView::Out::kKeys:
      return absl::StrCat("no usable key: ", FailureWords(view.why), back());
    case HealthView::Out::kNo:
      break;
  }
  return view.low ? LowWords(*view.low, now) : "";
}

}  // namespace llm
