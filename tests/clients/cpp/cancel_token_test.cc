#include "llm_service/cancel_token.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace llm::client {
namespace {

TEST_CASE("Cancelling runs every callback once, early and late ones",
          "[clients][cancel]") {
  const CancelToken token;
  int early = 0;
  int late = 0;
  const auto first = token.OnCancel([&] { ++early; });
  CHECK_FALSE(token.cancelled());
  token.Cancel();
  token.Cancel();
  const auto second = token.OnCancel([&] { ++late; });
  CHECK(token.cancelled());
  CHECK(early == 1);
  CHECK(late == 1);
}

TEST_CASE("Copies of a token are the same token", "[clients][cancel]") {
  const CancelToken token;
  const CancelToken copy = token;
  copy.Cancel();
  CHECK(token.cancelled());
  CHECK_FALSE(CancelToken().cancelled());
}

TEST_CASE("A registration that is gone is not called", "[clients][cancel]") {
  const CancelToken token;
  int called = 0;
  {
    const auto gone = token.OnCancel([&] { ++called; });
  }
  // Enough of them for the token to sweep its list.
  for (int i = 0; i < 100; ++i) {
    const auto also = token.OnCancel([&] { ++called; });
  }
  const auto kept = token.OnCancel([&] { called += 1000; });
  token.Cancel();
  CHECK(called == 1000);
}

TEST_CASE("A callback may use its own token", "[clients][cancel]") {
  const CancelToken token;
  bool seen = false;
  const auto registration = token.OnCancel([&] { seen = token.cancelled(); });
  token.Cancel();
  CHECK(seen);
}

TEST_CASE("Every callback runs once where many threads register and cancel",
          "[clients][cancel][threads]") {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  const CancelToken token;
  std::atomic<int> called{0};
  std::vector<std::vector<CancelToken::Registration>> kept(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        kept[static_cast<size_t>(t)].push_back(
            token.OnCancel([&] { called.fetch_add(1); }));
      }
    });
  }
  threads.emplace_back([&] { token.Cancel(); });
  threads.emplace_back([&] { token.Cancel(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(called.load() == kThreads * kEach);
}

}  // namespace
}  // namespace llm::client
