// The TLS side of a listener.
#ifndef LLM_SERVER_HTTP_TLS_CONTEXT_H_
#define LLM_SERVER_HTTP_TLS_CONTEXT_H_

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "absl/status/statusor.h"
#include "server/config/config.h"

namespace llm::server {

// TLS 1.2 or newer; with a client CA, clients must show a certificate of it.
// kInvalidArgument, naming the file, for one that cannot be used.
absl::StatusOr<std::unique_ptr<boost::asio::ssl::context>> MakeServerTls(
    const TlsFiles& files);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_TLS_CONTEXT_H_
