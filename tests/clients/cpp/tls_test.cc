#include <catch2/catch.hpp>
#include <string>

#include "llm_service/client.h"
#include "llm_service/error.h"
#include "tests/clients/cpp/scripted_service.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_certificates.h"

namespace llm::client {
namespace {

std::shared_ptr<grpc::ServerCredentials> MutualTls(const TestCa& ca) {
  const CertificateFiles own = ca.Sign("server");
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = TextOfFile(ca.ca_file());
  options.pem_key_cert_pairs = {{TextOfFile(own.key), TextOfFile(own.cert)}};
  return grpc::SslServerCredentials(options);
}

TEST_CASE("Both sides show their certificates", "[clients][tls]") {
  const TestCa ca;
  ClientFixture fixture(MutualTls(ca));
  const CertificateFiles own = ca.Sign("client");
  ClientOptions options = fixture.Options();
  TlsOptions& tls = options.tls.emplace();
  tls.ca_file = ca.ca_file();
  SECTION("and get through") {
    tls.cert_file = own.cert;
    tls.key_file = own.key;
    CHECK_THAT(fixture.Connect(options).ListModels(), IsOk());
  }
  SECTION("or are refused without one") {
    CHECK_THAT(fixture.Connect(options).ListModels(),
               HasCode(absl::StatusCode::kUnavailable));
  }
  SECTION("or under another name") {
    tls.cert_file = own.cert;
    tls.key_file = own.key;
    tls.server_name = "elsewhere.example";
    CHECK_THAT(fixture.Connect(options).ListModels(),
               HasCode(absl::StatusCode::kUnavailable));
  }
}

TEST_CASE("A PEM file that cannot be read is named", "[clients][tls]") {
  ClientOptions options;
  options.tls.emplace().ca_file = "/nowhere/ca.pem";
  const auto client = Client::Create(options);
  REQUIRE_THAT(client, HasCode(absl::StatusCode::kNotFound));
  CHECK_THAT(std::string(client.status().message()),
             Catch::Contains("/nowhere/ca.pem"));
}

TEST_CASE("A directory is no PEM file", "[clients][tls]") {
  ClientOptions options;
  options.tls.emplace().ca_file = "/";
  CHECK_THAT(Client::Create(options), HasCode(absl::StatusCode::kNotFound));
}

TEST_CASE("A file that is no PEM is refused when the client is made",
          "[clients][tls]") {
  ClientOptions options;
  options.tls.emplace().ca_file = "/proc/self/status";
  CHECK_THAT(Client::Create(options),
             HasCode(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace llm::client
