// Starts accepting every method of the two services on one queue. Internal to
// this room.
//
// Threads:   Before the queue's thread starts.
// Ownership: Services outlive every call.
#ifndef LLM_SERVER_GRPC_ACCEPT_CALLS_H_
#define LLM_SERVER_GRPC_ACCEPT_CALLS_H_

#include "server/grpc/acceptor.h"
#include "server/grpc/raw_services.h"

namespace llm::server {

void AcceptLlmCalls(const Acceptor& acceptor, RawLlmService& service);
void AcceptAdminCalls(const Acceptor& acceptor, RawAdminService& service);

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_ACCEPT_CALLS_H_
