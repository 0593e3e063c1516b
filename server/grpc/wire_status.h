// The gateway's status as gRPC's: same code, same words, and in
// grpc-status-details-bin a google.rpc.Status with one llm.v1.UpstreamError.
// Internal to this room.
//
// Threads: Pure; any.
#ifndef LLM_SERVER_GRPC_WIRE_STATUS_H_
#define LLM_SERVER_GRPC_WIRE_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "llm/v1/common.pb.h"

namespace llm::server {

// `detail` is what goes out: its text is valid UTF-8 and bounded.
struct WireStatus {
  grpc::Status status;
  v1::UpstreamError detail;
};

// `failure` is not OK. `request_id` is filled in where the failure came
// before there was one.
WireStatus ToWireStatus(const absl::Status& failure,
                        std::string_view request_id);

// A serialised google.rpc.Status with `detail` as its one detail.
std::string EncodeRpcStatus(int code, const std::string& message,
                            const v1::UpstreamError& detail);

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_WIRE_STATUS_H_
