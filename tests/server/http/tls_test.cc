// The same door behind TLS, with a certificate made for the run.
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

// A self-signed certificate and its key as files in a fresh directory.
class Certificate {
 public:
  Certificate() {
    char name[] = "/tmp/llm-tls-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory_ = name;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_ASC,
        reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_sign(cert, key, EVP_sha256());
    FILE* out = std::fopen(cert_file().c_str(), "w");
    PEM_write_X509(out, cert);
    std::fclose(out);
    out = std::fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  std::string cert_file() const { return directory_ + "/cert.pem"; }
  std::string key_file() const { return directory_ + "/key.pem"; }

 private:
  std::string directory_;
};

struct TlsAnswer {
  std::string text;
  // The end was said, not just met.
  bool ended = false;
};

// Asks for /healthz over TLS; empty when the server would not talk.
TlsAnswer AskTls(uint16_t port, const Certificate* shown) {
  ssl::context context(ssl::context::tls_client);
  if (shown != nullptr) {
    context.use_certificate_chain_file(shown->cert_file());
    context.use_private_key_file(shown->key_file(), ssl::context::pem);
  }
  asio::io_context io;
  ssl::stream<asio::ip::tcp::socket> stream(io, context);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
  boost::system::error_code error;
  stream.handshake(ssl::stream_base::client, error);
  TlsAnswer answer;
  if (error) return answer;
  asio::write(stream,
              asio::buffer(std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n"
                                       "Connection: close\r\n\r\n")),
              error);
  asio::read(stream, asio::dynamic_buffer(answer.text), error);
  answer.ended = error == asio::error::eof;
  return answer;
}

std::string AskOverTls(uint16_t port, const Certificate* shown) {
  return AskTls(port, shown).text;
}

TEST_CASE("a listener with a certificate speaks TLS", "[server][http][tls]") {
  FakeService service;
  const Certificate certificate;
  HttpServerOptions options;
  options.listener.address = "127.0.0.1:0";
  options.listener.tls.cert_file = certificate.cert_file();
  options.listener.tls.key_file = certificate.key_file();
  SECTION("to everyone") {
    RunningServer server(service, options);
    CHECK(server.server().url().starts_with("https://127.0.0.1:"));
    CHECK(StatusOf(AskOverTls(server.port(), nullptr)) == 200);
  }
  SECTION("with a client CA, only to those who show its certificate") {
    options.listener.tls.client_ca_file = certificate.cert_file();
    RunningServer server(service, options);
    CHECK(AskOverTls(server.port(), nullptr).empty());
    const Certificate stranger;
    CHECK(AskOverTls(server.port(), &stranger).empty());
    CHECK(StatusOf(AskOverTls(server.port(), &certificate)) == 200);
  }
  SECTION("and says where its answer ends") {
    RunningServer server(service, options);
    CHECK(AskTls(server.port(), nullptr).ended);
  }
  SECTION("a caller who leaves is noticed there too") {
    Signal cancelled;
    Signal started;
    struct Held {
      static Task<CallResult> Run(Signal* begun, Signal* ended) {
        begun->Set();
        co_await UntilCancelled();
        ended->Set();
        co_return CallResult{};
      }
    };
    service.on_chat = [&](const CallContext&, const ChatRequest&, ChunkSink*) {
      return Held::Run(&started, &cancelled);
    };
    options.limits.sweep = absl::Milliseconds(5);
    RunningServer server(service, options);
    ssl::context context(ssl::context::tls_client);
    asio::io_context io;
    {
      ssl::stream<asio::ip::tcp::socket> stream(io, context);
      stream.next_layer().connect(
          {asio::ip::address_v4::loopback(), server.port()});
      stream.handshake(ssl::stream_base::client);
      asio::write(stream, asio::buffer(ChatPost()));
      REQUIRE(started.Wait());
    }
    CHECK(cancelled.Wait());
  }
}

TEST_CASE("unusable TLS files are named", "[server][http][tls]") {
  FakeService service;
  EventLoop loop(0);
  HttpServerOptions options;
  options.listener.address = "127.0.0.1:0";
  options.listener.tls.cert_file = "/nonexistent/cert.pem";
  HttpServer server(options, {{&loop.context(), &service}});
  const absl::Status status = server.Start();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(status.message()).find("/nonexistent/cert.pem") == 0);
}

}  // namespace
}  // namespace llm::server
