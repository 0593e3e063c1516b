// What chats and embeddings say about themselves beside their content: tags,
// metadata and the time they have. One bound for both doors, since all of it
// is recorded with every row.
//
// Threads: Pure; any.
// Errors:  kInvalidArgument, invalid_request, with the field in `param`.
// Fact:    OpenAI's bounds of `metadata`: 16 pairs, keys of 64 and values of
//          512 characters (platform.openai.com/docs/api-reference/chat/create,
//          2026-08-21).
#ifndef LLM_SERVER_CORE_ENVELOPE_CHECK_H_
#define LLM_SERVER_CORE_ENVELOPE_CHECK_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/map.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "adapters/core/status_macros.h"

namespace llm::server {

absl::Status CheckTag(std::string_view param, std::string_view tag);
absl::Status CheckMetadata(
    const google::protobuf::Map<std::string, std::string>& pairs);
absl::Status CheckTimeout(const google::protobuf::Duration& timeout);

// All of it, for a request of either kind.
template <typename Request>
absl::Status CheckEnvelope(const Request& request) {
  LLM_RETURN_IF_ERROR(CheckTag("user", request.user()));
  LLM_RETURN_IF_ERROR(CheckTag("run_id", request.run_id()));
  LLM_RETURN_IF_ERROR(CheckTag("agent", request.agent()));
  LLM_RETURN_IF_ERROR(CheckTag("task_type", request.task_type()));
  LLM_RETURN_IF_ERROR(CheckMetadata(request.metadata()));
  if (!request.has_timeout()) return absl::OkStatus();
  return CheckTimeout(request.timeout());
}

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_ENVELOPE_CHECK_H_
