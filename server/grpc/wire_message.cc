#include "server/grpc/wire_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "absl/strings/str_cat.h"
#include "router/call_error.h"
#include "server/core/read_request.h"

namespace llm::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Counts fields, those of messages and groups within included, and makes
// nothing. Stricter than the parser, which pushes an inner length as it stands
// and finds out later that it went past the outer one: what this does not
// follow to the end is not shown to the parser at all.
class FieldCount {
 public:
  enum class Found { kFew, kMany, kMalformed };

  Found Count(const Descriptor* type, CodedInputStream* in, size_t length) {
    in->PushLimit(static_cast<int>(length));
    const bool whole = Walk(type, 0, in);
    if (count_ > kMaxRequestValues) return Found::kMany;
    return whole ? Found::kFew : Found::kMalformed;
  }

 private:
  // To the limit, or to the end of group `group`. `type` null: unknown.
  bool Walk(const Descriptor* type, int group, CodedInputStream* in) {
    while (const uint32_t tag = in->ReadTag()) {
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      const auto wire = WireFormatLite::GetTagWireType(tag);
      if (number == 0) return false;
      if (wire == WireFormatLite::WIRETYPE_END_GROUP) return number == group;
      if (++count_ > kMaxRequestValues) return false;
      if (wire == WireFormatLite::WIRETYPE_START_GROUP) {
        if (!Group(number, in)) return false;
        continue;
      }
      const Descriptor* within = nullptr;
      if (wire == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
        within = MessageType(type, number);
      }
      if (within != nullptr ? !Message(within, in)
                            : !WireFormatLite::SkipField(in, tag)) {
        return false;
      }
    }
    return group == 0 && in->BytesUntilLimit() == 0;
  }

  static const Descriptor* MessageType(const Descriptor* type, int number) {
    if (type == nullptr) return nullptr;
    const FieldDescriptor* field = type->FindFieldByNumber(number);
    const bool message =
        field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE;
    return message ? field->message_type() : nullptr;
  }

  bool Group(int number, CodedInputStream* in) {
    if (!in->IncrementRecursionDepth()) return false;
    const bool whole = Walk(nullptr, number, in);
    in->DecrementRecursionDepth();
    return whole;
  }

  bool Message(const Descriptor* type, CodedInputStream* in) {
    int length = 0;
    if (!in->ReadVarintSizeAsInt(&length)) return false;
    if (length > in->BytesUntilLimit()) return false;
    const auto outer = in->IncrementRecursionDepthAndPushLimit(length);
    if (outer.second < 0 || !Walk(type, 0, in)) return false;
    return in->DecrementRecursionDepthAndPopLimit(outer.first);
  }

  size_t count_ = 0;
};

absl::Status Malformed() {
  return RefuseField("", "The message is not what this method takes.");
}

absl::Status CheckCount(const grpc::ByteBuffer& bytes, const Descriptor* type) {
  grpc::ByteBuffer shared(bytes);
  grpc::ProtoBufferReader reader(&shared);
  CodedInputStream in(&reader);
  switch (FieldCount().Count(type, &in, bytes.Length())) {
    case FieldCount::Found::kFew:
      return absl::OkStatus();
    case FieldCount::Found::kMany:
      return RefuseTooManyValues();
    case FieldCount::Found::kMalformed:
      return Malformed();
  }
  return Malformed();
}

}  // namespace

absl::Status FromWire(const grpc::ByteBuffer& bytes,
                      google::protobuf::Message* message) {
  absl::Status counted = CheckCount(bytes, message->GetDescriptor());
  if (!counted.ok()) return counted;
  grpc::ByteBuffer shared(bytes);
  grpc::ProtoBufferReader reader(&shared);
  if (!reader.status().ok()) return Malformed();
  if (!message->ParseFromZeroCopyStream(&reader)) return Malformed();
  return absl::OkStatus();
}

absl::Status QuestionFromWire(grpc::ByteBuffer* bytes,
                              google::protobuf::Message* message) {
  absl::Status read =
      bytes->Length() > kLargestQuestion
          ? RefuseBody(absl::StrCat("This method takes messages of at most ",
                                    kLargestQuestion, " bytes."))
          : FromWire(*bytes, message);
  bytes->Clear();
  return read;
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
