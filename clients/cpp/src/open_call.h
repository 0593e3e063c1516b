// One call's context: deadline, metadata, and the hand that cancels it.
//
// Threads:   One thread makes the call; `context.TryCancel()` from any.
// Ownership: Shared by the call and by the token that may cancel it.
#ifndef LLM_SERVICE_SRC_OPEN_CALL_H_
#define LLM_SERVICE_SRC_OPEN_CALL_H_

#include <grpcpp/client_context.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "llm_service/call_options.h"

namespace llm::client {

struct OpenCall {
  grpc::ClientContext context;
  std::string request_id;
  absl::Time deadline = absl::InfiniteFuture();
  CancelToken::Registration registration;
  // By the caller: the token or the stream's own Cancel(), from any thread.
  std::atomic<bool> cancelled{false};
  // What the caller's thread may ask `context` for: gRPC aborts before.
  bool has_metadata = false;

  void Cancel() {
    cancelled = true;
    context.TryCancel();
  }
};

// What the service sent before its answer; empty before `has_metadata`.
ReceivedMetadata MetadataFrom(const OpenCall& call);

// The name that the service told for the call; empty where it has not yet.
std::string ReceivedRequestId(const OpenCall& call);

// kInvalidArgument where a value cannot travel as metadata: gRPC would abort
// the program.
absl::Status CheckMetadata(const std::string& name, const std::string& value);

// kCancelled or kDeadlineExceeded where the call is over before it began.
// `key` is a checked one, or empty.
absl::StatusOr<std::shared_ptr<OpenCall>> Open(const CallOptions& options,
                                               const std::string& key,
                                               absl::Duration default_timeout);

}  // namespace llm::client

#endif  // LLM_SERVICE_SRC_OPEN_CALL_H_
