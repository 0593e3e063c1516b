#include "server/http/http_server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/mutex.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "server/http/connection.h"
#include "server/http/connection_set.h"
#include "server/http/http_api.h"
#include "server/http/tls_context.h"

namespace llm::server {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kBacklog = 1024;
// How often a cut connection is cut again.
constexpr absl::Duration kAbortWait = absl::Milliseconds(200);

struct HostPort {
  std::string host;
  std::string port;
};

// "127.0.0.1:8004", "[::1]:8004", "localhost:0"
absl::StatusOr<HostPort> SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  HostPort parts;
  if (colon != std::string::npos) {
    parts = {address.substr(0, colon), address.substr(colon + 1)};
  }
  if (parts.host.size() > 2 && parts.host.front() == '[' &&
      parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  int port = 0;
  if (parts.host.empty() || !absl::SimpleAtoi(parts.port, &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat(address, ": a listener is HOST:PORT"));
  }
  return parts;
}

}  // namespace

class HttpServer::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(HttpServerOptions options, std::vector<HttpLoop> loops);

  absl::Status Start();
  void StopAccepting();
  bool Shutdown(absl::Duration timeout);
  void Hurry() { count_.Hurry(); }
  uint16_t port() const { return endpoint_.port(); }
  std::string url() const;
  size_t connections() const { return count_.value(); }
  int64_t refused_connections() const { return refused_; }

 private:
  struct Worker {
    asio::io_context* loop;
    std::unique_ptr<HttpApi> api;
    std::shared_ptr<ConnectionSet> set;
  };

  absl::Status Bind(const tcp::endpoint& endpoint);
  void Accept();
  void OnAccepted(boost::system::error_code error, Worker& worker,
                  tcp::socket socket);
  void Deal(Worker& worker, tcp::socket socket);
  void OnEachLoop(void (ConnectionSet::*act)());

  const HttpServerOptions options_;
  std::vector<Worker> workers_;
  std::unique_ptr<asio::ssl::context> tls_;
  ConnectionCount count_;
  std::atomic<int64_t> refused_{0};
  tcp::endpoint endpoint_;

  // Of the first loop.
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  size_t next_ = 0;

  Mutex mutex_;
  CondVar stopped_;
  bool accepting_ ABSL_GUARDED_BY(mutex_) = false;
};

HttpServer::Core::Core(HttpServerOptions options, std::vector<HttpLoop> loops)
    : options_(std::move(options)),
      acceptor_(*loops.front().context),
      retry_(*loops.front().context) {
  for (const HttpLoop& loop : loops) {
    workers_.push_back({loop.context,
                        std::make_unique<HttpApi>(loop.service, options_),
                        std::make_shared<ConnectionSet>(
                            *loop.context, options_.limits, count_)});
  }
}

absl::Status HttpServer::Core::Bind(const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (!error) endpoint_ = acceptor_.local_endpoint(error);
  if (!error) return absl::OkStatus();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  return absl::UnavailableError(
      absl::StrCat(options_.listener.address, ": ", error.message()));
}

absl::Status HttpServer::Core::Start() {
  LLM_ASSIGN_OR_RETURN(const HostPort address,
                       SplitAddress(options_.listener.address));
  if (options_.listener.tls.enabled()) {
    LLM_ASSIGN_OR_RETURN(tls_, MakeServerTls(options_.listener.tls));
  }
  tcp::resolver resolver(*workers_.front().loop);
  boost::system::error_code error;
  const auto found = resolver.resolve(address.host, address.port,
                                      tcp::resolver::passive, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options_.listener.address, ": no such address: ", error.message()));
  }
  LLM_RETURN_IF_ERROR(Bind(found.begin()->endpoint()));
  {
    const MutexLock lock(mutex_);
    accepting_ = true;
  }
  asio::post(acceptor_.get_executor(),
             [self = shared_from_this()] { self->Accept(); });
  return absl::OkStatus();
}

