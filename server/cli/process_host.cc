// The process's own streams, environment and network.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <utility>

#include "adapters/core/system_clock.h"
#include "adapters/http/curl_transport.h"
#include "server/cli/cli.h"

extern char** environ;

namespace llm::server {
namespace {

class CollectBody : public BodySink {
 public:
  void OnHead(int, const std::vector<HttpHeader>&) override {}
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override {
    body_ += slice;
    co_return BodyProgress::kContent;
  }
  std::string body_;
};

HttpRequest MakeRequest(const std::string& method, const std::string& url,
                        const std::string& key, const std::string& body,
                        const TlsClientFiles& tls) {
  HttpRequest request;
  request.endpoint.ca_file = tls.ca_file;
  request.endpoint.cert_file = tls.cert_file;
  request.endpoint.key_file = tls.key_file;
  request.method = method;
  request.url = url;
  if (!key.empty()) {
    request.headers.push_back({"authorization", "Bearer " + key});
  }
  if (method == "POST") {
    request.headers.push_back({"content-type", "application/json"});
    request.body = body;
  }
  return request;
}

absl::StatusOr<HttpAnswer> CallService(const std::string& method,
                                       const std::string& url,
                                       const std::string& key,
                                       const std::string& body,
                                       const TlsClientFiles& tls) {
  const HttpRequest request = MakeRequest(method, url, key, body, tls);
  boost::asio::io_context loop;
  const SystemClock clock;
  CurlTransport transport(loop, clock);
  CollectBody sink;
  absl::StatusOr<HttpAnswer> answer = absl::UnavailableError("no answer");
  boost::asio::co_spawn(
      loop, transport.Send(request, sink),
      [&](std::exception_ptr error, HttpResult result) {
        if (error) return;
        answer = result.status.ok() ? absl::StatusOr<HttpAnswer>(HttpAnswer{
                                          result.http_status, sink.body_})
                                    : absl::StatusOr<HttpAnswer>(result.status);
        loop.stop();
      });
  loop.run();
  return answer;
}

}  // namespace

CliHost ProcessHost(const std::vector<BuiltInProvider>& built_in,
                    std::function<int(const ServeOptions&)> serve) {
  CliHost host;
  host.out = &std::cout;
  host.err = &std::cerr;
  host.env = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    host.env_names.emplace_back(text.substr(0, text.find('=')));
  }
  host.built_in = &built_in;
  host.serve = std::move(serve);
  host.http = CallService;
  host.now = absl::Now();
  return host;
}

}  // namespace llm::server
