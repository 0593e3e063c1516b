#include "server/grpc/wire_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "router/call_error.h"
#include "server/core/read_request.h"

namespace llm::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Counts fields, those of messages within included, and makes nothing.
class FieldCount {
 public:
  // False where there are more than kMaxRequestValues. What is malformed is
  // left to the parser: it stops there too.
  bool Walk(const Descriptor* type, CodedInputStream* in) {
    while (const uint32_t tag = in->ReadTag()) {
      if (++count_ > kMaxRequestValues) return false;
      const FieldDescriptor* field =
          type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const bool within = WireFormatLite::GetTagWireType(tag) ==
                              WireFormatLite::WIRETYPE_LENGTH_DELIMITED &&
                          field != nullptr &&
                          field->type() == FieldDescriptor::TYPE_MESSAGE;
      if (!within) {
        // A group has fields that nobody counts; no message of ours has one.
        if (!Skip(tag, in)) return true;
        continue;
      }
      int length = 0;
      if (!in->ReadVarintSizeAsInt(&length)) return true;
      const auto outer = in->IncrementRecursionDepthAndPushLimit(length);
      if (outer.second < 0) return true;
      if (!Walk(field->message_type(), in)) return false;
      if (!in->DecrementRecursionDepthAndPopLimit(outer.first)) return true;
    }
    return true;
  }

  bool malformed() const { return malformed_; }

 private:
  bool Skip(uint32_t tag, CodedInputStream* in) {
    const auto wire = WireFormatLite::GetTagWireType(tag);
    malformed_ = wire == WireFormatLite::WIRETYPE_START_GROUP ||
                 wire == WireFormatLite::WIRETYPE_END_GROUP ||
                 !WireFormatLite::SkipField(in, tag);
    return !malformed_;
  }

  size_t count_ = 0;
  bool malformed_ = false;
};

// Fewer bytes cannot hold enough fields to matter.
constexpr size_t kUncounted = size_t{64} << 10;

absl::Status Malformed() {
  return RefuseCall(absl::StatusCode::kInvalidArgument, "invalid_request",
                    "The message is not what this method takes.");
}

absl::Status CheckCount(const grpc::ByteBuffer& bytes, const Descriptor* type) {
  grpc::ByteBuffer shared(bytes);
  grpc::ProtoBufferReader reader(&shared);
  CodedInputStream in(&reader);
  FieldCount count;
  if (!count.Walk(type, &in)) return RefuseTooManyValues();
  return count.malformed() ? Malformed() : absl::OkStatus();
}

}  // namespace

absl::Status FromWire(const grpc::ByteBuffer& bytes,
                      google::protobuf::Message* message) {
  if (bytes.Length() > kUncounted) {
    absl::Status counted = CheckCount(bytes, message->GetDescriptor());
    if (!counted.ok()) return counted;
  }
  grpc::ByteBuffer shared(bytes);
  grpc::ProtoBufferReader reader(&shared);
  if (!reader.status().ok()) return Malformed();
  if (!message->ParseFromZeroCopyStream(&reader)) return Malformed();
  return absl::OkStatus();
}

grpc::ByteBuffer ToWire(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool owned = false;
  // Of a message without required fields: it cannot fail.
  (void)grpc::SerializationTraits<google::protobuf::Message>::Serialize(
      message, &bytes, &owned);
  return bytes;
}

}  // namespace llm::server
