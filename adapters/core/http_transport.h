// One HTTP exchange with a provider, seen from a dialect.
//
// The transport separates "it failed" from "the server answered 404": only
// the dialect knows which answers are errors.
//
// Threads:      A transport belongs to one event loop; Send runs on it.
// Ownership:    `request` and `sink` outlive the returned task.
// Cancellation: Cancelling the task closes the upstream connection within a
//               second, whatever it was doing: resolving, connecting, sending,
//               paused, waiting.
// Resends:      Never. A request that reached a dead kept-alive connection
//               comes back as a failure with `reused_connection`; whoever
//               repeats it makes a row for it.
// Redirects:    Not followed.
#ifndef LLM_ADAPTERS_CORE_HTTP_TRANSPORT_H_
#define LLM_ADAPTERS_CORE_HTTP_TRANSPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "adapters/core/task.h"

namespace llm {

struct HttpHeader {
  std::string name;
  std::string value;
};

// Looks `name` up without regard to case; nullptr if absent.
const std::string* FindHeader(const std::vector<HttpHeader>& headers,
                              std::string_view name);

// Deadlines of one attempt. Infinite means none.
struct AttemptDeadlines {
  // TCP and TLS handshake together.
  absl::Duration connect = absl::Seconds(5);
  // From dispatch to the first event that carries content. Comments, empty
  // deltas and white space are not content.
  absl::Duration first_content = absl::Seconds(120);
  // Between two content events. Bytes without content (keep-alives) extend it
  // to at most twice its length. Stands still while the sink is waiting.
  absl::Duration idle = absl::Seconds(120);
  // The end of everything: the caller's deadline or the configured total.
  Instant total = Instant::Never();
};

// How to reach an endpoint; the same for all requests of a provider.
struct EndpointOptions {
  std::string proxy;    // URL; empty: none. The environment is ignored.
  std::string ca_file;  // PEM bundle; empty: the system's.
  // A client certificate and its key, PEM; empty: none is shown.
  std::string cert_file;
  std::string key_file;
  // Paused HTTP/2 transfers buffer without bound in libcurl 7.88, so
  // HTTP/1.1 is the default.
  bool http2 = false;
};

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<HttpHeader> headers;
  std::string body;
  AttemptDeadlines deadlines;
  EndpointOptions endpoint;
  // Opens a connection of its own instead of a kept-alive one.
  bool fresh_connection = false;
  // The answer is expected in small pieces over a long time: what waits for
  // them is kept small, at the price of more reads where they are not.
  bool trickles = false;
  // An answer with more body bytes than this is cut off as kInternal.
  int64_t max_response_bytes = int64_t{64} << 20;
};

// Whether a slice moved the content on; drives the content deadlines. kEnd:
// the content's own protocol has ended ("[DONE]"); what its framing still
// owes is waited for half a second, so that the connection can be reused.
enum class BodyProgress { kNoise, kContent, kEnd };

class BodySink {
 public:
  virtual ~BodySink() = default;
  // Once, before the first body byte. Interim (1xx) answers are not reported.
  virtual void OnHead(int status, const std::vector<HttpHeader>& headers) = 0;
  // A slice of the body, valid until the task completes. The transfer is
  // paused while this waits: awaiting is the back-pressure. An error ends the
  // exchange, closes the connection and becomes the result's status.
  virtual Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) = 0;
};

// How far an exchange got: decides whether repeating it may bill twice.
enum class HttpPhase {
  kConnect,   // no request byte has left
  kSend,      // some of the request has left
  kWait,      // the whole request has left, no answer byte has come
  kHead,      // the status line has come
  kBody,      // body bytes have come
  kComplete,  // the answer ended as its framing says
};

struct HttpTimings {
  // From the start of Send; unset where it never happened.
  std::optional<absl::Duration> connected;   // zero on a reused connection
  std::optional<absl::Duration> first_byte;  // of the answer's head
  absl::Duration total;
};

struct HttpResult {
  // OK: the server's answer was complete, whatever its HTTP status.
  // kDeadlineExceeded: a deadline, its name in the message (connect,
  //   first_content, idle, total).
  // kUnavailable: could not connect, or the connection broke.
  // kInternal: the answer broke HTTP framing or was too large.
  // kCancelled: the task was cancelled.
  // Otherwise the sink's own error.
  absl::Status status;
  int http_status = 0;
  HttpPhase phase = HttpPhase::kConnect;
  // The connection had carried an earlier request.
  bool reused_connection = false;
  HttpTimings timings;
  int64_t body_bytes = 0;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  virtual Task<HttpResult> Send(const HttpRequest& request, BodySink& sink) = 0;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_HTTP_TRANSPORT_H_
