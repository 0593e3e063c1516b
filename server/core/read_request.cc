#include "server/core/read_request.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "router/call_error.h"

namespace llm::server {

Task<absl::StatusOr<ChatRequest>> ReadRequest(SideThread* reader,
                                              size_t body_bytes,
                                              ParseRequest parse) {
  if (reader == nullptr || body_bytes < kLargeRequest) co_return parse();
  absl::StatusOr<ChatRequest> request =
      co_await MakeOn(reader, std::move(parse), Abandoned::kSkipped);
  if (request.ok() || request.status().GetPayload(ToAbsl(kUpstreamErrorUrl))) {
    co_return request;
  }
  if (absl::IsCancelled(request.status())) {
    co_return RefuseCall(absl::StatusCode::kCancelled, "client_cancelled",
                         "The caller left");
  }
  if (absl::IsInternal(request.status())) {
    co_return RefuseCall(absl::StatusCode::kInternal, "internal",
                         "The body could not be read.");
  }
  co_return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                       "too many large bodies are being read; try again");
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
