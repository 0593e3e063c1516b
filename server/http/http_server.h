// One HTTP listener over all event loops.
//
// Connections are accepted on the first loop and dealt to the loops in turn;
// each stays on its loop.
//
// Threads:   Start, StopAccepting, Shutdown and the destructor belong to the
//            owner's thread, which is none of the loops.
// Ownership: Loops and services outlive the server. Call Shutdown while the
//            loops still run.
#ifndef LLM_SERVER_HTTP_HTTP_SERVER_H_
#define LLM_SERVER_HTTP_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/config/config.h"
#include "server/core/body_budget.h"
#include "server/core/door_limits.h"
#include "server/core/http_service.h"
#include "server/core/side_thread.h"

namespace boost::asio {
class io_context;
}

namespace llm::server {

// Besides those of every door.
struct HttpLimits : DoorLimits {
  size_t max_header_bytes = 64 * 1024;
  int max_headers = 100;
  int64_t max_body = int64_t{32} << 20;
  // Per listener; beyond it a connection gets one 503, which names the
  // setting, if there is one.
  size_t max_connections = 20000;
  // Of those that are told so, at once; more are closed without a word.
  size_t max_refused = 256;
  std::string max_connections_key = "server.max_connections";
  // Of all listeners; null: bodies are bounded one by one only.
  BodyBudget* bodies = nullptr;
  // Between two requests.
  absl::Duration idle = absl::Seconds(120);
  // From a request's first byte to the end of its head; TLS handshake alike.
  absl::Duration header_read = absl::Seconds(15);
  // Without a byte of the body; and for all of it, where it comes slower than
  // body_rate bytes a second: a drip of bytes does not hold its place.
  absl::Duration body_read = absl::Seconds(30);
  int64_t body_rate = 4 * 1024;
  // For what the client still sends after a refusal.
  absl::Duration linger = absl::Seconds(2);
};

enum class HttpListenerKind { kPublic, kAdmin, kMetrics };

struct HttpServerOptions {
  ListenerConfig listener;
  HttpListenerKind kind = HttpListenerKind::kPublic;
  HttpLimits limits;
  // Origins answered with CORS headers; "*" for any. None by default.
  std::vector<std::string> cors;
  // Where nobody needs a key: web pages (foreign_caller.h) are refused.
  bool programs_only = false;
  absl::Duration stream_grace = absl::Seconds(15);
  // Prometheus text; for kMetrics. Called on any loop.
  std::function<std::string()> metrics;
  // Reads large chat requests, and outlives the loops; null: the loops do.
  SideThread* reader = nullptr;
};

// A loop and what answers on it; `service` may be null for kMetrics.
struct HttpLoop {
  boost::asio::io_context* context = nullptr;
  HttpService* service = nullptr;
};

class HttpServer {
 public:
  HttpServer(HttpServerOptions options, std::vector<HttpLoop> loops);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds and listens. kInvalidArgument or kUnavailable, naming the address,
  // for one that cannot be used; kInvalidArgument for unusable TLS files.
  absl::Status Start();
  // The bound port, after Start.
  uint16_t port() const;
  // "http://127.0.0.1:8004", after Start.
  std::string url() const;

  // No new connections; returns when none can come any more.
  void StopAccepting();
  // Stops accepting, closes idle connections, lets answers under way finish
  // until `timeout`. Then the rest is cancelled and told `overloaded`, has
  // limits.farewell to take that, and is cut. True when none is left; false
  // when some would not end in limits.abandon: they may still use the loops.
  bool Shutdown(absl::Duration timeout);
  // From any thread: a Shutdown, also a later one, gives answers no more time.
  void Hurry();

  size_t connections() const;
  // Connections that were refused for being one too many.
  int64_t refused_connections() const;

 private:
  class Core;
  // Shared with handlers that may be queued on the loops.
  std::shared_ptr<Core> core_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_HTTP_SERVER_H_
