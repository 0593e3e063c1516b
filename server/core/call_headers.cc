#include "server/core/call_headers.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/core/text.h"
#include "router/call_error.h"

namespace llm::server {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

bool IsZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// Header values may hold nothing else on either wire; gRPC aborts the process
// on metadata that does.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

}  // namespace

// version "-" trace id "-" parent id "-" flags
// Fact: w3.org/TR/trace-context, read 2026-11-22.
std::string TraceIdOf(std::string_view traceparent) {
  constexpr size_t kLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (traceparent.size() < kLength || traceparent[2] != '-' ||
      traceparent[35] != '-' || traceparent[52] != '-') {
    return {};
  }
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace = traceparent.substr(3, 32);
  const std::string_view parent = traceparent.substr(36, 16);
  const bool ends = traceparent.size() == kLength ||
                    (version != "00" && traceparent[kLength] == '-');
  if (!ends || version == "ff" || !IsLowerHex(version) || !IsLowerHex(trace) ||
      !IsLowerHex(parent) || !IsLowerHex(traceparent.substr(53, 2)) ||
      IsZero(trace) || IsZero(parent)) {
    return {};
  }
  return std::string(trace);
}

std::string_view SaneRequestId(std::string_view callers) {
  constexpr size_t kLongest = 128;
  if (callers.size() > kLongest) return {};
  const bool sane = std::all_of(callers.begin(), callers.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\'' && c != '\\';
  });
  return sane ? callers : std::string_view();
}

std::optional<absl::Duration> ParseSeconds(std::string_view text) {
  double seconds = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &seconds) || !std::isfinite(seconds)) {
    return std::nullopt;
  }
  const absl::Duration duration = absl::Seconds(seconds);
  if (duration <= absl::ZeroDuration() ||
      duration == absl::InfiniteDuration()) {
    return std::nullopt;
  }
  return duration;
}

absl::StatusOr<absl::Duration> ParseCallerTimeout(std::string_view text) {
  if (const auto seconds = ParseSeconds(text)) return *seconds;
  absl::Duration timeout;
  if (!absl::ParseDuration(ToAbsl(text), &timeout) ||
      timeout <= absl::ZeroDuration() || timeout == absl::InfiniteDuration()) {
    return RefuseField("x-llm-timeout",
                       "x-llm-timeout must be a positive time such as 90s");
  }
  return timeout;
}

bool ParseSwitch(std::string_view text) {
  return text == "1" || absl::EqualsIgnoreCase(ToAbsl(text), "true");
}

absl::StatusOr<std::string> ParseIdempotencyKey(std::string_view text) {
  constexpr size_t kLongest = 255;
  const bool sane = text.size() <= kLongest &&
                    std::all_of(text.begin(), text.end(),
                                [](char c) { return c >= 0x20 && c < 0x7f; });
  if (sane) return std::string(text);
  return RefuseField("Idempotency-Key",
                     "Idempotency-Key must be 1 to 255 printable ASCII "
                     "characters");
}

std::vector<std::pair<std::string, std::string>> FactHeaders(
    const v1::ServiceInfo& info) {
  std::vector<std::pair<std::string, std::string>> facts;
  if (!info.model().empty()) {
    facts.emplace_back("x-llm-model", Printable(info.model()));
  }
  if (!info.provider().empty()) {
    facts.emplace_back("x-llm-provider", Printable(info.provider()));
  }
  facts.emplace_back("x-llm-attempts", absl::StrCat(info.attempts()));
  if (info.has_cost()) {
    facts.emplace_back("x-llm-cost",
                       Printable(absl::StrCat(info.cost().amount(), " ",
                                              info.cost().currency())));
  }
  facts.emplace_back("x-llm-overhead-us", absl::StrCat(info.overhead_us()));
  if (!info.dropped().empty()) {
    facts.emplace_back("x-llm-dropped",
                       Printable(absl::StrJoin(info.dropped(), ", ")));
  }
  return facts;
}

}  // namespace llm::server
