#include "llm_service/error.h"

#include <cstdlib>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace llm::client {

std::optional<v1::UpstreamError> ErrorDetail(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorDetailUrl);
  if (!payload.has_value()) return std::nullopt;
  std::string bytes;
  absl::CopyCordToString(*payload, &bytes);
  v1::UpstreamError detail;
  if (!detail.ParseFromString(bytes)) return std::nullopt;
  return detail;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const std::optional<v1::UpstreamError> detail = ErrorDetail(status);
  if (!detail.has_value() || !detail->has_retry_after_s()) return std::nullopt;
  return absl::Seconds(detail->retry_after_s());
}

bool RetryPointless(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      break;
  }
  const std::optional<v1::UpstreamError> detail = ErrorDetail(status);
  return detail.has_value() && detail->no_retry();
}

std::string DescribeError(const absl::Status& status) {
  if (status.ok()) return "OK";
  std::string text = absl::StatusCodeToString(status.code());
  const std::optional<v1::UpstreamError> detail = ErrorDetail(status);
  if (detail.has_value()) absl::StrAppend(&text, " ", detail->code());
  absl::StrAppend(&text, ": ", status.message());
  if (!detail.has_value()) return text;
  absl::StrAppend(&text, " (source ", detail->source());
  if (!detail->param().empty()) {
    absl::StrAppend(&text, ", param ", detail->param());
  }
  if (!detail->provider().empty()) {
    absl::StrAppend(&text, ", provider ", detail->provider());
  }
  if (detail->upstream_status() != 0) {
    absl::StrAppend(&text, ", upstream status ", detail->upstream_status());
  }
  absl::StrAppend(&text, ", attempts ", detail->attempts());
  if (detail->has_retry_after_s()) {
    absl::StrAppend(&text, ", retry after ", detail->retry_after_s(), " s");
  }
  if (RetryPointless(status)) absl::StrAppend(&text, ", do not retry");
  if (!detail->request_id().empty()) {
    absl::StrAppend(&text, ", request ", detail->request_id());
  }
  return absl::StrCat(text, ")");
}

}  // namespace llm::client
