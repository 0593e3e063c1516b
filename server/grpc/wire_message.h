// Messages as the bytes that gRPC carries. Internal to this room.
//
// Threads: Any; a buffer's bytes are shared, not copied, by copies of it.
// Errors:  kInvalidArgument (invalid_request) for bytes that are no such
//          message; body_too_large for one of more than kMaxRequestValues
//          fields, which is found before any is made.
#ifndef LLM_SERVER_GRPC_WIRE_MESSAGE_H_
#define LLM_SERVER_GRPC_WIRE_MESSAGE_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>

#include "absl/status/status.h"

namespace llm::server {

absl::Status FromWire(const grpc::ByteBuffer& bytes,
                      google::protobuf::Message* message);
// For methods that take a few words: bytes past kLargestQuestion are refused
// (body_too_large). Gives the bytes back, also where it fails.
inline constexpr size_t kLargestQuestion = size_t{64} << 10;
absl::Status QuestionFromWire(grpc::ByteBuffer* bytes,
                              google::protobuf::Message* message);
grpc::ByteBuffer ToWire(const google::protobuf::Message& message);

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_WIRE_MESSAGE_H_
