#include "tests/support/tcp_script_server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <optional>
#include <utility>

namespace llm {

namespace asio = boost::asio;
using asio::ip::tcp;

struct TcpScriptServer::State {
  explicit State(asio::io_context& loop) : acceptor(loop), gate(loop) {
    gate.expires_at(asio::steady_timer::time_point::max());
  }
  tcp::acceptor acceptor;
  std::optional<asio::ssl::context> tls;
  std::vector<Script> scripts;
  asio::steady_timer gate;
  int gates_open = 0;
  int connections = 0;
  int departures = 0;
  int64_t bytes_sent = 0;
  std::vector<std::string> requests;
};

namespace {

using StatePtr = std::shared_ptr<TcpScriptServer::State>;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// The length of the first whole request in `text`; 0 if it is not whole.
size_t WholeRequest(std::string_view text) {
  const size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return 0;
  std::string head(text.substr(0, head_end));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  size_t body = 0;
  constexpr std::string_view kLength = "\r\ncontent-length: ";
  const size_t at = head.find(kLength);
  if (at != std::string::npos) {
    std::from_chars(head.data() + at + kLength.size(),
                    head.data() + head.size(), body);
  }
  const size_t whole = head_end + 4 + body;
  return text.size() >= whole ? whole : 0;
}

// One connection at work. False from a step: the peer has left.
template <typename Stream>
class Session {
 public:
  Session(StatePtr state, Stream stream)
      : state_(std::move(state)), stream_(std::move(stream)) {}

  Stream& stream() { return stream_; }

  asio::awaitable<void> Follow(Script script) {
    for (const Step& step : script) {
      const bool here = co_await Do(step);
      if (!here) {
        ++state_->departures;
        co_return;
      }
    }
  }

 private:
  asio::awaitable<bool> Do(const Step& step) {
    bool here = true;
    switch (step.kind) {
      case Step::Kind::kReadRequest:
        here = co_await ReadRequest();
        break;
      case Step::Kind::kReadBytes:
        here = co_await ReadBytes(step.count);
        break;
      case Step::Kind::kSend:
        here = co_await Send(step.bytes);
        break;
      case Step::Kind::kSendForever:
        while (here) here = co_await Send(step.bytes);
        break;
      case Step::Kind::kWait:
        co_await Wait(step.wait);
        break;
      case Step::Kind::kGate:
        co_await PassGate();
        break;
      case Step::Kind::kHang:
        while (here) {
          here = co_await ReadMore();
          input_.clear();
        }
        break;
      case Step::Kind::kReset:
        stream_.lowest_layer().set_option(tcp::socket::linger(true, 0));
        stream_.lowest_layer().close();
        break;
      case Step::Kind::kClose:
        stream_.lowest_layer().close();
        break;
    }
    co_return here;
  }

  asio::awaitable<bool> ReadMore() {
    char buffer[16384];
    auto [error, n] =
        co_await stream_.async_read_some(asio::buffer(buffer), kTuple);
    input_.append(buffer, n);
    co_return !error;
  }

  asio::awaitable<bool> ReadRequest() {
    size_t whole = WholeRequest(input_);
    while (whole == 0) {
      const bool here = co_await ReadMore();
      if (!here) co_return false;
      whole = WholeRequest(input_);
    }
    state_->requests.push_back(input_.substr(0, whole));
    input_.erase(0, whole);
    co_return true;
  }

  asio::awaitable<bool> ReadBytes(size_t count) {
    while (input_.size() < count) {
      const bool here = co_await ReadMore();
      if (!here) co_return false;
    }
    input_.erase(0, count);
    co_return true;
  }

  asio::awaitable<bool> Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const auto rest = asio::buffer(bytes.data() + sent, bytes.size() - sent);
      auto [error, n] = co_await stream_.async_write_some(rest, kTuple);
      if (error) co_return false;
      sent += n;
      state_->bytes_sent += static_cast<int64_t>(n);
    }
    co_return true;
  }

