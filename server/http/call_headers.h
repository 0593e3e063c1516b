// What request headers and path tags say about a call.
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_CALL_HEADERS_H_
#define LLM_SERVER_HTTP_CALL_HEADERS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "router/router.h"
#include "server/http/http_message.h"
#include "server/http/http_target.h"

namespace llm::server {

// The caller's `x-request-id` if it is 1 to 128 harmless characters, else
// empty.
std::string_view SaneRequestId(const HttpRequest& request);

// The trace id of a well-formed W3C traceparent, else empty.
std::string_view TraceIdOf(std::string_view traceparent);

// The earliest of x-llm-timeout ("90s", "250ms", or seconds) and the OpenAI
// SDKs' x-stainless-timeout and x-stainless-read-timeout (seconds; malformed
// ones are ignored, they are not ours). Infinite where none is set.
// kInvalidArgument for an x-llm-timeout that is not a positive time.
absl::StatusOr<absl::Duration> TimeoutOf(const HttpRequest& request);

// Deadline, tags, trace id and strictness.
absl::Status FillContext(const HttpRequest& request, const HttpTarget& target,
                         CallContext* context);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_CALL_HEADERS_H_
