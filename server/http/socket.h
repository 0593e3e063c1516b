// A TCP connection, with or without TLS: read some, write some.
//
// Threads:   The loop it was made on. At most one read and one write at once.
// Ownership: Buffers outlive their operation.
// Cancelling: By CancelReads or CancelAll only; reads do not listen to the
//            cancellation of the task that awaits them.
// Errors:    boost::system::error_code; reads report the end as one.
#ifndef LLM_SERVER_HTTP_SOCKET_H_
#define LLM_SERVER_HTTP_SOCKET_H_

#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <memory>
#include <variant>

#include "adapters/core/task.h"

namespace llm::server {

class Socket {
 public:
  using Tcp = boost::asio::ip::tcp::socket;
  using Tls = boost::asio::ssl::stream<Tcp>;
  using Error = boost::system::error_code;

  // `tls` null: plain. It outlives the socket.
  Socket(Tcp tcp, boost::asio::ssl::context* tls);

  // The TLS handshake; nothing for a plain socket.
  Task<Error> Handshake();
  Task<Error> ReadSome(boost::asio::mutable_buffer to, size_t* count);
  // Writes what the system takes at once, without a trip through the loop:
  // how much that was, 0 also with TLS and where only WriteSome can tell what
  // is wrong.
  size_t WriteNow(boost::asio::const_buffer from);
  // `done` runs on the loop, never inside this call.
  void WriteSome(boost::asio::const_buffer from,
                 std::function<void(Error, size_t)> done);

  boost::asio::any_io_executor executor() { return tcp().get_executor(); }
  int fd() { return tcp().native_handle(); }
  // Ends the read (or the handshake) under way; a write goes on.
  void CancelReads();
  void CancelAll();
  // Says that nothing more will be sent. With TLS it says so there first, and
  // waits for the peer's answer or its next word (ended by CancelReads): a
  // caller tells the end from a cut. What is read after it is raw, to be
  // dropped.
  Task<void> EndSending();
  void Close();

 private:
  Tcp& tcp();
  std::variant<Tcp, Tls> stream_;
  bool tls_ended_ = false;
  // Behind a pointer since sockets move before they are used.
  std::unique_ptr<boost::asio::cancellation_signal> end_read_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_SOCKET_H_
