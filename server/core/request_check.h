// What a typed request must satisfy before the rooms below may rely on it:
// opaque JSON is JSON (it is spliced into upstream bodies), numbers can be
// written as JSON, tools have names. The provider's own rules are left to the
// provider.
//
// Threads: Pure; any.
// Errors:  kInvalidArgument, invalid_request, with the field in `param`;
//          body_too_large where its JSON texts hold too many values.
#ifndef LLM_SERVER_CORE_REQUEST_CHECK_H_
#define LLM_SERVER_CORE_REQUEST_CHECK_H_

#include "absl/status/status.h"
#include "llm/v1/chat.pb.h"

namespace llm::server {

absl::Status CheckRequest(const v1::ChatCompletionRequest& request);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_REQUEST_CHECK_H_
