// How both doors make requests of bodies: small ones at once, large ones on a
// thread beside the loop, which has other callers to serve meanwhile [PRF-3].
//
// Threads: The caller's loop; `parse` runs there or on `reader`.
// Errors:  `parse`'s own. kCancelled (client_cancelled) where the task was
//          cancelled meanwhile: by the end of the service, doors say so.
//          kUnavailable (overloaded) where too many large bodies wait.
#ifndef LLM_SERVER_CORE_READ_REQUEST_H_
#define LLM_SERVER_CORE_READ_REQUEST_H_

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/core/chat_request.h"
#include "adapters/core/task.h"
#include "server/core/side_thread.h"

namespace llm::server {

// A body of this many bytes holds a loop up for some 5 ms where all of it is
// structure; a change of threads costs some 50 us.
inline constexpr size_t kLargeRequest = size_t{256} << 10;

// JSON values, or fields of protobuf: what bounds the time and the memory that
// a body costs beyond its bytes. A thousand messages with tool calls have some
// ten thousand; an image of 20 MB is one.
inline constexpr size_t kMaxRequestValues = 200'000;

template <typename Request>
using Parse = std::function<absl::StatusOr<Request>()>;
using ParseRequest = Parse<ChatRequest>;

// What a failure beside the loop is for the caller: parsers' own words stand.
absl::Status ReadFailure(const absl::Status& failure);

// `parse` owns, or shares, what it reads: it may run on after a cancel.
// `reader` null: always at once.
template <typename Request>
Task<absl::StatusOr<Request>> ReadOn(SideThread* reader, size_t body_bytes,
                                     Parse<Request> parse) {
  if (reader == nullptr || body_bytes < kLargeRequest) co_return parse();
  absl::StatusOr<Request> request =
      co_await MakeOn(reader, std::move(parse), Abandoned::kSkipped);
  if (request.ok()) co_return request;
  co_return ReadFailure(request.status());
}

// The same for a chat.
Task<absl::StatusOr<ChatRequest>> ReadRequest(SideThread* reader,
                                              size_t body_bytes,
                                              ParseRequest parse);

// kResourceExhausted, body_too_large: the caller's fault, and to no use again.
absl::Status RefuseBody(std::string_view message);
// The same for one of more than kMaxRequestValues.
absl::Status RefuseTooManyValues();

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_READ_REQUEST_H_