  asio::awaitable<void> Wait(absl::Duration wait) {
    asio::steady_timer timer(stream_.get_executor());
    timer.expires_after(absl::ToChronoNanoseconds(wait));
    co_await timer.async_wait(kTuple);
  }

  asio::awaitable<void> PassGate() {
    ++gates_passed_;
    while (state_->gates_open < gates_passed_) {
      co_await state_->gate.async_wait(kTuple);
    }
  }

  const StatePtr state_;
  Stream stream_;
  std::string input_;
  int gates_passed_ = 0;
};

asio::awaitable<void> ServePlain(StatePtr state, tcp::socket socket,
                                 Script script) {
  Session<tcp::socket> session(state, std::move(socket));
  co_await session.Follow(std::move(script));
}

asio::awaitable<void> ServeTls(StatePtr state, tcp::socket socket,
                               Script script) {
  using TlsStream = asio::ssl::stream<tcp::socket>;
  Session<TlsStream> session(state, TlsStream(std::move(socket), *state->tls));
  auto [error] = co_await session.stream().async_handshake(
      asio::ssl::stream_base::server, kTuple);
  if (error) {
    ++state->departures;
    co_return;
  }
  co_await session.Follow(std::move(script));
}

asio::awaitable<void> Accept(StatePtr state) {
  while (state->acceptor.is_open()) {
    auto [error, socket] = co_await state->acceptor.async_accept(kTuple);
    if (error) co_return;
    const size_t n = static_cast<size_t>(state->connections++);
    if (state->scripts.empty()) continue;
    Script script = state->scripts[std::min(n, state->scripts.size() - 1)];
    const auto executor = state->acceptor.get_executor();
    if (state->tls) {
      asio::co_spawn(executor,
                     ServeTls(state, std::move(socket), std::move(script)),
                     asio::detached);
    } else {
      asio::co_spawn(executor,
                     ServePlain(state, std::move(socket), std::move(script)),
                     asio::detached);
    }
  }
}

}  // namespace

TcpScriptServer::TcpScriptServer(asio::io_context& io)
    : state_(std::make_shared<State>(io)) {
  Listen();
}

TcpScriptServer::TcpScriptServer(asio::io_context& io,
                                 const std::string& cert_file,
                                 const std::string& key_file)
    : state_(std::make_shared<State>(io)) {
  state_->tls.emplace(asio::ssl::context::tls_server);
  state_->tls->use_certificate_chain_file(cert_file);
  state_->tls->use_private_key_file(key_file, asio::ssl::context::pem);
  Listen();
}

void TcpScriptServer::Listen() {
  const tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
  state_->acceptor.open(any_port.protocol());
  state_->acceptor.bind(any_port);
  state_->acceptor.listen();
  asio::co_spawn(state_->acceptor.get_executor(), Accept(state_),
                 asio::detached);
}

TcpScriptServer::~TcpScriptServer() { state_->acceptor.close(); }

void TcpScriptServer::SetScripts(std::vector<Script> scripts) {
  state_->scripts = std::move(scripts);
}

void TcpScriptServer::OpenGate() {
  ++state_->gates_open;
  state_->gate.cancel();
}

uint16_t TcpScriptServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

std::string TcpScriptServer::Url(std::string_view path) const {
  return std::string(state_->tls ? "https" : "http") +
         "://127.0.0.1:" + std::to_string(port()) + std::string(path);
}

int TcpScriptServer::connections() const { return state_->connections; }
int TcpScriptServer::requests() const {
  return static_cast<int>(state_->requests.size());
}
int TcpScriptServer::departures() const { return state_->departures; }
int64_t TcpScriptServer::bytes_sent() const { return state_->bytes_sent; }
const std::string& TcpScriptServer::request(size_t n) const {
  return state_->requests.at(n);
}

}  // namespace llm
