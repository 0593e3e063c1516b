#include "server/grpc/call_edge.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "router/call_error.h"
#include "server/core/call_headers.h"
#include "server/core/read_request.h"
#include "server/grpc/wire_status.h"

namespace llm::server {
namespace {

// The same call would fail the same way [contract.md section 4].
bool IsCallersFault(grpc::StatusCode code) {
  return code == grpc::StatusCode::INVALID_ARGUMENT ||
         code == grpc::StatusCode::UNAUTHENTICATED ||
         code == grpc::StatusCode::PERMISSION_DENIED ||
         code == grpc::StatusCode::NOT_FOUND ||
         code == grpc::StatusCode::UNIMPLEMENTED;
}

}  // namespace

std::string_view CallEdge::Metadata(const char* key) const {
  const auto it = context_.client_metadata().find(key);
  if (it == context_.client_metadata().end()) return {};
  return {it->second.data(), it->second.size()};
}

absl::Status CallEdge::Enter(Access access, const grpc::ByteBuffer& bytes) {
  call_ = lane_.service.NewCall({}, "grpc");
  call_.trace_id = TraceIdOf(Metadata("traceparent"));
  call_.client_request_id = SaneRequestId(Metadata("x-request-id"));
  request_id_ = call_.client_request_id.empty() ? call_.call_id.value
                                                : call_.client_request_id;
  call_.service_stopping = &lane_.sweep->stopping();
  LLM_RETURN_IF_ERROR(Authorise(access));
  const int64_t limit = lane_.max_message_bytes;
  if (bytes.Length() <= static_cast<size_t>(limit)) return absl::OkStatus();
  return RefuseBody(absl::StrCat("The message is larger than ", limit,
                                 " bytes (server.max_body)."));
}

absl::Status CallEdge::Authorise(Access access) {
  const std::string_view authorization = Metadata("authorization");
  if (access == Access::kAdmin) {
    return lane_.service.AuthoriseAdmin(authorization);
  }
  LLM_ASSIGN_OR_RETURN(call_.caller, lane_.service.Authenticate(authorization));
  return absl::OkStatus();
}

Instant CallEdge::GrpcDeadline() const {
  const auto deadline = context_.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return Instant::Never();
  }
  return lane_.clock.Monotonic() +
         (absl::FromChrono(deadline) - lane_.clock.WallNow());
}

absl::Status CallEdge::Accept(bool strict, absl::Duration timeout) {
  call_.strict = strict || ParseSwitch(Metadata("x-llm-strict"));
  LLM_ASSIGN_OR_RETURN(call_.priority, ParsePriority(Metadata("x-llm-priority"),
                                                     "x-llm-priority"));
  LLM_ASSIGN_OR_RETURN(call_.idempotency_key,
                       ParseIdempotencyKey(Metadata("idempotency-key")));
  call_.deadline = std::min(GrpcDeadline(), call_.received + timeout);
  const std::string_view timeout_text = Metadata("x-llm-timeout");
  if (!timeout_text.empty()) {
    LLM_ASSIGN_OR_RETURN(const absl::Duration named,
                         ParseCallerTimeout(timeout_text));
    call_.deadline = std::min(call_.deadline, call_.received + named);
  }
  return absl::OkStatus();
}

void CallEdge::SendRequestId() {
  if (request_id_.empty()) return;
  context_.AddInitialMetadata("x-request-id", request_id_);
  request_id_.clear();
}

void CallEdge::SendFacts(const v1::ServiceInfo& info) {
  for (auto& [name, value] : FactHeaders(info)) {
    context_.AddInitialMetadata(name, value);
  }
}

void CallEdge::SendReplayed() {
  context_.AddInitialMetadata("x-llm-idempotent-replay", "true");
}

void CallEdge::TrailFacts(const v1::ServiceInfo& info) {
  for (auto& [name, value] : FactHeaders(info)) {
    context_.AddTrailingMetadata(name, value);
  }
}

grpc::Status CallEdge::Close(const absl::Status& status) {
  SendRequestId();
  if (status.ok()) return grpc::Status::OK;
  WireStatus wire = ToWireStatus(status, call_.call_id.value);
  if (wire.detail.no_retry() || IsCallersFault(wire.status.error_code())) {
    context_.AddTrailingMetadata("grpc-retry-pushback-ms", "-1");
  }
  return std::move(wire.status);
}

grpc::Status CallEdge::Refuse(const absl::Status& failure) {
  const bool cut = absl::IsCancelled(failure) && lane_.sweep->stopping();
  const absl::Status status =
      cut ? RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                       "The service is shutting down; try another instance")
          : failure;
  lane_.service.NoteRefusal(call_, CallErrorDetail(status).code(),
                            CallErrorHttpStatus(status));
  return Close(status);
}

}  // namespace llm::server
