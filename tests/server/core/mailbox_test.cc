#include "server/core/mailbox.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "server/core/event_loop.h"

namespace llm::server {
namespace {

TEST_CASE("Jobs run on the loop in the order of each thread that posts",
          "[server][mailbox]") {
  constexpr int kThreads = 4;
  constexpr int kJobs = 5000;
  EventLoop loop(0);
  loop.Start();
  Mailbox mailbox(loop.context());
  // Written and read by jobs only, that is, by one thread.
  std::vector<int> next(kThreads, 0);
  int out_of_order = 0;
  int finished = 0;
  std::promise<std::pair<int, int>> done;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i) {
        mailbox.Post([&, t, i] {
          if (next[static_cast<size_t>(t)]++ != i) ++out_of_order;
          if (i + 1 < kJobs) return;
          if (++finished == kThreads) done.set_value({finished, out_of_order});
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto [all, wrong] = done.get_future().get();
  CHECK(all == kThreads);
  CHECK(wrong == 0);
}

TEST_CASE("A burst wakes the loop once", "[server][mailbox]") {
  boost::asio::io_context loop(1);
  Mailbox mailbox(loop);
  int ran = 0;
  for (int i = 0; i < 100; ++i) mailbox.Post([&] { ++ran; });
  CHECK(loop.poll() == 1);
  CHECK(ran == 100);
  loop.restart();
  mailbox.Post([&] { ++ran; });
  CHECK(loop.poll() == 1);
  CHECK(ran == 101);
}

TEST_CASE("Jobs that post jobs leave the loop room for others in between",
          "[server][mailbox]") {
  boost::asio::io_context loop(1);
  Mailbox mailbox(loop);
  std::vector<int> order;
  mailbox.Post([&] {
    order.push_back(1);
    mailbox.Post([&] { order.push_back(3); });
    boost::asio::post(loop, [&] { order.push_back(2); });
  });
  loop.run();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("Jobs that never ran are destroyed with the mailbox",
          "[server][mailbox]") {
  boost::asio::io_context loop(1);
  const auto token = std::make_shared<int>(0);
  bool ran = false;
  {
    Mailbox mailbox(loop);
    mailbox.Post([token, &ran] { ran = true; });
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
  loop.run();
  CHECK_FALSE(ran);
}

TEST_CASE("A mailbox may die while its wake-up is under way",
          "[server][mailbox]") {
  EventLoop loop(0);
  loop.Start();
  std::atomic<int> ran{0};
  for (int i = 0; i < 500; ++i) {
    Mailbox mailbox(loop.context());
    mailbox.Post([&] { ++ran; });
  }
  loop.Stop();
  loop.Join();
  CHECK(ran <= 500);
}

TEST_CASE("A job is released before the next one runs", "[server][mailbox]") {
  boost::asio::io_context loop(1);
  Mailbox mailbox(loop);
  auto token = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = token;
  bool gone = false;
  mailbox.Post([kept = std::move(token)] {});
  mailbox.Post([&] { gone = watch.expired(); });
  loop.run();
  CHECK(gone);
}

}  // namespace
}  // namespace llm::server
