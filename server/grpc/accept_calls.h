// Starts accepting every method of the services on one queue. Internal to
// this room.
//
// Threads:   Before the queue's thread starts.
// Ownership: Services, names and `serving` outlive every call.
#ifndef LLM_SERVER_GRPC_ACCEPT_CALLS_H_
#define LLM_SERVER_GRPC_ACCEPT_CALLS_H_

#include <grpcpp/server_builder.h>

#include <string>
#include <vector>

#include "server/grpc/acceptor.h"
#include "server/grpc/health_call.h"
#include "server/grpc/raw_services.h"

namespace llm::server {

void AcceptLlmCalls(const Acceptor& acceptor, RawLlmService& service);
void AcceptAdminCalls(const Acceptor& acceptor, RawAdminService& service);

// gRPC's own services, which every listener has. Calls to them are ours too
// because gRPC's versions bring threads that wait in its poller; each event
// then wakes one of them for another (README.md).
struct StandardServices {
  explicit StandardServices(std::vector<std::string> services);
  void Register(grpc::ServerBuilder* builder);

  Serving serving;
  // What reflection lists.
  const std::vector<std::string> names;
  RawHealthService health;
  RawReflection reflection;
  RawOldReflection old_reflection;
};
void AcceptStandardCalls(const Acceptor& acceptor, StandardServices& services);

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_ACCEPT_CALLS_H_
