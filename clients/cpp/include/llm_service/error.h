// What went wrong, from the absl::Status of a call.
//
//   auto answer = client.Chat(request);
//   if (!answer.ok()) {
//     std::cerr << llm::client::DescribeError(answer.status()) << "\n";
//     const auto wait = llm::client::RetryAfter(answer.status());
//   }
//
// The status code is gRPC's. The service's own facts are in one typed detail,
// llm.v1.UpstreamError; its `code` says which case it is:
//
//   code                     status              means
//   invalid_request          INVALID_ARGUMENT    `param` is at fault
//   invalid_api_key          UNAUTHENTICATED     missing or wrong key
//   model_not_allowed        PERMISSION_DENIED   this key may not use it
//   model_not_found          NOT_FOUND           no such model or task
//   body_too_large           RESOURCE_EXHAUSTED  request over the limit
//   rate_limited             RESOURCE_EXHAUSTED  the service's limit
//   budget_exceeded          RESOURCE_EXHAUSTED  the budget is used up
//   context_length_exceeded  INVALID_ARGUMENT    too long for every model
//   content_filter           INVALID_ARGUMENT    a provider refused the prompt
//   provider_rejected        mapped              a provider refused the request
//   provider_rate_limited    RESOURCE_EXHAUSTED  every provider is rate limited
//   provider_unavailable     UNAVAILABLE         every provider failed
//   timeout                  DEADLINE_EXCEEDED   the deadline of caller or
//                                                service passed
//   overloaded               UNAVAILABLE         draining or overloaded
//   idempotency_conflict     ABORTED             the key belongs to another
//                                                request
//   client_cancelled         CANCELLED           the service saw the caller go
//   internal                 INTERNAL            the service's own fault
//   not_implemented          UNIMPLEMENTED       not served (yet)
//
// Four ends come from this library, not from the service. A deadline that
// passes before the service has answered: `timeout`; a request over
// ClientOptions::max_request_bytes or an answer over max_response_bytes:
// `body_too_large`; metadata that cannot be sent: `invalid_request`. Their
// detail has `source` "client" and `attempts` 0 (of an answer, whatever it took
// the service), and as request id the caller's own, else the service's where
// that had come.
//
// A status without a detail: nobody listens at that address (UNAVAILABLE), the
// caller cancelled or a callback gave a status, an option or a file of
// Client::Create was bad, or something between here and the service, or gRPC
// inside it, failed: then the message begins with "from" and the address.
//
// Threads: Pure; any.
#ifndef LLM_SERVICE_ERROR_H_
#define LLM_SERVICE_ERROR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "llm/v1/common.pb.h"

namespace llm::client {

// The payload of a failed call's status under this type URL is a serialised
// llm.v1.UpstreamError.
inline constexpr char kErrorDetailUrl[] =
    "type.googleapis.com/llm.v1.UpstreamError";

// The detail: code, request id, attempts, source, provider, retry-after, ….
// Absent where the status is OK, and in the cases above.
std::optional<v1::UpstreamError> ErrorDetail(const absl::Status& status);

// After how long a repeat makes sense; absent: unknown.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

// True where the same call would fail the same way or was given up on purpose:
// the caller's own fault, a budget used up, the service's own retries spent
// (`no_retry`), a cancelled call. False where waiting may help. The library
// itself never repeats a call that the service has seen.
bool RetryPointless(const absl::Status& status);

// One line for a log or a user: status, code, message, provider, attempts,
// retry-after, request id. Never holds a prompt, an answer or a key.
std::string DescribeError(const absl::Status& status);

}  // namespace llm::client

#endif  // LLM_SERVICE_ERROR_H_
