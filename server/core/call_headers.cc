#include "server/core/call_headers.h"

#include <algorithm>

#include "absl/strings/match.h"
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

// Header values may hold nothing else on either wire; gRPC aborts the process
// on metadata that does.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

}  // namespace

std::string TraceIdOf(std::string_view traceparent) {
  // version "-" trace id "-" parent id "-" flags
  // https://www.w3.org/TR/trace-context/ (read 2026-11-22)
  constexpr size_t kLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (traceparent.size() < kLength || traceparent[2] != '-' ||
      traceparent[35] != '-' || traceparent[52] != '-') {
    return {};
  }
  const std::string_view id = traceparent.substr(3, 32);
  if (!IsLowerHex(id) || !IsLowerHex(traceparent.substr(0, 2)) ||
      traceparent.substr(0, 2) == "ff" ||
      id.find_first_not_of('0') == std::string_view::npos) {
    return {};
  }
  return std::string(id);
}

std::string KeptRequestId(std::string_view callers, std::string_view ours) {
  constexpr size_t kLongest = 128;
  const bool fit = !callers.empty() && callers.size() <= kLongest &&
                   std::all_of(callers.begin(), callers.end(),
                               [](char c) { return c > 0x20 && c < 0x7f; });
  return std::string(fit ? callers : ours);
}

absl::StatusOr<absl::Duration> ParseCallerTimeout(std::string_view text) {
  absl::Duration timeout;
  if (!absl::ParseDuration(ToAbsl(text), &timeout) ||
      timeout <= absl::ZeroDuration()) {
    return RefuseCall(absl::StatusCode::kInvalidArgument, "invalid_request",
                      "x-llm-timeout must be a positive duration with a unit, "
                      "for example 90s",
                      "x-llm-timeout");
  }
  return timeout;
}

bool ParseSwitch(std::string_view text) {
  return text == "1" || absl::EqualsIgnoreCase(ToAbsl(text), "true");
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
