// All services with every method raw: bytes in, bytes out. gRPC would make a
// message of what arrives before anyone knows whose it is or how much memory
// it takes (two bytes can be an empty message of a hundred). Here a call is
// admitted first, then read (wire_message.h). Internal to this room.
#ifndef LLM_SERVER_GRPC_RAW_SERVICES_H_
#define LLM_SERVER_GRPC_RAW_SERVICES_H_

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
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

using Health = grpc::health::v1::Health;
using RawHealthService =
    Health::WithRawMethod_Check<Health::WithRawMethod_Watch<Health::Service>>;

using Reflection = grpc::reflection::v1::ServerReflection;
using RawReflection =
    Reflection::WithRawMethod_ServerReflectionInfo<Reflection::Service>;
using OldReflection = grpc::reflection::v1alpha::ServerReflection;
using RawOldReflection =
    OldReflection::WithRawMethod_ServerReflectionInfo<OldReflection::Service>;

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_RAW_SERVICES_H_
