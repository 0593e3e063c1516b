// TLS, proxies and what of the environment must not matter.
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/cleanup/cleanup.h"
#include "tests/adapters/http/http_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

// A self-signed certificate for 127.0.0.1, made by the openssl tool.
class Certificate {
 public:
  Certificate() {
    char pattern[] = "/tmp/llm_tls_XXXXXX";
    directory_ = ::mkdtemp(pattern);
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        "-days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout " +
        key() + " -out " + cert() + " 2>/dev/null";
    made_ = std::system(command.c_str()) == 0;
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  bool made() const { return made_; }
  std::string cert() const { return directory_ + "/cert.pem"; }
  std::string key() const { return directory_ + "/key.pem"; }

 private:
  std::string directory_;
  bool made_ = false;
};

TEST_CASE_METHOD(HttpFixture, "TLS peers are verified against the given CA",
                 "[adapters][http][tls]") {
  const Certificate certificate;
  REQUIRE(certificate.made());
  TcpScriptServer tls(io, certificate.cert(), certificate.key());
  tls.SetScripts(
      {{Step::ReadRequest(), Step::Send(Answer("ok")), Step::ReadRequest(),
        Step::Send(Answer("ok")), Step::Hang()}});
  HttpRequest request = Post();
  request.url = tls.Url();
  SECTION("an unknown signer is refused before the request leaves") {
    const HttpResult result = Send(request);
    CHECK_THAT(result.status, HasCode(absl::StatusCode::kUnavailable));
    CHECK(result.phase == HttpPhase::kConnect);
    CHECK(tls.requests() == 0);
  }
  SECTION("a known one is trusted, and the connection kept") {
    request.endpoint.ca_file = certificate.cert();
    CHECK_THAT(Send(request).status, IsOk());
    const HttpResult second = Send(request);
    CHECK_THAT(second.status, IsOk());
    CHECK(second.reused_connection);
    request.endpoint.ca_file.clear();
    CHECK_FALSE(Send(request).status.ok());
  }
  SECTION("a name that the certificate lacks is refused") {
    request.endpoint.ca_file = certificate.cert();
    request.url = "https://localhost:" + std::to_string(tls.port());
    CHECK_FALSE(Send(request).status.ok());
    CHECK(tls.requests() == 0);
  }
  SECTION("a CA file that is not there is a failure") {
    request.endpoint.ca_file = certificate.cert() + ".gone";
    CHECK_THAT(Send(request).status, HasCode(absl::StatusCode::kUnavailable));
    CHECK(tls.requests() == 0);
  }
}

TEST_CASE_METHOD(HttpFixture, "Proxies of the environment are ignored",
                 "[adapters][http][proxy]") {
  for (const char* name : {"http_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
    ::setenv(name, "http://127.0.0.1:1", 1);
  }
  const absl::Cleanup restore = [] {
    for (const char* name : {"http_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
      ::unsetenv(name);
    }
  };
  server.SetScripts({{Step::ReadRequest(), Step::Send(Answer("ok"))}});
  CHECK_THAT(Send(Post()).status, IsOk());
}

TEST_CASE_METHOD(HttpFixture,
                 "A configured proxy is used, whatever no_proxy says",
                 "[adapters][http][proxy]") {
  ::setenv("no_proxy", "*", 1);
  const absl::Cleanup restore = [] { ::unsetenv("no_proxy"); };
  server.SetScripts({{Step::ReadRequest(), Step::Send(Answer("proxied"))}});
  HttpRequest request = Post();
  request.endpoint.proxy = server.Url("");
  request.url = "http://provider.test/v1";
  RememberingSink sink(io);
  CHECK_THAT(Send(request, sink).status, IsOk());
  CHECK(sink.body == "proxied");
  CHECK(server.request(0).starts_with("POST http://provider.test/v1 "));
}

TEST_CASE_METHOD(HttpFixture, "A proxy's tunnel gets none of our headers",
                 "[adapters][http][proxy]") {
  server.SetScripts(
      {{Step::ReadRequest(),
        Step::Send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
        Step::Hang()}});
  HttpRequest request = Post();
  request.headers.push_back({"Authorization", "Bearer secret"});
  request.endpoint.proxy = server.Url("");
  request.url = "https://provider.test/v1";
  const HttpResult result = Send(request);
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kUnavailable));
  CHECK(result.phase == HttpPhase::kConnect);
  CHECK(server.request(0).starts_with("CONNECT provider.test:443 "));
  CHECK(server.request(0).find("secret") == std::string::npos);
}

}  // namespace
}  // namespace llm
