// Both services with every method raw: bytes in, bytes out. gRPC would make a
// message of what arrives before anyone knows whose it is or how much memory
// it takes (two bytes can be an empty message of a hundred). Here a call is
// admitted first, then read (wire_message.h). Internal to this room.
#ifndef LLM_SERVER_GRPC_RAW_SERVICES_H_
#define LLM_SERVER_GRPC_RAW_SERVICES_H_

#include "llm/v1/admin.grpc.pb.h"
#include "llm/v1/service.grpc.pb.h"

namespace llm::server {

using Llm = v1::LlmService;
using RawLlmService =
    Llm::WithRawMethod_ChatCompletion<Llm::WithRawMethod_StreamChatCompletion<
        Llm::WithRawMethod_CreateEmbeddings<Llm::WithRawMethod_ListModels<
            Llm::WithRawMethod_GetUsage<Llm::Service>>>>>;

using Admin = v1::AdminService;
using RawAdminService =
    Admin::WithRawMethod_CreateKey<Admin::WithRawMethod_ListKeys<
        Admin::WithRawMethod_RevokeKey<Admin::WithRawMethod_ListProviders<
            Admin::WithRawMethod_TestProvider<Admin::Service>>>>>;

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_RAW_SERVICES_H_
