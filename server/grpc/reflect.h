// What a tool hears that asks which services, methods and messages there are.
// Internal to this room.
//
// Threads: Any.
#ifndef LLM_SERVER_GRPC_REFLECT_H_
#define LLM_SERVER_GRPC_REFLECT_H_

#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.pb.h"

namespace llm::server {

// From the messages of this program; `services` are those of one listener.
// What is not found is answered with an ErrorResponse, NOT_FOUND.
grpc::reflection::v1::ServerReflectionResponse Reflect(
    const grpc::reflection::v1::ServerReflectionRequest& request,
    const std::vector<std::string>& services);

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_REFLECT_H_
