// What an HTTP request says about its call beside the body: the words of
// server/core/call_headers.h as headers, the SDKs' timeouts, the path's tags.
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_REQUEST_CONTEXT_H_
#define LLM_SERVER_HTTP_REQUEST_CONTEXT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/router.h"
#include "server/http/http_message.h"
#include "server/http/http_target.h"

namespace llm::server {

// The earliest of x-llm-timeout and the OpenAI SDKs' x-stainless-timeout and
// x-stainless-read-timeout (seconds; malformed ones are ignored, they are not
// ours). Infinite where none is set. kInvalidArgument for an x-llm-timeout
// that is not a positive time.
absl::StatusOr<absl::Duration> TimeoutOf(const HttpRequest& request);

// Deadline, tags, trace id, strictness, priority and idempotency key.
absl::Status FillContext(const HttpRequest& request, const HttpTarget& target,
                         CallContext* context);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_REQUEST_CONTEXT_H_
