// HttpTransport over libcurl: one multi handle and its connections per loop.
//
// Threads:      Built, used and destroyed on the loop's thread, or while the
//               loop does not run.
// Ownership:    `loop` and `clock` outlive the transport. Tasks of Send may
//               outlive it.
// Connections:  Kept alive and shared by all requests of the loop; one per
//               exchange in flight, without a limit: admission limits those.
// Environment:  Proxies, netrc and curl's own settings are not read.
#ifndef LLM_ADAPTERS_HTTP_CURL_TRANSPORT_H_
#define LLM_ADAPTERS_HTTP_CURL_TRANSPORT_H_

#include <memory>

#include "adapters/core/clock.h"
#include "adapters/core/http_transport.h"

namespace boost::asio {
class io_context;
}

namespace llm {

class CurlMulti;

struct CurlTransportOptions {
  // Idle connections kept per loop. Room for the bursts of several providers;
  // each costs a descriptor and, with TLS, about 60 KB.
  int max_idle_connections = 512;
};

class CurlTransport final : public HttpTransport {
 public:
  CurlTransport(boost::asio::io_context& loop, const Clock& clock,
                CurlTransportOptions options = {});
  ~CurlTransport() override;

  Task<HttpResult> Send(const HttpRequest& request, BodySink& sink) override;

 private:
  boost::asio::io_context& loop_;
  const Clock& clock_;
  // Shared with exchanges that are still being torn down.
  std::shared_ptr<CurlMulti> multi_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_CURL_TRANSPORT_H_
