#include "wire_error.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "llm_service/error.h"

namespace llm::client {
namespace {

absl::Status WithDetail(absl::Status status, const v1::UpstreamError& detail) {
  status.SetPayload(kErrorDetailUrl, absl::Cord(detail.SerializeAsString()));
  return status;
}

// gRPC's words, of 1.51 and the versions after it: no code tells it.
constexpr absl::string_view kTooLarge = "Received message larger than max";

std::string AsText(const std::string& bytes) {
  const bool plain = std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  return plain ? bytes : absl::CHexEscape(bytes);
}

}  // namespace

std::optional<v1::UpstreamError> DetailIn(const std::string& rpc_status) {
  // google/rpc/status.proto: details = 3, each an Any. Read as unknown fields:
  // Debian ships no generated header for it, and a definition of our own would
  // clash with that of a program that has one.
  constexpr int kDetails = 3;
  namespace pb = google::protobuf;
  pb::UnknownFieldSet fields;
  if (!fields.ParseFromString(rpc_status)) return std::nullopt;
  for (int i = 0; i < fields.field_count(); ++i) {
    const pb::UnknownField& field = fields.field(i);
    if (field.number() != kDetails ||
        field.type() != pb::UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    pb::Any any;
    v1::UpstreamError detail;
    if (any.ParseFromString(field.length_delimited()) &&
        any.UnpackTo(&detail)) {
      return detail;
    }
  }
  return std::nullopt;
}

absl::Status LocalError(absl::StatusCode code, std::string detail_code,
                        std::string message, const std::string& request_id) {
  message = AsText(message);
  v1::UpstreamError detail;
  detail.set_code(std::move(detail_code));
  detail.set_request_id(AsText(request_id));
  detail.set_source("client");
  detail.set_no_retry(code == absl::StatusCode::kResourceExhausted ||
                      code == absl::StatusCode::kInvalidArgument);
  detail.set_message(message);
  return WithDetail(absl::Status(code, message), detail);
}

absl::Status FromWire(const grpc::Status& status, const CallFacts& facts) {
  if (status.ok()) return absl::OkStatus();
  // absl's codes are gRPC's, number by number.
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  if (const auto detail = DetailIn(status.error_details())) {
    return WithDetail(absl::Status(code, status.error_message()), *detail);
  }
  if (code == absl::StatusCode::kDeadlineExceeded && facts.late) {
    return LocalError(code, "timeout",
                      "the deadline passed before the service had answered",
                      facts.request_id);
  }
  if (code == absl::StatusCode::kCancelled && facts.cancelled) {
    return absl::CancelledError("the call was cancelled");
  }
  if (code == absl::StatusCode::kResourceExhausted &&
      absl::StrContains(status.error_message(), kTooLarge)) {
    // Whole, it would be as large again; and it has been paid for.
    return LocalError(code, "body_too_large", status.error_message(),
                      facts.request_id);
  }
  return {code,
          absl::StrCat("from ", facts.target, ": ", status.error_message())};
}

}  // namespace llm::client
