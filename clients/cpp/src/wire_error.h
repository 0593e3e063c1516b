// From gRPC's words for a failure to the library's, and the failures that the
// library finds by itself.
//
// Threads: Pure; any.
#ifndef LLM_SERVICE_SRC_WIRE_ERROR_H_
#define LLM_SERVICE_SRC_WIRE_ERROR_H_

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "llm/v1/common.pb.h"

namespace llm::client {

// The first UpstreamError of a serialised google.rpc.Status.
std::optional<v1::UpstreamError> DetailIn(const std::string& rpc_status);

// A failure that this library found: source "client", no attempts. Bytes that
// are no text are escaped in the detail, which could not be read otherwise.
absl::Status LocalError(absl::StatusCode code, std::string detail_code,
                        std::string message, const std::string& request_id);

// What the library knows of a call, for what the service did not say itself.
struct CallFacts {
  std::string target;
  std::string request_id;
  // By the caller; otherwise a CANCELLED is somebody else's.
  bool cancelled = false;
  // The caller's deadline has passed.
  bool late = false;
};
absl::Status FromWire(const grpc::Status& status, const CallFacts& facts);

}  // namespace llm::client

#endif  // LLM_SERVICE_SRC_WIRE_ERROR_H_
