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

// A failure that this library found: source "client", no attempts.
absl::Status LocalError(absl::StatusCode code, std::string detail_code,
                        std::string message, const std::string& request_id);

// `target` and `request_id` go into what the service did not say itself.
absl::Status FromWire(const grpc::Status& status, const std::string& target,
                      const std::string& request_id);

}  // namespace llm::client

#endif  // LLM_SERVICE_SRC_WIRE_ERROR_H_
