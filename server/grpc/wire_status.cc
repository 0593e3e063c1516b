#include "server/grpc/wire_status.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>
#include <utility>

#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "server/core/clean_text.h"

namespace llm::server {
namespace {

namespace pb = google::protobuf;

// Trailers share one budget of 8 KiB in most clients, and the words appear in
// them twice more, inside the detail.
constexpr size_t kLongestMessage = 1024;

void Shorten(std::string* text) {
  if (text->size() > kLongestMessage) text->resize(kLongestMessage);
  ReplaceInvalidUtf8(text);
}

void WriteBytes(uint32_t tag, const std::string& bytes,
                pb::io::CodedOutputStream* out) {
  out->WriteTag(tag);
  out->WriteVarint32(static_cast<uint32_t>(bytes.size()));
  out->WriteString(bytes);
}

}  // namespace

std::string EncodeRpcStatus(int code, const std::string& message,
                            const v1::UpstreamError& detail) {
  // google/rpc/status.proto: code = 1, message = 2, details = 3. Written by
  // hand: Debian ships no generated header for it, and a second definition of
  // the same full name would clash with anyone's who has one.
  constexpr uint32_t kCode = (1 << 3) | 0;
  constexpr uint32_t kMessage = (2 << 3) | 2;
  constexpr uint32_t kDetails = (3 << 3) | 2;
  pb::Any packed;
  packed.PackFrom(detail);
  std::string out;
  pb::io::StringOutputStream stream(&out);
  {
    pb::io::CodedOutputStream coded(&stream);
    coded.WriteTag(kCode);
    coded.WriteVarint32(static_cast<uint32_t>(code));
    WriteBytes(kMessage, message, &coded);
    WriteBytes(kDetails, packed.SerializeAsString(), &coded);
  }
  return out;
}

WireStatus ToWireStatus(const absl::Status& failure,
                        std::string_view request_id) {
  WireStatus wire;
  wire.detail = CallErrorDetail(failure);
  if (wire.detail.request_id().empty()) {
    wire.detail.set_request_id(std::string(request_id));
  }
  CleanText(&wire.detail);
  Shorten(wire.detail.mutable_message());
  std::string message(ToStd(failure.message()));
  Shorten(&message);
  // absl's codes are gRPC's, number by number.
  const int code = static_cast<int>(failure.code());
  std::string details = EncodeRpcStatus(code, message, wire.detail);
  wire.status = grpc::Status(static_cast<grpc::StatusCode>(code),
                             std::move(message), std::move(details));
  return wire;
}

}  // namespace llm::server