std::string HttpServer::Core::url() const {
  const std::string host =
      endpoint_.address().is_v6()
          ? absl::StrCat("[", endpoint_.address().to_string(), "]")
          : endpoint_.address().to_string();
  return absl::StrCat(tls_ == nullptr ? "http://" : "https://", host, ":",
                      endpoint_.port());
}

void HttpServer::Core::Accept() {
  Worker& worker = workers_[next_++ % workers_.size()];
  acceptor_.async_accept(
      *worker.loop, [self = shared_from_this(), &worker](
                        boost::system::error_code error, tcp::socket socket) {
        self->OnAccepted(error, worker, std::move(socket));
      });
}

void HttpServer::Core::OnAccepted(boost::system::error_code error,
                                  Worker& worker, tcp::socket socket) {
  if (!acceptor_.is_open()) {
    const MutexLock lock(mutex_);
    accepting_ = false;
    stopped_.NotifyAll();
    return;
  }
  if (!error) {
    Deal(worker, std::move(socket));
    Accept();
    return;
  }
  // Out of descriptors, most likely: trying again at once would spin.
  retry_.expires_after(std::chrono::milliseconds(100));
  retry_.async_wait([self = shared_from_this()](boost::system::error_code) {
    self->Accept();
  });
}

void HttpServer::Core::Deal(Worker& worker, tcp::socket socket) {
  const auto kind = count_.Add(options_.limits);
  if (kind != ConnectionCount::Kind::kServed) ++refused_;
  if (!kind) return;  // and closes it
  asio::post(*worker.loop, [self = shared_from_this(), &worker, kind = *kind,
                            moved = std::move(socket)]() mutable {
    std::make_shared<Connection>(Socket(std::move(moved), self->tls_.get()),
                                 *worker.api, self->options_.limits,
                                 *worker.set, self)
        ->Start(kind);
  });
}

void HttpServer::Core::StopAccepting() {
  {
    const MutexLock lock(mutex_);
    if (!accepting_) return;
  }
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
    boost::system::error_code ignored;
    self->acceptor_.close(ignored);
    self->retry_.cancel();
  });
  const MutexLock lock(mutex_);
  // Only a loop that is stuck takes longer.
  for (int i = 0; i < 5 && accepting_; ++i) {
    stopped_.WaitFor(mutex_, absl::Seconds(1));
  }
}

void HttpServer::Core::OnEachLoop(void (ConnectionSet::*act)()) {
  for (const Worker& worker : workers_) {
    asio::post(*worker.loop, [set = worker.set, act] { ((*set).*act)(); });
  }
}

bool HttpServer::Core::Shutdown(absl::Duration timeout) {
  StopAccepting();
  OnEachLoop(&ConnectionSet::Drain);
  if (count_.WaitForNone(timeout, ConnectionCount::Heed::kHurry)) return true;
  OnEachLoop(&ConnectionSet::CutAll);
  if (count_.WaitForNone(options_.limits.farewell)) return true;
  // Again and again, since a step may have begun after the first cut.
  for (absl::Duration left = options_.limits.abandon;
       left > absl::ZeroDuration(); left -= kAbortWait) {
    OnEachLoop(&ConnectionSet::AbortAll);
    if (count_.WaitForNone(kAbortWait)) return true;
  }
  return false;
}

HttpServer::HttpServer(HttpServerOptions options, std::vector<HttpLoop> loops)
    : core_(std::make_shared<Core>(std::move(options), std::move(loops))) {}
HttpServer::~HttpServer() = default;

absl::Status HttpServer::Start() { return core_->Start(); }
uint16_t HttpServer::port() const { return core_->port(); }
std::string HttpServer::url() const { return core_->url(); }
void HttpServer::StopAccepting() { core_->StopAccepting(); }
bool HttpServer::Shutdown(absl::Duration timeout) {
  return core_->Shutdown(timeout);
}
void HttpServer::Hurry() { core_->Hurry(); }
size_t HttpServer::connections() const { return core_->connections(); }
int64_t HttpServer::refused_connections() const {
  return core_->refused_connections();
}

}  // namespace llm::server
