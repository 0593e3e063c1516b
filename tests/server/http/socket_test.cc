// One socket against a plain peer, on one loop and without a server.
#include "server/http/socket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
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

// Two ends of one connection, the second a plain one.
struct Ends {
  Ends() : acceptor(loop, {asio::ip::address_v4::loopback(), 0}), peer(loop) {
    peer.connect(acceptor.local_endpoint());
  }

  asio::io_context loop;
  tcp::acceptor acceptor;
  tcp::socket peer;
};

TEST_CASE("what the system takes at once is what arrives, and nothing waits",
          "[server][http][connection]") {
  Ends ends;
  Socket socket(ends.acceptor.accept(), nullptr);
  std::string sent;
  size_t now = 0;
  size_t asked = 0;
  do {
    std::string piece(16 * 1024 + sent.size() % 7,
                      static_cast<char>('a' + sent.size() % 26));
    asked = piece.size();
    now = socket.WriteNow(asio::buffer(piece));
    REQUIRE(now <= asked);
    sent += piece.substr(0, now);
  } while (now == asked && sent.size() < size_t{64} << 20);
  // The peer has read nothing: the last piece went in part or not at all.
  REQUIRE(now < asked);
  REQUIRE_FALSE(sent.empty());
  std::string got(sent.size(), 0);
  asio::read(ends.peer, asio::buffer(got));
  CHECK(got == sent);
  CHECK(ends.peer.available() == 0);
}

TEST_CASE("a write that cannot be made is told by the one that waits",
          "[server][http][connection]") {
  Ends ends;
  Socket socket(ends.acceptor.accept(), nullptr);
  // With a byte unread a close is a reset.
  REQUIRE(socket.WriteNow(asio::buffer("x", 1)) == 1);
  ends.peer.wait(tcp::socket::wait_read);
  ends.peer.close();
  // The reset may take a moment to be seen.
  while (socket.WriteNow(asio::buffer("y", 1)) != 0) {
  }
  Socket::Error error;
  socket.WriteSome(asio::buffer("y", 1),
                   [&error](Socket::Error e, size_t) { error = e; });
  ends.loop.run();
  CHECK(error);
}

}  // namespace
}  // namespace llm::server
