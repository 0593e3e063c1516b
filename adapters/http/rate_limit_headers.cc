#include "adapters/http/rate_limit_headers.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "adapters/http/retry_after.h"

namespace llm {
namespace {

using MaybeCount = std::optional<int64_t>;
using MaybeDuration = std::optional<absl::Duration>;

// No account has a larger limit; a larger number is an id or a fault.
constexpr int64_t kMaxCount = int64_t{1} << 50;
// Plain seconds are never this large, dates always are (2001-09-09).
constexpr double kEpoch = 1e9;
constexpr double kEpochMillis = 1e12;

// One limit as said.
struct Limit {
  MaybeCount limit;
  MaybeCount remaining;
  MaybeDuration reset;
};

std::string_view Strip(std::string_view text) {
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

bool IsOfLimits(std::string_view name) {
  constexpr std::string_view kWord = "ratelimit";
  return std::search(
             name.begin(), name.end(), kWord.begin(), kWord.end(),
             [](char a, char b) {
               return absl::ascii_tolower(static_cast<unsigned char>(a)) == b;
             }) != name.end();
}

class Reader {
 public:
  Reader(const std::vector<HttpHeader>& headers, absl::Time now) : now_(now) {
    for (const HttpHeader& header : headers) {
      if (IsOfLimits(header.name)) headers_.push_back(&header);
    }
  }

  // Most answers say nothing of limits, and are not searched for each name.
  bool empty() const { return headers_.empty(); }

  MaybeCount Count(std::string_view name) const {
    const std::string_view text = Value(name);
    int64_t count = 0;
    if (!absl::SimpleAtoi(ToAbsl(text), &count)) return std::nullopt;
    if (count < 0 || count > kMaxCount) return std::nullopt;
    return count;
  }

  MaybeDuration Reset(std::string_view name) const {
    return ParseReset(Value(name), now_);
  }

  // `limit`, `remaining` and `reset` take the place of % in the pattern.
  Limit Read(std::string_view pattern) const {
    const size_t at = pattern.find('%');
    const auto name = [&](std::string_view word) {
      return absl::StrCat(std::string(pattern.substr(0, at)), std::string(word),
                          std::string(pattern.substr(at + 1)));
    };
    return {Count(name("limit")), Count(name("remaining")),
            Reset(name("reset"))};
  }

  // Empty where it is absent, or said twice in two ways.
  std::string_view Value(std::string_view name) const {
    std::string_view value;
    bool seen = false;
    for (const HttpHeader* header : headers_) {
      if (!absl::EqualsIgnoreCase(header->name, ToAbsl(name))) continue;
      if (seen && Strip(header->value) != value) return {};
      value = Strip(header->value);
      seen = true;
    }
    return value;
  }

 private:
  std::vector<const HttpHeader*> headers_;
  const absl::Time now_;
};

// Smaller is scarcer; what says nothing of itself is not scarce at all.
double ShareLeft(const Limit& limit) {
  if (!limit.remaining) return 2;
  if (*limit.remaining == 0) return 0;
  if (!limit.limit || *limit.limit == 0) return 1;
  return static_cast<double>(*limit.remaining) /
         static_cast<double>(*limit.limit);
}

bool Says(const Limit& limit) {
  return limit.limit || limit.remaining || limit.reset;
}

Limit Scarcest(const std::vector<Limit>& limits) {
  Limit best;
  for (const Limit& limit : limits) {
    if (!Says(limit)) continue;
    if (!Says(best) || ShareLeft(limit) < ShareLeft(best)) best = limit;
  }
  return best;
}

// The number after `;name=` of a structured field's first item.
MaybeCount Parameter(std::string_view field, std::string_view name) {
  field = field.substr(0, field.find(','));
  size_t at = field.find(';');
  while (at != std::string_view::npos) {
    field.remove_prefix(at + 1);
    const std::string_view one = Strip(field.substr(0, field.find(';')));
    int64_t number = 0;
    if (one.starts_with(name) && one.size() > name.size() &&
        one[name.size()] == '=' &&
        absl::SimpleAtoi(ToAbsl(one.substr(name.size() + 1)), &number) &&
        number >= 0 && number <= kMaxCount) {
      return number;
    }
    at = field.find(';');
  }
  return std::nullopt;
}

// ratelimit: "default";r=50;t=30 and ratelimit-policy: "default";q=100;w=60.
Limit ReadDraft(const Reader& reader) {
  Limit limit;
  limit.remaining = Parameter(reader.Value("ratelimit"), "r");
  limit.limit = Parameter(reader.Value("ratelimit-policy"), "q");
  if (const auto seconds = Parameter(reader.Value("ratelimit"), "t")) {
    limit.reset = std::min(absl::Seconds(*seconds), kMaxRetryAfter);
  }
  return limit;
}

}  // namespace

std::optional<absl::Duration> ParseReset(std::string_view text,
                                         absl::Time now) {
  text = Strip(text);
  if (text.empty()) return std::nullopt;
  const auto bounded = [](absl::Duration wait) {
    return std::clamp(wait, absl::ZeroDuration(), kMaxRetryAfter);
  };
  double number = 0;
  if (absl::SimpleAtod(ToAbsl(text), &number)) {
    if (!std::isfinite(number) || number < 0) return std::nullopt;
    if (number >= kEpochMillis) {
      return bounded(absl::UnixEpoch() + absl::Milliseconds(number) - now);
    }
    if (number >= kEpoch) {
      return bounded(absl::UnixEpoch() + absl::Seconds(number) - now);
    }
    return bounded(absl::Seconds(number));
  }
  absl::Duration wait;
  if (absl::ParseDuration(ToAbsl(text), &wait)) {
    if (wait < absl::ZeroDuration()) return std::nullopt;
    return bounded(wait);
  }
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &time, &error)) {
    return bounded(time - now);
  }
  return std::nullopt;
}

RateLimitFacts ParseRateLimits(const std::vector<HttpHeader>& headers,
                               absl::Time now) {
  const Reader reader(headers, now);
  if (reader.empty()) return {};
  const Limit requests =
      Scarcest({reader.Read("x-ratelimit-%-requests"),
                reader.Read("x-ratelimit-%-req-minute"),
                reader.Read("anthropic-ratelimit-requests-%"),
                reader.Read("x-ratelimit-%"), reader.Read("ratelimit-%"),
                ReadDraft(reader)});
  const Limit tokens =
      Scarcest({reader.Read("x-ratelimit-%-tokens"),
                reader.Read("x-ratelimit-%-tokens-minute"),
                reader.Read("x-ratelimitbysize-%-minute"),
                reader.Read("x-ratelimitbysize-%"),
                reader.Read("anthropic-ratelimit-tokens-%"),
                reader.Read("anthropic-ratelimit-input-tokens-%"),
                reader.Read("anthropic-ratelimit-output-tokens-%")});
  return {requests.limit, requests.remaining, requests.reset,
          tokens.limit,   tokens.remaining,   tokens.reset};
}

std::optional<absl::Duration> ExhaustedUntil(const RateLimitFacts& facts) {
  MaybeDuration latest;
  const auto take = [&latest](MaybeCount remaining, MaybeDuration reset) {
    if (remaining != 0 || !reset) return;
    latest = std::max(latest.value_or(absl::ZeroDuration()), *reset);
  };
  take(facts.remaining_requests, facts.reset_requests);
  take(facts.remaining_tokens, facts.reset_tokens);
  return latest;
}

}  // namespace llm
