// One socket against a plain peer, on one loop and without a server.
#include "server/http/socket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <string>

namespace llm::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

Task<void> ReadOnce(Socket* socket, Socket::Error* out) {
  char byte = 0;
  size_t count = 0;
  *out = co_await socket->ReadSome(asio::buffer(&byte, 1), &count);
}

// Writes until the peer's window and ours are full.
struct Filler {
  explicit Filler(Socket& to) : socket(to) {}

  Socket& socket;
  std::string bytes = std::string(1 << 20, 'x');
  size_t written = 0;
  bool waiting = false;
  Socket::Error error;

  void Write() {
    waiting = true;
    socket.WriteSome(asio::buffer(bytes), [this](Socket::Error e, size_t n) {
      waiting = false;
      error = e;
      written += n;
      if (!e && written < size_t{64} << 20) Write();
    });
  }
};

TEST_CASE("ending a read leaves the write beside it alone",
          "[server][http][connection]") {
  asio::io_context loop;
  tcp::acceptor acceptor(loop,
                         tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket peer(loop);
  peer.connect(acceptor.local_endpoint());
  Socket socket(acceptor.accept(), nullptr);
  Filler filler(socket);
  filler.Write();
  while (loop.poll() > 0) {
  }
  // The peer has read nothing: the write waits.
  REQUIRE(filler.waiting);
  REQUIRE(filler.written < size_t{64} << 20);
  Socket::Error read;
  bool ended = false;
  asio::co_spawn(loop, ReadOnce(&socket, &read),
                 [&ended](std::exception_ptr) { ended = true; });
  while (loop.poll() > 0) {
  }
  REQUIRE_FALSE(ended);
  const bool all = GENERATE(false, true);
  if (all) {
    socket.CancelAll();
  } else {
    socket.CancelReads();
  }
  while (loop.poll() > 0) {
  }
  CHECK(ended);
  CHECK(read == asio::error::operation_aborted);
  CHECK(filler.waiting == !all);
  CHECK(filler.error == (all ? Socket::Error(asio::error::operation_aborted)
                             : Socket::Error()));
  socket.Close();
  loop.run();
}

}  // namespace
}  // namespace llm::server
