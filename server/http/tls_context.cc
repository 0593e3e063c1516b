#include "server/http/tls_context.h"

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
  if (files.client_ca_file.empty()) return context;
  context->load_verify_file(files.client_ca_file, error);
  if (error) return Unusable(files.client_ca_file, error);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert,
                           error);
  if (error) return Unusable(files.client_ca_file, error);
  return context;
}

}  // namespace llm::server
