// llm.v1.AdminService, on the admin listener only. No decisions. Internal to
// this room.
//
// Threads: gRPC's, concurrently.
#ifndef LLM_SERVER_GRPC_ADMIN_SERVICE_EDGE_H_
#define LLM_SERVER_GRPC_ADMIN_SERVICE_EDGE_H_

#include "llm/v1/admin.grpc.pb.h"
#include "server/grpc/lane.h"

namespace llm::server {

class AdminServiceEdge final : public v1::AdminService::CallbackService {
 public:
  // `lanes` outlives the server that this is registered with.
  explicit AdminServiceEdge(Lanes& lanes) : lanes_(lanes) {}

  grpc::ServerUnaryReactor* CreateKey(grpc::CallbackServerContext* context,
                                      const v1::CreateKeyRequest* request,
                                      v1::CreateKeyResponse* response) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context,
                                     const v1::ListKeysRequest* request,
                                     v1::ListKeysResponse* response) override;
  grpc::ServerUnaryReactor* RevokeKey(grpc::CallbackServerContext* context,
                                      const v1::RevokeKeyRequest* request,
                                      v1::RevokeKeyResponse* response) override;

 private:
  Lanes& lanes_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_ADMIN_SERVICE_EDGE_H_
