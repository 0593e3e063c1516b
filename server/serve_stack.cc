#include "server/serve_stack.h"

#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "server/core/event_loop.h"
#include "server/core/gateway.h"
#include "server/core/side_thread.h"
#include "server/grpc/grpc_server.h"
#include "server/http_stack.h"

namespace llm::server {

namespace {

// What a call on the admin listener may wait for, in each of its steps.
constexpr absl::Duration kAdminLook = absl::Milliseconds(20);

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read TLS file ", path));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::StatusOr<GrpcTls> ReadTls(const TlsFiles& files) {
  GrpcTls tls;
  if (!files.enabled()) return tls;
  LLM_ASSIGN_OR_RETURN(tls.certificate, ReadFile(files.cert_file));
  LLM_ASSIGN_OR_RETURN(tls.private_key, ReadFile(files.key_file));
  if (!files.client_ca_file.empty()) {
    LLM_ASSIGN_OR_RETURN(tls.client_ca, ReadFile(files.client_ca_file));
  }
  return tls;
}

// The host of "host:port", for the address that was really bound.
std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

}  // namespace

class ServeStack::Parts {
 public:
  absl::Status StartGrpc(const ListenerConfig& listener, bool admin,
                         std::unique_ptr<GrpcServer>& server);

  // The servers below use its loops.
  std::unique_ptr<HttpStack> http;
  std::unique_ptr<GrpcServer> grpc;
  std::unique_ptr<GrpcServer> admin_grpc;
  std::vector<std::string> stuck;
};

absl::Status ServeStack::Parts::StartGrpc(const ListenerConfig& listener,
                                          bool admin,
                                          std::unique_ptr<GrpcServer>& server) {
  GrpcServerOptions options;
  options.listen = listener.address;
  LLM_ASSIGN_OR_RETURN(options.tls, ReadTls(listener.tls));
  options.max_message_bytes = http->config().server.max_body;
  // gRPC holds a message before it shows us whose it is, so what it may hold
  // is bounded by itself.
  options.memory_bytes = http->body_memory();
  options.reader = &http->reader();
  options.admin = admin;
  if (admin) options.look_every = kAdminLook;
  std::vector<GrpcLane> lanes;
  for (const StackLane& lane : http->lanes()) {
    lanes.push_back({lane.loop, lane.gateway});
  }
  LLM_ASSIGN_OR_RETURN(server,
                       GrpcServer::Start(options, lanes, http->clock()));
  return absl::OkStatus();
}

ServeStack::ServeStack(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

ServeStack::~ServeStack() {
  // Doors first: their calls end on loops that still run.
  for (GrpcServer* door : {parts_->grpc.get(), parts_->admin_grpc.get()}) {
    if (door != nullptr) door->Shutdown(absl::ZeroDuration());
  }
}

absl::StatusOr<std::unique_ptr<ServeStack>> ServeStack::Start(
    std::shared_ptr<const Config> config, BuildInfo build,
    spdlog::logger& request_log) {
  std::unique_ptr<ServeStack> stack(new ServeStack(std::make_unique<Parts>()));
  Parts& parts = *stack->parts_;
  LLM_ASSIGN_OR_RETURN(
      parts.http,
      HttpStack::Start(std::move(config), std::move(build), request_log));
  const ServerConfig& server = parts.http->config().server;
  LLM_RETURN_IF_ERROR(parts.StartGrpc(server.grpc, false, parts.grpc));
  LLM_RETURN_IF_ERROR(
      parts.StartGrpc(server.admin_grpc, true, parts.admin_grpc));
  parts.http->SetReady();
  parts.grpc->SetServing(true);
  parts.admin_grpc->SetServing(true);
  return stack;
}

std::string ServeStack::Addresses() const {
  const ServerConfig& server = parts_->http->config().server;
  return absl::StrCat(
      "http=", HostOf(server.http.address), ":", parts_->http->http_port(),
      " grpc=", HostOf(server.grpc.address), ":", parts_->grpc->port(),
      " admin_http=", HostOf(server.admin_http.address), ":",
      parts_->http->admin_port(),
      " admin_grpc=", HostOf(server.admin_grpc.address), ":",
      parts_->admin_grpc->port(), " metrics=", HostOf(server.metrics.address),
      ":", parts_->http->metrics_port());
}

absl::StatusOr<std::vector<std::string>> ServeStack::Reload(
    std::shared_ptr<const Config> config) {
  return parts_->http->Reload(std::move(config));
}

absl::Status ServeStack::Drain() {
  Parts& parts = *parts_;
  parts.http->BeginDrain();
  parts.grpc->SetServing(false);
  parts.admin_grpc->SetServing(false);
  parts.http->AwaitGrace();
  const absl::Duration drain = parts.http->DrainLeft();
  bool grpc = true;
  bool admin_grpc = true;
  std::thread one([&] { grpc = parts.grpc->Shutdown(drain); });
  std::thread two([&] { admin_grpc = parts.admin_grpc->Shutdown(drain); });
  if (!parts.http->CloseDoors()) parts.stuck.emplace_back("the HTTP door");
  one.join();
  two.join();
  if (!grpc) parts.stuck.emplace_back("the gRPC door");
  if (!admin_grpc) parts.stuck.emplace_back("the admin gRPC door");
  if (!parts.http->EndLoneCalls())
    parts.stuck.emplace_back("callers that left");
  return parts.http->Finish();
}

void ServeStack::HurryDrain() {
  parts_->http->Hurry();
  parts_->grpc->Hurry();
  parts_->admin_grpc->Hurry();
}

const std::vector<std::string>& ServeStack::stuck() const {
  return parts_->stuck;
}

}  // namespace llm::server
