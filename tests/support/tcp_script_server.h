// A TCP server on the loopback that follows a script per connection: what it
// sends, when it stops, how it dies. Counts what reached it.
//
//   TcpScriptServer server(io);
//   server.SetScripts({{Step::ReadRequest(), Step::Send(kAnswer)},
//                      {Step::ReadRequest(), Step::Reset()}});
//
// The n-th connection follows the n-th script; the last one is repeated. At
// the end of a script the connection is closed.
//
// Threads: One loop, which the test runs; it may be the client's too.
#ifndef LLM_TESTS_SUPPORT_TCP_SCRIPT_SERVER_H_
#define LLM_TESTS_SUPPORT_TCP_SCRIPT_SERVER_H_

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace llm {

struct Step {
  enum class Kind {
    kReadRequest,  // until a whole HTTP request (Content-Length) is here
    kReadBytes,    // until `count` bytes are here, and drops them
    kSend,         // `bytes`
    kSendForever,  // `bytes` over and over until the peer leaves
    kWait,         // `wait` of real time
    kGate,         // until OpenGate() was called once more
    kHang,         // reads and drops until the peer leaves
    kReset,        // closes with a TCP reset
    kClose,
  };
  Kind kind;
  std::string bytes;
  size_t count = 0;
  absl::Duration wait;

  static Step ReadRequest() { return {Kind::kReadRequest, "", 0, {}}; }
  static Step ReadBytes(size_t n) { return {Kind::kReadBytes, "", n, {}}; }
  static Step Send(std::string text) {
    return {Kind::kSend, std::move(text), 0, {}};
  }
  static Step SendForever(std::string text) {
    return {Kind::kSendForever, std::move(text), 0, {}};
  }
  static Step Wait(absl::Duration d) { return {Kind::kWait, "", 0, d}; }
  static Step Gate() { return {Kind::kGate, "", 0, {}}; }
  static Step Hang() { return {Kind::kHang, "", 0, {}}; }
  static Step Reset() { return {Kind::kReset, "", 0, {}}; }
  static Step Close() { return {Kind::kClose, "", 0, {}}; }
};

using Script = std::vector<Step>;

class TcpScriptServer {
 public:
  // `io` outlives the server. Listens on a free port of 127.0.0.1.
  explicit TcpScriptServer(boost::asio::io_context& io);
  // With TLS; PEM files.
  TcpScriptServer(boost::asio::io_context& io, const std::string& cert_file,
                  const std::string& key_file);
  ~TcpScriptServer();

  void SetScripts(std::vector<Script> scripts);
  // Lets every connection that waits at a gate, or will, pass one gate.
  void OpenGate();

  uint16_t port() const;
  std::string Url(std::string_view path = "/") const;

  int connections() const;     // accepted
  int requests() const;        // whole requests read
  int departures() const;      // peers seen to leave (EOF, reset, write error)
  int64_t bytes_sent() const;  // handed to the kernel
  // The text of the n-th whole request.
  const std::string& request(size_t n) const;

  struct State;

 private:
  void Listen();

  std::shared_ptr<State> state_;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_TCP_SCRIPT_SERVER_H_
