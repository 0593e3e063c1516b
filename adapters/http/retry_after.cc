#include "adapters/http/retry_after.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "adapters/core/text.h"
#include "adapters/http/rate_limit_headers.h"

namespace llm {
namespace {

using MaybeDuration = std::optional<absl::Duration>;

absl::Duration Bounded(absl::Duration wait) {
  return std::clamp(wait, absl::ZeroDuration(), kMaxRetryAfter);
}

MaybeDuration ParseNumber(std::string_view text, absl::Duration unit) {
  double number = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &number) || std::isnan(number)) {
    return std::nullopt;
  }
  return Bounded(number * unit);
}

// The three date forms of RFC 9110, section 5.6.7. The day's name is not
// checked: it says nothing that the date does not.
MaybeDuration ParseHttpDate(std::string_view text, absl::Time now) {
  const size_t comma = text.find(',');
  const std::string date(
      comma == std::string_view::npos ? text : text.substr(comma + 1));
  for (const char* format : {"%d %b %Y %H:%M:%S GMT", "%d-%b-%y %H:%M:%S GMT",
                             "%a %b %d %H:%M:%S %Y"}) {
    absl::Time time;
    std::string error;
    if (absl::ParseTime(format, date, &time, &error)) {
      return Bounded(time - now);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<absl::Duration> ParseRetryAfter(
    const std::vector<HttpHeader>& headers, absl::Time now) {
  for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    const std::string* value = FindHeader(headers, name);
    if (value == nullptr) continue;
    const MaybeDuration wait = ParseNumber(*value, absl::Milliseconds(1));
    if (wait) return wait;
  }
  if (const std::string* value = FindHeader(headers, "retry-after")) {
    const std::string_view text = ToStd(absl::StripAsciiWhitespace(*value));
    MaybeDuration wait = ParseNumber(text, absl::Seconds(1));
    if (!wait) wait = ParseHttpDate(text, now);
    if (wait) return wait;
  }
  return ExhaustedUntil(ParseRateLimits(headers, now));
}

}  // namespace llm
