// What the transport's tests share: one loop for client and server, a sink
// that remembers, and a way to wait for facts.
#ifndef LLM_TESTS_ADAPTERS_HTTP_HTTP_FIXTURE_H_
#define LLM_TESTS_ADAPTERS_HTTP_HTTP_FIXTURE_H_

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/core/system_clock.h"
#include "adapters/http/curl_transport.h"
#include "tests/support/tcp_script_server.h"

namespace llm {

// 2026-11-22 10:00:00 UTC
const absl::Time kNow = absl::FromUnixSeconds(1795341600);

class RememberingSink : public BodySink {
 public:
  explicit RememberingSink(boost::asio::io_context& io) : gate_(io) {
    gate_.expires_at(boost::asio::steady_timer::time_point::max());
  }

  void OnHead(int head_status,
              const std::vector<HttpHeader>& head_headers) override;
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override;

  // Lets the waiting slice, and all later ones, through.
  void OpenGate();

  // Set before use.
  bool gated = false;  // every slice waits until the gate is open
  BodyProgress progress = BodyProgress::kContent;
  absl::Status answer;  // what OnBody returns, if not OK

  int heads = 0;
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;
  int waiting = 0;  // slices at the gate

 private:
  boost::asio::steady_timer gate_;
};

// One Send under way.
class Sending {
 public:
  bool done() const { return outcome_->result.has_value(); }
  const HttpResult& result() const { return *outcome_->result; }
  void Cancel() {
    outcome_->signal.emit(boost::asio::cancellation_type::terminal);
  }

 private:
  friend class HttpFixture;
  struct Outcome {
    std::optional<HttpResult> result;
    boost::asio::cancellation_signal signal;
  };
  std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
};

class HttpFixture {
 public:
  HttpFixture() : server(io), transport(std::in_place, io, clock) {}

  HttpRequest Post(std::string body = "{}") const;
  Sending Start(const HttpRequest& request, BodySink& sink);
  HttpResult Send(const HttpRequest& request, BodySink& sink);
  HttpResult Send(const HttpRequest& request);
  // Runs the loop until `fact` holds; false if it does not within a time so
  // long that only a hang reaches it.
  bool RunUntil(const std::function<bool()>& fact);
  // Runs the loop while there is something to do at once.
  void RunReady();

  boost::asio::io_context io;
  SystemClock clock;
  TcpScriptServer server;
  std::optional<CurlTransport> transport;
};

// An HTTP answer with Content-Length.
std::string Answer(std::string_view body, int status = 200,
                   std::string_view more_headers = "");
// One chunk of the chunked encoding.
std::string Chunk(std::string_view data);
extern const char kChunkedHead[];

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_HTTP_HTTP_FIXTURE_H_
