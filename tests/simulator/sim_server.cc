#include "tests/simulator/sim_server.h"

#include <algorithm>
#include <boost/asio.hpp>
#include <charconv>
#include <chrono>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm::simulator {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// "/lane/NAME/…" gives NAME; anything else the lane "".
std::string LaneOf(std::string_view target) {
  constexpr std::string_view kPrefix = "/lane/";
  if (target.substr(0, kPrefix.size()) != kPrefix) return {};
  target.remove_prefix(kPrefix.size());
  return std::string(target.substr(0, target.find('/')));
}

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Several sockets may hold the port; only one of them ever listens.
void Bind(tcp::acceptor& socket, int port) {
  using ReusePort =
      asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  socket.open(tcp::v4());
  socket.set_option(tcp::acceptor::reuse_address(true));
  socket.set_option(ReusePort(true));
  socket.bind(
      {asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(port)});
}

std::string ReasonLine(int status) {
  return absl::StrCat("HTTP/1.1 ", status, " Scripted\r\n");
}

}  // namespace

class SimServer::Connection
    : public std::enable_shared_from_this<SimServer::Connection> {
 public:
  Connection(SimServer& server, tcp::socket socket, int number)
      : server_(server), socket_(std::move(socket)), number_(number) {
    server_.open_.insert(this);
  }
  ~Connection() { server_.open_.erase(this); }

  Task<void> Serve() {
    const auto self = shared_from_this();
    try {
      while (!server_.refusing_ && co_await ReadRequest()) {
        busy_ = true;
        const bool more = co_await Answer();
        busy_ = false;
        if (!more) break;
      }
    } catch (const boost::system::system_error&) {
      // The client left; Answer has noted it.
    }
  }

  void CloseIfIdle() {
    if (!busy_) Close(false);
  }

 private:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  std::string Header(std::string_view name) const {
    for (const auto& [key, value] : headers_) {
      if (absl::EqualsIgnoreCase(key, ToAbsl(name))) return value;
    }
    return {};
  }

  // False at a clean end between requests.
  Task<bool> ReadRequest() {
    boost::system::error_code error;
    const size_t head = co_await asio::async_read_until(
        socket_, asio::dynamic_buffer(in_), "\r\n\r\n",
        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    ParseHead(std::string_view(in_).substr(0, head));
    in_.erase(0, head);
    if (absl::EqualsIgnoreCase(Header("transfer-encoding"), "chunked")) {
      co_await ReadChunked();
    } else {
      size_t length = 0;
      const std::string text = Header("content-length");
      std::from_chars(text.data(), text.data() + text.size(), length);
      co_await Fill(length);
      body_ = in_.substr(0, length);
      in_.erase(0, length);
    }
    co_return true;
  }

  void ParseHead(std::string_view head) {
    headers_.clear();
    const size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const size_t first = line.find(' ');
    const size_t second = line.rfind(' ');
    method_ = std::string(line.substr(0, first));
    target_ = first < second
                  ? std::string(line.substr(first + 1, second - first - 1))
                  : "/";
    size_t at = line_end + 2;
    while (at < head.size()) {
      const size_t end = head.find("\r\n", at);
      if (end == at || end == std::string_view::npos) break;
      const std::string_view field = head.substr(at, end - at);
      const size_t colon = field.find(':');
      if (colon != std::string_view::npos) {
        headers_.emplace_back(std::string(field.substr(0, colon)),
                              std::string(absl::StripAsciiWhitespace(
                                  ToAbsl(field.substr(colon + 1)))));
      }
      at = end + 2;
    }
  }

  Task<void> Fill(size_t size) {
    if (in_.size() < size) {
      co_await asio::async_read(socket_, asio::dynamic_buffer(in_),
                                asio::transfer_exactly(size - in_.size()),
                                asio::use_awaitable);
    }
  }

  Task<void> ReadChunked() {
    body_.clear();
    for (;;) {
      const size_t line = co_await asio::async_read_until(
          socket_, asio::dynamic_buffer(in_), "\r\n", asio::use_awaitable);
      size_t size = 0;
      std::from_chars(in_.data(), in_.data() + line, size, 16);
      in_.erase(0, line);
      co_await Fill(size + 2);
      body_ += in_.substr(0, size);
      in_.erase(0, size + 2);
      if (size == 0) co_return;
    }
  }

  Task<void> Write(std::string_view bytes) {
    co_await asio::async_write(
        socket_, asio::buffer(bytes.data(), bytes.size()), asio::use_awaitable);
  }

  Task<void> Sleep(int64_t ms) {
    if (ms <= 0) co_return;
    asio::steady_timer timer(socket_.get_executor(),
                             std::chrono::milliseconds(ms));
    co_await timer.async_wait(asio::use_awaitable);
  }

  // False: the connection ends.
  Task<bool> Answer() {
    if (absl::StartsWith(target_, "/_sim/")) {
      int status = 200;
      const std::string body = server_.Control(method_, target_, body_, status);
      co_await Write(
          absl::StrCat(ReasonLine(status), "content-type: application/json\r\n",
                       "content-length: ", body.size(), "\r\n\r\n", body));
      co_return true;
    }
    const std::string lane = LaneOf(target_);
    bool mixed = false;
    const Script script = server_.NextScript(lane, body_, mixed);
    LogEntry unlogged;
    LogEntry* entry = &unlogged;
    ++server_.requests_;
    if (server_.keep_log_) entry = &server_.log_.emplace_back();
    entry->number = server_.requests_;
    entry->lane = lane;
    entry->connection = number_;
    entry->status = script.before_head == Fate::kNone ? script.status : 0;
    entry->mixed = mixed;
    entry->began_us = NowMicros();
    if (server_.keep_log_) {
      entry->method = method_;
      entry->target = target_;
      entry->headers = headers_;
      entry->body = body_;
    }
    try {
      const bool more = co_await Play(script, *entry);
      entry->ended_us = NowMicros();
      co_return more;
    } catch (const boost::system::system_error&) {
      entry->outcome = "client_left";
      entry->ended_us = NowMicros();
      throw;
    }
  }

  Task<bool> Play(const Script& script, LogEntry& entry) {
    co_await Sleep(script.delay_ms);
    // A client that left during the delay is found by reading, not writing.
    if (ClientLeft()) {
      entry.outcome = "client_left";
      co_return false;
    }
    if (script.before_head != Fate::kNone) {
      co_return co_await Strike(script.before_head, entry);
    }
    if (!script.raw.empty()) {
      for (const std::string_view piece : Pieces(script, script.raw)) {
        co_await Write(piece);
        co_await Sleep(script.piece_delay_ms);
      }
      entry.outcome = "closed";
      Close(script.fate == Fate::kReset);
      co_return false;
    }
    std::string head = Head(script);
    size_t sent = 0;
    if (script.body_delay_ms > 0 || script.body.empty()) {
      co_await Write(head);
      head.clear();
      co_await Sleep(script.body_delay_ms);
    }
    std::string_view body = script.body;
    if (script.fate != Fate::kNone) body = body.substr(0, script.fate_after);
    bool first = true;
    for (const std::string_view piece : Pieces(script, body)) {
      if (!first) co_await Sleep(script.piece_delay_ms);
      first = false;
      std::string bytes = std::move(head);
      head.clear();
      AppendFramed(script, piece, bytes);
      Stamp(bytes);
      co_await Write(bytes);
      sent += piece.size();
      entry.body_bytes_sent = static_cast<int64_t>(sent);
    }
    if (!head.empty()) co_await Write(head);
    co_return co_await Finish(script, entry);
  }

  static std::string Head(const Script& script) {
    std::string head = ReasonLine(script.status);
    for (const auto& [name, value] : script.headers) {
      absl::StrAppend(&head, name, ": ", value, "\r\n");
    }
    if (script.framing == "chunked") {
      head += "transfer-encoding: chunked\r\n";
    } else if (script.framing == "length") {
      absl::StrAppend(&head, "content-length: ", script.body.size(), "\r\n");
    } else {
      head += "connection: close\r\n";
    }
    return head + "\r\n";
  }

  static void AppendFramed(const Script& script, std::string_view piece,
                           std::string& out) {
    if (script.framing != "chunked") {
      out.append(piece);
      return;
    }
    absl::StrAppend(&out, absl::Hex(piece.size()), "\r\n", ToAbsl(piece),
                    "\r\n");
  }

  static void Stamp(std::string& bytes) {
    for (size_t at = bytes.find(kStamp); at != std::string::npos;
         at = bytes.find(kStamp, at)) {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      const auto us =
          std::chrono::duration_cast<std::chrono::microseconds>(now).count();
      bytes.replace(at, kStamp.size(), absl::StrFormat("%016d", us));
    }
  }

  Task<bool> Finish(const Script& script, LogEntry& entry) {
    if (script.fate != Fate::kNone)
      co_return co_await Strike(script.fate, entry);
    if (script.framing == "chunked") co_await Write("0\r\n\r\n");
    entry.outcome = "answered";
    if (script.framing == "close") Close(false);
    co_return script.framing != "close";
  }

  Task<bool> Strike(Fate fate, LogEntry& entry) {
    switch (fate) {
      case Fate::kNone:
        break;
      case Fate::kStall: {
        entry.outcome = "stalled";
        char byte = 0;
        boost::system::error_code error;
        co_await socket_.async_read_some(
            asio::buffer(&byte, 1),
            asio::redirect_error(asio::use_awaitable, error));
        entry.outcome = "client_left";
        co_return false;
      }
      case Fate::kClose:
        entry.outcome = "closed";
        Close(false);
        co_return false;
      case Fate::kReset:
        entry.outcome = "reset";
        Close(true);
        co_return false;
    }
    co_return false;
  }

  bool ClientLeft() {
    char byte = 0;
    boost::system::error_code error;
    socket_.non_blocking(true, error);
    const size_t got = socket_.receive(asio::buffer(&byte, 1),
                                       tcp::socket::message_peek, error);
    return !(error == asio::error::would_block || (!error && got > 0));
  }

  void Close(bool reset) {
    boost::system::error_code ignored;
    if (reset) socket_.set_option(tcp::socket::linger(true, 0), ignored);
    if (!reset) socket_.shutdown(tcp::socket::shutdown_send, ignored);
    socket_.close(ignored);
  }

  SimServer& server_;
  tcp::socket socket_;
  int number_;
  bool busy_ = false;  // between a request and the end of its answer
  std::string in_;
  std::string method_;
  std::string target_;
  Headers headers_;
  std::string body_;
};

Script SimServer::NextScript(const std::string& lane, std::string_view body,
                             bool& mixed) {
  if (const auto mix = mixes_.find(lane); mix != mixes_.end()) {
    if (auto fault = mix->second.Next()) {
      mixed = true;
      return *std::move(fault);
    }
  }
  const auto found = lanes_.find(lane);
  if (found != lanes_.end() && !found->second.empty()) {
    Script& next = found->second.front();
    Script script = next;
    if (next.times == 1) {
      found->second.pop_front();
    } else if (next.times > 1) {
      --next.times;
    }
    return script;
  }
  const absl::StatusOr<JsonDocument> doc = JsonDocument::Parse(body);
  if (!doc.ok()) return MakeDefaultAnswer(answer_, "unknown", false);
  return MakeDefaultAnswer(answer_, doc->root().Find("model").StringOr(),
                           doc->root().Find("stream").AsBool().value_or(false));
}

std::string SimServer::LogJson(const std::string& lane) const {
  std::string out;
  JsonWriter json(&out);
  json.BeginArray();
  for (const LogEntry& entry : log_) {
    if (!lane.empty() && entry.lane != lane) continue;
    json.BeginObject();
    json.MemberInt("number", entry.number);
    json.Member("lane", entry.lane);
    json.Member("method", entry.method);
    json.Member("target", entry.target);
    json.Key("headers");
    json.BeginObject();
    for (const auto& [name, value] : entry.headers) json.Member(name, value);
    json.EndObject();
    json.Member("body", entry.body);
    json.MemberInt("status", entry.status);
    json.Member("outcome", entry.outcome);
    json.MemberInt("body_bytes_sent", entry.body_bytes_sent);
    json.MemberInt("connection", entry.connection);
    json.MemberRaw("mixed", entry.mixed ? "true" : "false");
    json.MemberInt("began_us", entry.began_us);
    json.MemberInt("ended_us", entry.ended_us);
    json.EndObject();
  }
  json.EndArray();
  return out;
}

std::string SimServer::Control(const std::string& method,
                               const std::string& target,
                               const std::string& body, int& status) {
  const size_t query = target.find('?');
  const std::string path = target.substr(0, query);
  std::string lane;
  if (query != std::string::npos &&
      absl::StartsWith(target.substr(query), "?lane=")) {
    lane = target.substr(query + 6);
  }
  if (method == "POST" && path == "/_sim/script") {
    absl::StatusOr<Script> script = ParseScript(body);
    if (!script.ok()) {
      status = 400;
      return absl::StrCat(
          "{\"error\":", JsonQuote(ToStd(script.status().message())), "}");
    }
    lanes_[lane].push_back(*std::move(script));
    return "{}";
  }
  if (method == "POST" && path == "/_sim/mix") {
    const absl::Status set = SetMix(lane, body);
    if (set.ok()) return "{}";
    status = 400;
    return absl::StrCat("{\"error\":", JsonQuote(ToStd(set.message())), "}");
  }
  if (method == "POST" && absl::StartsWith(target, "/_sim/refuse?ms=")) {
    int64_t ms = 0;
    const std::string text = target.substr(target.find('=') + 1);
    std::from_chars(text.data(), text.data() + text.size(), ms);
    Refuse(ms);
    return "{}";
  }
  if (method == "POST" && path == "/_sim/reset") {
    if (lane.empty()) {
      lanes_.clear();
      mixes_.clear();
    } else {
      lanes_.erase(lane);
      mixes_.erase(lane);
    }
    // Entries of requests under way are still written to: keep them.
    return "{}";
  }
  if (path == "/_sim/log") return LogJson(lane);
  if (path == "/_sim/count") {
    return absl::StrCat("{\"requests\":", requests_, "}");
  }
  status = 404;
  return "{\"error\":\"no such control\"}";
}

absl::Status SimServer::SetMix(const std::string& lane,
                               const std::string& body) {
  absl::StatusOr<FaultMix> mix = FaultMix::Parse(body);
  if (!mix.ok()) return mix.status();
  mixes_.insert_or_assign(lane, *std::move(mix));
  return absl::OkStatus();
}

struct SimServer::Sockets {
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  // Holds the port while nobody listens.
  tcp::acceptor keeper{io};
  asio::steady_timer reopening{io};
};

SimServer::SimServer(DefaultAnswer answer, bool keep_log)
    : answer_(answer),
      keep_log_(keep_log),
      sockets_(std::make_unique<Sockets>()) {}

SimServer::~SimServer() = default;

int SimServer::Listen(int port) {
  Bind(sockets_->keeper, port);
  StartListening();
  return sockets_->keeper.local_endpoint().port();
}

void SimServer::StartListening() {
  refusing_ = false;
  Bind(sockets_->acceptor, sockets_->keeper.local_endpoint().port());
  sockets_->acceptor.listen();
  asio::co_spawn(sockets_->io, Accept(), asio::detached);
}

void SimServer::Refuse(int64_t ms) {
  refusing_ = true;
  sockets_->acceptor.close();
  for (Connection* connection : open_) connection->CloseIfIdle();
  sockets_->reopening.expires_after(std::chrono::milliseconds(ms));
  sockets_->reopening.async_wait(
      [this](const boost::system::error_code& error) {
        if (!error) StartListening();
      });
}

Task<void> SimServer::Accept() {
  for (;;) {
    boost::system::error_code closed;
    tcp::socket socket = co_await sockets_->acceptor.async_accept(
        asio::redirect_error(asio::use_awaitable, closed));
    if (closed) co_return;
    socket.set_option(tcp::no_delay(true));
    auto connection =
        std::make_shared<Connection>(*this, std::move(socket), ++connections_);
    asio::co_spawn(
        sockets_->io, [connection] { return connection->Serve(); },
        asio::detached);
  }
}

void SimServer::Run() { sockets_->io.run(); }
void SimServer::Stop() { sockets_->io.stop(); }

}  // namespace llm::simulator
