#include "server/http/request_context.h"

#include <algorithm>

#include "adapters/core/status_macros.h"
#include "server/core/call_headers.h"

namespace llm::server {

absl::StatusOr<absl::Duration> TimeoutOf(const HttpRequest& request) {
  absl::Duration timeout = absl::InfiniteDuration();
  const std::string_view own = request.Header("x-llm-timeout");
  if (!own.empty()) {
    LLM_ASSIGN_OR_RETURN(timeout, ParseCallerTimeout(own));
  }
  for (const std::string_view name :
       {"x-stainless-timeout", "x-stainless-read-timeout"}) {
    const auto seconds = ParseSeconds(request.Header(name));
    if (seconds) timeout = std::min(timeout, *seconds);
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
  context->trace_id = TraceIdOf(request.Header("traceparent"));
  context->strict = ParseSwitch(request.Header("x-llm-strict"));
  LLM_ASSIGN_OR_RETURN(
      context->priority,
      ParsePriority(request.Header("x-llm-priority"), "x-llm-priority"));
  LLM_ASSIGN_OR_RETURN(context->idempotency_key,
                       ParseIdempotencyKey(request.Header("idempotency-key")));
  return absl::OkStatus();
}

}  // namespace llm::server
