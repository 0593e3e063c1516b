// Real handshakes at the gRPC door.
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "tests/server/grpc/grpc_fixture.h"
#include "tests/support/test_certificates.h"

namespace llm::server {
namespace {

using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

GrpcServerOptions WithTls(const CertificateFiles& server,
                          const std::string& client_ca) {
  GrpcServerOptions options;
  options.tls.certificate = TextOfFile(server.cert);
  options.tls.private_key = TextOfFile(server.key);
  if (!client_ca.empty()) options.tls.client_ca = TextOfFile(client_ca);
  return options;
}

// `shown` may be null: no client certificate.
Credentials Trusting(const TestCa& ca, const CertificateFiles* shown) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = TextOfFile(ca.ca_file());
  if (shown != nullptr) {
    options.pem_private_key = TextOfFile(shown->key);
    options.pem_cert_chain = TextOfFile(shown->cert);
  }
  return grpc::SslCredentials(options);
}

// The code of one ListModels, which goes through only after a handshake.
grpc::StatusCode AskModels(GrpcServerOptions options, Credentials credentials) {
  GrpcFixture fixture(std::move(options), {}, std::move(credentials));
  auto context = GrpcFixture::Context();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(30));
  v1::ListModelsResponse models;
  return fixture.stub->ListModels(context.get(), {}, &models).error_code();
}

TEST_CASE("A listener with a certificate serves those who trust its CA",
          "[server][grpc][tls]") {
  const TestCa ca;
  const GrpcServerOptions options = WithTls(ca.Sign("server"), "");
  CHECK(AskModels(options, Trusting(ca, nullptr)) == grpc::StatusCode::OK);
  const TestCa other;
  CHECK(AskModels(options, Trusting(other, nullptr)) ==
        grpc::StatusCode::UNAVAILABLE);
  CHECK(AskModels(options, grpc::InsecureChannelCredentials()) ==
        grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("A listener with a client CA serves those it has signed",
          "[server][grpc][tls]") {
  const TestCa ca;
  const TestCa other;
  const GrpcServerOptions options = WithTls(ca.Sign("server"), ca.ca_file());
  const CertificateFiles client = ca.Sign("client");
  const CertificateFiles stranger = other.Sign("stranger");
  CHECK(AskModels(options, Trusting(ca, &client)) == grpc::StatusCode::OK);
  CHECK(AskModels(options, Trusting(ca, nullptr)) ==
        grpc::StatusCode::UNAVAILABLE);
  CHECK(AskModels(options, Trusting(ca, &stranger)) ==
        grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("Unusable TLS texts are a fault that says what they are",
          "[server][grpc][tls]") {
  EventLoop loop(0);
  FakeChatService service;
  const SystemClock clock;
  const TestCa ca;
  GrpcServerOptions options = WithTls(ca.Sign("server"), "");
  options.listen = "127.0.0.1:0";
  options.tls.private_key = "not PEM";
  const auto server = GrpcServer::Start(options, {{&loop, &service}}, clock);
  CHECK(server.status().code() == absl::StatusCode::kUnavailable);
  CHECK(server.status().message().find("TLS certificate and key") !=
        std::string::npos);
}

}  // namespace
}  // namespace llm::server
