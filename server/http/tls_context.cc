#include "server/http/tls_context.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace llm::server {
namespace ssl = boost::asio::ssl;
namespace {

absl::Status Unusable(const std::string& file,
                      const boost::system::error_code& error) {
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ssl::context>> MakeServerTls(
    const TlsFiles& files) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds |
                           ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                           ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1,
                       error);
  if (error) return Unusable(files.cert_file, error);
  context->use_certificate_chain_file(files.cert_file, error);
  if (error) return Unusable(files.cert_file, error);
  context->use_private_key_file(files.key_file, ssl::context::pem, error);
  if (error) return Unusable(files.key_file, error);
  // With client certificates OpenSSL resumes only sessions of a named context,
  // and fails the handshake of those that have none (SSL_CTX_set_session_id_
  // context(3)). Each context has keys of its own for its tickets, so one name
  // serves all listeners.
  constexpr std::string_view kName = "llm-service";
  SSL_CTX_set_session_id_context(
      context->native_handle(),
      reinterpret_cast<const unsigned char*>(kName.data()), kName.size());
  if (files.client_ca_file.empty()) return context;
  context->load_verify_file(files.client_ca_file, error);
  if (error) return Unusable(files.client_ca_file, error);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert,
                           error);
  if (error) return Unusable(files.client_ca_file, error);
  return context;
}

}  // namespace llm::server
