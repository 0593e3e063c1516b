#include "server/grpc/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/grpc/admin_service_edge.h"
#include "server/grpc/llm_service_edge.h"

namespace llm::server {
namespace {

std::shared_ptr<grpc::ServerCredentials> MakeCredentials(const GrpcTls& tls) {
  if (tls.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      tls.client_ca.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.client_ca;
  options.pem_key_cert_pairs.push_back({tls.private_key, tls.certificate});
  return grpc::SslServerCredentials(options);
}

void SetKeepAlive(grpc::ServerBuilder* builder) {
  // Clients may ping every 10 s, with calls or without, and never lose their
  // connection over it (contract.md section 4).
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  // Our own pings find clients that vanished without a word while a long
  // answer is being made for them.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
}

void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  const int64_t largest = std::min<int64_t>(options.max_message_bytes,
                                            std::numeric_limits<int>::max());
  builder->SetMaxReceiveMessageSize(static_cast<int>(largest));
  builder->SetMaxSendMessageSize(-1);
  grpc::ResourceQuota quota("llm-grpc");
  quota.Resize(static_cast<size_t>(options.memory_bytes));
  builder->SetResourceQuota(quota);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              options.max_streams_per_connection);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024);
  // Two processes on one port would each get half the callers, unseen.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Only reflection is synchronous; one thread is enough for it.
  builder->SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder->SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder->SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

}  // namespace

class GrpcServer::Parts {
 public:
  explicit Parts(std::vector<std::unique_ptr<Lane>> lanes)
      : lanes_(std::move(lanes)), llm_(lanes_), admin_(lanes_) {}

  absl::Status Listen(const GrpcServerOptions& options) {
    // Both are switches of the gRPC library, not of a builder: setting them
    // again for the second listener changes nothing.
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    SetKeepAlive(&builder);
    SetLimits(options, &builder);
    builder.AddListeningPort(options.listen, MakeCredentials(options.tls),
                             &port_);
    builder.RegisterService(&llm_);
    if (options.admin) builder.RegisterService(&admin_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      server_ = nullptr;
      return absl::UnavailableError(
          absl::StrCat("cannot listen for gRPC on ", options.listen));
    }
    return absl::OkStatus();
  }

  void SetServing(bool serving) {
    grpc::HealthCheckServiceInterface* health =
        server_->GetHealthCheckService();
    health->SetServingStatus("", serving);
    health->SetServingStatus(v1::LlmService::service_full_name(), serving);
  }

  void Shutdown(absl::Duration grace) {
    if (server_ == nullptr || std::exchange(down_, true)) return;
    SetServing(false);
    server_->Shutdown(std::chrono::system_clock::now() +
                      absl::ToChronoMilliseconds(grace));
  }

  int port() const { return port_; }

 private:
  // Destroyed last to first: the server before what its calls use.
  Lanes lanes_;
  LlmServiceEdge llm_;
  AdminServiceEdge admin_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  bool down_ = false;
};

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const GrpcServerOptions& options, const std::vector<GrpcLane>& lanes,
    const Clock& clock) {
  if (options.tls.certificate.empty() != options.tls.private_key.empty()) {
    return absl::InvalidArgumentError(
        "TLS for gRPC needs both a certificate and its key");
  }
  std::vector<std::unique_ptr<Lane>> own;
  for (const GrpcLane& lane : lanes) {
    own.push_back(std::make_unique<Lane>(*lane.loop, *lane.service, clock));
  }
  auto parts = std::make_unique<Parts>(std::move(own));
  absl::Status listening = parts->Listen(options);
  if (!listening.ok()) return listening;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
}

GrpcServer::~GrpcServer() { Shutdown(absl::ZeroDuration()); }

int GrpcServer::port() const { return parts_->port(); }
void GrpcServer::SetServing(bool serving) { parts_->SetServing(serving); }
void GrpcServer::Shutdown(absl::Duration grace) { parts_->Shutdown(grace); }

}  // namespace llm::server
