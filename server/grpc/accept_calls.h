// Starts accepting every method of the two services on one queue. Internal to
// this room.
//
// Threads:   Before the queue's thread starts.
// Ownership: Services outlive every call.
#ifndef LLM_SERVER_GRPC_ACCEPT_CALLS_H_
#define LLM_SERVER_GRPC_ACCEPT_CALLS_H_

#include "llm/v1/admin.grpc.pb.h"
#include "llm/v1/service.grpc.pb.h"
#include "server/grpc/acceptor.h"

namespace llm::server {

void AcceptLlmCalls(const Acceptor& acceptor,
                    v1::LlmService::AsyncService& service);
void AcceptAdminCalls(const Acceptor& acceptor,
                      v1::AdminService::AsyncService& service);

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_ACCEPT_CALLS_H_
