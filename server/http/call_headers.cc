#include "server/http/call_headers.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_error.h"

namespace llm::server {
namespace {

std::optional<absl::Duration> Seconds(std::string_view text) {
  double seconds = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &seconds) || !std::isfinite(seconds) ||
      seconds <= 0) {
    return std::nullopt;
  }
  return absl::Seconds(seconds);
}

std::optional<absl::Duration> DurationOf(std::string_view text) {
  if (const auto seconds = Seconds(text)) return seconds;
  absl::Duration duration;
  if (!absl::ParseDuration(ToAbsl(text), &duration) ||
      duration <= absl::ZeroDuration() ||
      duration == absl::InfiniteDuration()) {
    return std::nullopt;
  }
  return duration;
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

}  // namespace

std::string_view SaneRequestId(const HttpRequest& request) {
  const std::string_view id = request.Header("x-request-id");
  if (id.size() > 128) return {};
  const bool sane = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
  });
  return sane ? id : std::string_view();
}

// Fact: w3.org/TR/trace-context, version 00, read 2026-11-22.
std::string_view TraceIdOf(std::string_view traceparent) {
  if (traceparent.size() < 55 || traceparent[2] != '-' ||
      traceparent[35] != '-' || traceparent[52] != '-') {
    return {};
  }
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace = traceparent.substr(3, 32);
  const std::string_view parent = traceparent.substr(36, 16);
  const bool whole = version == "00"
                         ? traceparent.size() == 55
                         : traceparent.size() == 55 || traceparent[55] == '-';
  if (!whole || version == "ff" || !IsHex(version) || !IsHex(trace) ||
      !IsHex(parent) || !IsHex(traceparent.substr(53, 2)) ||
      trace.find_first_not_of('0') == std::string_view::npos ||
      parent.find_first_not_of('0') == std::string_view::npos) {
    return {};
  }
  return trace;
}

absl::StatusOr<absl::Duration> TimeoutOf(const HttpRequest& request) {
  absl::Duration timeout = absl::InfiniteDuration();
  const std::string_view own = request.Header("x-llm-timeout");
  if (!own.empty()) {
    const auto duration = DurationOf(own);
    if (!duration) {
      return RefuseCall(absl::StatusCode::kInvalidArgument, "invalid_request",
                        "x-llm-timeout must be a positive time such as 90s.",
                        "x-llm-timeout");
    }
    timeout = *duration;
  }
  for (const std::string_view name :
       {"x-stainless-timeout", "x-stainless-read-timeout"}) {
    const auto duration = Seconds(request.Header(name));
    if (duration) timeout = std::min(timeout, *duration);
  }
  return timeout;
}

absl::Status FillContext(const HttpRequest& request, const HttpTarget& target,
                         CallContext* context) {
  LLM_ASSIGN_OR_RETURN(const absl::Duration timeout, TimeoutOf(request));
  context->deadline = context->received + timeout;
  context->path_run = target.run;
  context->path_task = target.task;
  context->path_agent = target.agent;
  context->trace_id = std::string(TraceIdOf(request.Header("traceparent")));
  const std::string_view strict = request.Header("x-llm-strict");
  context->strict =
      strict == "1" || absl::EqualsIgnoreCase(ToAbsl(strict), "true");
  return absl::OkStatus();
}

}  // namespace llm::server
