#include "server/core/read_request.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "router/call_error.h"

namespace llm::server {

absl::Status ReadFailure(const absl::Status& failure) {
  if (failure.GetPayload(ToAbsl(kUpstreamErrorUrl))) return failure;
  if (absl::IsCancelled(failure)) {
    return RefuseCall(absl::StatusCode::kCancelled, "client_cancelled",
                      "The caller left");
  }
  if (absl::IsInternal(failure)) {
    return RefuseCall(absl::StatusCode::kInternal, "internal",
                      "The body could not be read.");
  }
  return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                    "too many large bodies are being read; try again");
}

Task<absl::StatusOr<ChatRequest>> ReadRequest(SideThread* reader,
                                              size_t body_bytes,
                                              ParseRequest parse) {
  co_return co_await ReadOn<ChatRequest>(reader, body_bytes, std::move(parse));
}

absl::Status RefuseBody(std::string_view message) {
  v1::UpstreamError detail;
  detail.set_code("body_too_large");
  detail.set_source("client");
  detail.set_message(std::string(message));
  detail.set_no_retry(true);
  return MakeCallError(absl::StatusCode::kResourceExhausted, std::move(detail));
}

absl::Status RefuseTooManyValues() {
  return RefuseBody(absl::StrCat("The body holds more than ", kMaxRequestValues,
                                 " values (messages, parts, fields)."));
}

}  // namespace llm::server
