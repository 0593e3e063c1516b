// Why an attempt failed, in the few classes that change what happens next.
//
// The dialect classifies (it knows the provider's words); the router decides
// (one table, router/classify_failure.h). Provider facts: each class lists
// the wire signals in its dialect's error_table.cc with page and date.
#ifndef LLM_ADAPTERS_CORE_FAILURE_H_
#define LLM_ADAPTERS_CORE_FAILURE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace llm {

enum class FailureClass {
  kNone,            // no failure
  kInvalidRequest,  // the provider refused the request as malformed
  kUnsupported,     // strict: a field cannot be passed on; nothing was sent
  kContextLength,   // prompt too long for this model
  kContentFilter,   // a filter refused the prompt with a 4xx
  kBadKey,          // our key is wrong or expired
  kPermission,      // our account may not use this
  kOutOfMoney,      // our account has no balance or hit its spend limit
  kModelNotFound,   // the upstream model does not exist
  kRateLimited,     // come back after a while
  kOverloaded,      // the provider is short of capacity
  kServerError,     // 5xx, or an error event without a better class
  kTimeout,         // a deadline of the attempt
  kConnect,         // no connection; nothing was sent
  kTransport,       // the connection broke after something was sent
  kBadAnswer,       // not an answer in the provider's dialect
  kIncomplete,      // the stream ended without its terminal event
  kEmptyAnswer,     // success with neither content nor tool call nor refusal
  kCancelled,       // the caller left, or another attempt won
  kSinkFailed,      // the caller's side refused the chunk
};

// A stable lower-case word for metrics, rows and logs: "rate_limited".
std::string_view FailureClassName(FailureClass failure);

// The status code that the attempt reports for a class (style 3.4).
absl::StatusCode FailureStatusCode(FailureClass failure);

// Everything known about a failed attempt. Carries no upstream body; words
// and codes from the provider are cut and cleaned (see SanitiseUpstreamText).
struct UpstreamFailure {
  FailureClass failure = FailureClass::kNone;
  int http_status = 0;
  std::string code;     // the provider's code, cut to 64 safe characters
  std::string type;     // the provider's type, likewise
  std::string param;    // the request field it named, likewise
  std::string message;  // the provider's words, cut to 512 characters
  std::optional<absl::Duration> retry_after;
  // The provider's own id of the exchange, for its support desk.
  std::string provider_request_id;
};

// Provider words fit for a caller: at most `limit` characters, control
// characters and malformed UTF-8 gone, anything that looks like a credential
// (a run of 20 or more key characters after "sk-", "Bearer ", "key") masked.
std::string SanitiseUpstreamText(std::string_view text, size_t limit);

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_FAILURE_H_
