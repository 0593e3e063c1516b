#include "connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "wire_error.h"

namespace llm::client {
namespace {

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  if (path.empty()) return std::string();
  const std::ifstream in(path, std::ios::binary);
  // Not by stream iterators: they throw where the path is a directory.
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.is_open() || text.str().empty()) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path));
  }
  // gRPC would make a channel that never connects and never says why.
  if (!absl::StrContains(text.str(), "-----BEGIN ")) {
    return absl::InvalidArgumentError(absl::StrCat("not a PEM file: ", path));
  }
  return text.str();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const std::optional<TlsOptions>& tls) {
  if (!tls.has_value()) return grpc::InsecureChannelCredentials();
  if (tls->cert_file.empty() != tls->key_file.empty()) {
    return absl::InvalidArgumentError(
        "tls: cert_file and key_file go together");
  }
  absl::StatusOr<std::string> ca = ReadPem(tls->ca_file);
  if (!ca.ok()) return ca.status();
  absl::StatusOr<std::string> cert = ReadPem(tls->cert_file);
  if (!cert.ok()) return cert.status();
  absl::StatusOr<std::string> key = ReadPem(tls->key_file);
  if (!key.ok()) return key.status();
  return grpc::SslCredentials(
      {*std::move(ca), *std::move(key), *std::move(cert)});
}

// Servers close connections that are pinged more often.
constexpr absl::Duration kLeastKeepAlive = absl::Seconds(10);
constexpr absl::Duration kPingTimeout = absl::Seconds(20);

int ToMilliseconds(absl::Duration duration) {
  return static_cast<int>(std::clamp<int64_t>(
      absl::ToInt64Milliseconds(duration), 1, std::numeric_limits<int>::max()));
}

}  // namespace

grpc::ChannelArguments ChannelArgumentsOf(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("llm-service-cpp");
  // Checked before sending, with a detail.
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(std::min<int64_t>(
      options.max_response_bytes, std::numeric_limits<int>::max())));
  if (options.keep_alive != absl::InfiniteDuration()) {
    const int every = ToMilliseconds(options.keep_alive);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, every);
    // Not less where pings are frequent: while nobody waits in a call, gRPC
    // looks at the connection every five seconds only, and a slow reader's
    // stream would be cut.
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                     ToMilliseconds(kPingTimeout));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  // No retry policy from DNS: the service does that. What remains are gRPC's
  // transparent retries, of requests that never left or were never looked at.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // gRPC's two minutes would outlast every restart of the service.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // Each Client its own connection, also beside an equal one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (options.tls.has_value() && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  return arguments;
}

namespace {

absl::Status Check(const ClientOptions& options) {
  if (options.target.empty()) {
    return absl::InvalidArgumentError("target: empty");
  }
  // gRPC would look for a host of that name.
  if (absl::StartsWith(options.target, "http://") ||
      absl::StartsWith(options.target, "https://")) {
    return absl::InvalidArgumentError(
        "target: host:port, not a URL; `tls` chooses encryption");
  }
  if (options.default_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("default_timeout must be positive");
  }
  if (options.keep_alive < kLeastKeepAlive) {
    return absl::InvalidArgumentError(absl::StrCat(
        "keep_alive must be at least ", absl::FormatDuration(kLeastKeepAlive)));
  }
  if (options.max_request_bytes <= 0 || options.max_response_bytes <= 0) {
    return absl::InvalidArgumentError(
        "max_request_bytes and max_response_bytes must be positive");
  }
  return CheckMetadata("authorization", options.key);
}

}  // namespace

Connection::Connection(ClientOptions options,
                       std::shared_ptr<grpc::Channel> channel)
    : options_(std::move(options)),
      channel_(std::move(channel)),
      stub_(v1::LlmService::NewStub(channel_)) {}

absl::StatusOr<std::shared_ptr<const Connection>> Connection::Make(
    const ClientOptions& given) {
  ClientOptions options = given;
  // Keys are read from files, which end in a newline.
  options.key = std::string(absl::StripAsciiWhitespace(options.key));
  const absl::Status status = Check(options);
  if (!status.ok()) return status;
  auto credentials = Credentials(options.tls);
  if (!credentials.ok()) return credentials.status();
  auto channel = grpc::CreateCustomChannel(options.target, *credentials,
                                           ChannelArgumentsOf(options));
  return std::shared_ptr<const Connection>(
      new Connection(std::move(options), std::move(channel)));
}

absl::StatusOr<std::shared_ptr<OpenCall>> Connection::Open(
    const google::protobuf::Message& request,
    const CallOptions& options) const {
  const auto size = static_cast<int64_t>(request.ByteSizeLong());
  if (size > options_.max_request_bytes) {
    return LocalError(
        absl::StatusCode::kResourceExhausted, "body_too_large",
        absl::StrCat("the request has ", size, " bytes, the limit is ",
                     options_.max_request_bytes),
        options.request_id);
  }
  return client::Open(options, options_.key, options_.default_timeout);
}

absl::Status Connection::ToStatus(const grpc::Status& status,
                                  const OpenCall& call) const {
  CallFacts facts;
  facts.target = options_.target;
  facts.request_id =
      call.request_id.empty() ? ReceivedRequestId(call) : call.request_id;
  facts.cancelled = call.cancelled;
  // gRPC's clock and ours may differ by a little.
  facts.late = absl::Now() + absl::Milliseconds(100) >= call.deadline;
  return FromWire(status, facts);
}

}  // namespace llm::client
