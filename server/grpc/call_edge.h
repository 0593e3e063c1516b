// What every call does at its edge: read metadata, find out who calls, answer
// with ids, facts and errors. Internal to this room.
//
// Threads: On the call's loop, before Finish.
#ifndef LLM_SERVER_GRPC_CALL_EDGE_H_
#define LLM_SERVER_GRPC_CALL_EDGE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "router/router.h"
#include "server/grpc/lane.h"

namespace llm::server {

enum class Access { kCaller, kAdmin };

class CallEdge {
 public:
  CallEdge(Lane& lane, grpc::ServerContext& context)
      : lane_(lane), context_(context) {}

  // Mints the call, keeps the caller's ids, finds out who calls and whether
  // its `bytes` are within server.max_body. The ids stand also where it fails.
  absl::Status Enter(Access access, const grpc::ByteBuffer& bytes);
  // Strictness and the deadline: the earliest of gRPC's, the message's and
  // the metadata's.
  template <typename Message>
  absl::Status AcceptCall(const Message& message) {
    absl::Duration timeout = absl::InfiniteDuration();
    if (message.has_timeout()) {
      timeout = absl::Seconds(message.timeout().seconds()) +
                absl::Nanoseconds(message.timeout().nanos());
    }
    return Accept(message.strict(), timeout);
  }

  const CallContext& call() const { return call_; }

  // x-request-id, once, before the first bytes leave.
  void SendRequestId();
  void SendFacts(const v1::ServiceInfo& info);
  // Before the first bytes leave.
  void SendReplayed();
  void TrailFacts(const v1::ServiceInfo& info);
  // OK, or the failure with its details and its advice on retries.
  grpc::Status Close(const absl::Status& status);
  // Close, for a failure of which the gateway has not heard. What the end of
  // the service cancelled is `overloaded`.
  grpc::Status Refuse(const absl::Status& status);

 private:
  absl::Status Accept(bool strict, absl::Duration timeout);
  absl::Status Authorise(Access access);
  // The first value of a metadata key, or empty.
  std::string_view Metadata(const char* key) const;
  Instant GrpcDeadline() const;

  Lane& lane_;
  grpc::ServerContext& context_;
  CallContext call_;
  std::string request_id_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_CALL_EDGE_H_
