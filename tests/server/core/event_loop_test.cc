#include "server/core/event_loop.h"

#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <thread>

namespace llm::server {
namespace {

TEST_CASE("A loop runs what is posted on its own named thread, also when idle",
          "[server][event_loop]") {
  EventLoop loop(3);
  CHECK(loop.index() == 3);
  loop.Start();
  for (int round = 0; round < 2; ++round) {
    std::promise<std::string> name;
    boost::asio::post(loop.context(), [&] {
      char text[16] = {};
      pthread_getname_np(pthread_self(), text, sizeof(text));
      name.set_value(text);
    });
    CHECK(name.get_future().get() == "llm-loop-3");
  }
}

TEST_CASE("Stop ends a loop from another thread, and from itself",
          "[server][event_loop]") {
  const bool from_inside = GENERATE(false, true);
  EventLoop loop(0);
  loop.Start();
  if (from_inside) {
    boost::asio::post(loop.context(), [&] { loop.Stop(); });
  } else {
    loop.Stop();
  }
  loop.Join();
  CHECK(loop.context().stopped());
}

TEST_CASE("A loop that never started can be destroyed",
          "[server][event_loop]") {
  EventLoop loop(0);
  loop.Join();
  CHECK_FALSE(loop.context().stopped());
}

}  // namespace
}  // namespace llm::server
