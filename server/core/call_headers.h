// The few words a caller and the service say beside the messages, under the
// same names in HTTP headers and gRPC metadata (contract.md sections 3, 4).
//
// Threads: Pure; any.
#ifndef LLM_SERVER_CORE_CALL_HEADERS_H_
#define LLM_SERVER_CORE_CALL_HEADERS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "llm/v1/chat.pb.h"

namespace llm::server {

// The trace id of a W3C traceparent; empty if it is not one. Versions after
// 00 may go on behind the flags.
std::string TraceIdOf(std::string_view traceparent);

// The caller's own request id if it is fit to be echoed and logged (1 to 128
// visible ASCII characters without quotes and backslashes), else empty.
std::string_view SaneRequestId(std::string_view callers);

// Plain seconds, "1.5": positive and finite, else nothing.
std::optional<absl::Duration> ParseSeconds(std::string_view text);

// x-llm-timeout: "90s", "1m30s", or plain seconds. kInvalidArgument for what
// is not a positive, finite time.
absl::StatusOr<absl::Duration> ParseCallerTimeout(std::string_view text);

// True for "true" and "1", in any case.
bool ParseSwitch(std::string_view text);

// The caller's Idempotency-Key, 1 to 255 printable ASCII characters; empty
// where it sent none. kInvalidArgument for anything else.
absl::StatusOr<std::string> ParseIdempotencyKey(std::string_view text);

// x-llm-model, x-llm-provider, x-llm-attempts, x-llm-cost ("0.000123 USD"),
// x-llm-overhead-us, x-llm-dropped ("seed, logprobs"): those that are known.
// Values are printable ASCII; anything else in a name became '?'.
std::vector<std::pair<std::string, std::string>> FactHeaders(
    const v1::ServiceInfo& info);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_CALL_HEADERS_H_
