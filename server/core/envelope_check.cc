#include "server/core/envelope_check.h"

#include "absl/strings/str_cat.h"
#include "router/call_error.h"
#include "router/call_identity.h"

namespace llm::server {
namespace {

// A Duration's own bounds (google/protobuf/duration.proto).
constexpr int64_t kMaxSeconds = 315'576'000'000;
constexpr int32_t kMaxNanos = 999'999'999;

}  // namespace

absl::Status CheckTag(std::string_view param, std::string_view tag) {
  if (tag.size() <= kMaxTag) return absl::OkStatus();
  return RefuseField(param,
                     absl::StrCat("this is longer than ", kMaxTag, " bytes"));
}

absl::Status CheckMetadata(
    const google::protobuf::Map<std::string, std::string>& pairs) {
  if (pairs.size() > kMaxMetadata) {
    return RefuseField("metadata", absl::StrCat("this has more than ",
                                                kMaxMetadata, " pairs"));
  }
  for (const auto& [name, value] : pairs) {
    if (name.size() > kMaxMetadataName) {
      return RefuseField("metadata", absl::StrCat("this has a key longer than ",
                                                  kMaxMetadataName, " bytes"));
    }
    if (value.size() > kMaxMetadataValue) {
      return RefuseField("metadata",
                         absl::StrCat("this has a value longer than ",
                                      kMaxMetadataValue, " bytes"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTimeout(const google::protobuf::Duration& timeout) {
  const int64_t seconds = timeout.seconds();
  const int32_t nanos = timeout.nanos();
  if (seconds < 0 || nanos < 0 || (seconds == 0 && nanos == 0)) {
    return RefuseField("timeout", "the timeout must be positive");
  }
  if (seconds > kMaxSeconds || nanos > kMaxNanos) {
    return RefuseField("timeout", "the timeout is not a valid duration");
  }
  return absl::OkStatus();
}

}  // namespace llm::server
