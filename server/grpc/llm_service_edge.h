// llm.v1.LlmService on gRPC's callback API: hands each call to a loop. No
// decisions. Internal to this room.
//
// Threads: gRPC's, concurrently.
#ifndef LLM_SERVER_GRPC_LLM_SERVICE_EDGE_H_
#define LLM_SERVER_GRPC_LLM_SERVICE_EDGE_H_

#include "llm/v1/service.grpc.pb.h"
#include "server/grpc/lane.h"

namespace llm::server {

class LlmServiceEdge final : public v1::LlmService::CallbackService {
 public:
  // `lanes` outlives the server that this is registered with.
  explicit LlmServiceEdge(Lanes& lanes) : lanes_(lanes) {}

  grpc::ServerUnaryReactor* ChatCompletion(
      grpc::CallbackServerContext* context,
      const v1::ChatCompletionRequest* request,
      v1::ChatCompletionResponse* response) override;
  grpc::ServerWriteReactor<v1::ChatCompletionChunk>* StreamChatCompletion(
      grpc::CallbackServerContext* context,
      const v1::ChatCompletionRequest* request) override;
  grpc::ServerUnaryReactor* CreateEmbeddings(
      grpc::CallbackServerContext* context,
      const v1::CreateEmbeddingsRequest* request,
      v1::CreateEmbeddingsResponse* response) override;
  grpc::ServerUnaryReactor* ListModels(
      grpc::CallbackServerContext* context,
      const v1::ListModelsRequest* request,
      v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetUsage(grpc::CallbackServerContext* context,
                                     const v1::GetUsageRequest* request,
                                     v1::GetUsageResponse* response) override;

 private:
  Lanes& lanes_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_LLM_SERVICE_EDGE_H_
