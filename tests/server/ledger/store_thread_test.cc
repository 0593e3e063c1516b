#include "server/ledger/store_thread.h"

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

TEST_CASE("Work runs on the store's thread and answers on the caller's",
          "[ledger][threads]") {
  StoreThread thread(nullptr);
  boost::asio::io_context io;
  std::thread::id ran;
  const absl::Status status = RunTask(io, RunOn(&thread, [&ran] {
                                        ran = std::this_thread::get_id();
                                        return absl::DataLossError("x");
                                      }));
  CHECK_THAT(status, HasCode(absl::StatusCode::kDataLoss));
  CHECK(ran != std::this_thread::get_id());
}

TEST_CASE("A stopped thread answers that it is closed", "[ledger][threads]") {
  StoreThread thread(nullptr);
  thread.Stop();
  boost::asio::io_context io;
  CHECK_THAT(RunTask(io, RunOn(&thread, [] { return absl::OkStatus(); })),
             HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("A cancelled caller leaves while the work goes on",
          "[ledger][threads]") {
  StoreThread thread(nullptr);
  boost::asio::io_context io;
  std::promise<void> started;
  std::promise<void> release;
  const auto done = std::make_shared<std::atomic<bool>>(false);
  boost::asio::cancellation_signal cancel;
  absl::Status status;
  boost::asio::co_spawn(
      io,
      RunOn(&thread,
            [&started, future = release.get_future().share(), done] {
              started.set_value();
              future.wait();
              *done = true;
              return absl::OkStatus();
            }),
      boost::asio::bind_cancellation_slot(
          cancel.slot(), [&status](std::exception_ptr error, absl::Status s) {
            if (!error) status = std::move(s);
          }));
  io.poll();
  started.get_future().wait();
  cancel.emit(boost::asio::cancellation_type::terminal);
  io.run();
  CHECK_THAT(status, HasCode(absl::StatusCode::kCancelled));
  CHECK_FALSE(*done);
  release.set_value();
  thread.Stop();
  CHECK(*done);
}

TEST_CASE("A caller that is destroyed while it waits is forgotten",
          "[ledger][threads]") {
  StoreThread thread(nullptr);
  std::promise<void> release;
  {
    boost::asio::io_context io;
    boost::asio::co_spawn(io,
                          RunOn(&thread,
                                [future = release.get_future().share()] {
                                  future.wait();
                                  return absl::OkStatus();
                                }),
                          boost::asio::detached);
    io.poll();
  }  // the loop and the coroutine are gone
  release.set_value();
  boost::asio::io_context io;
  CHECK_THAT(RunTask(io, RunOn(&thread, [] { return absl::OkStatus(); })),
             IsOk());
}

// Work that holds a thread until the test lets go, started on `io`.
class Held {
 public:
  Held(StoreThread* thread, boost::asio::io_context& io) {
    boost::asio::co_spawn(io,
                          RunOn(thread,
                                [this, future = release_.get_future().share()] {
                                  started_.set_value();
                                  future.wait();
                                  return absl::OkStatus();
                                }),
                          boost::asio::detached);
    io.poll();
    started_.get_future().wait();
  }
  void Release() { release_.set_value(); }

 private:
  std::promise<void> started_;
  std::promise<void> release_;
};

TEST_CASE("Work is skipped where its caller left before its turn, if it may be",
          "[ledger][threads]") {
  StoreThread thread(nullptr);
  boost::asio::io_context io;
  Held held(&thread, io);
  const auto ran = std::make_shared<std::vector<Abandoned>>();
  {
    boost::asio::io_context leaving;
    for (const Abandoned how : {Abandoned::kSkipped, Abandoned::kRuns}) {
      boost::asio::co_spawn(leaving,
                            RunOn(
                                &thread,
                                [ran, how] {
                                  ran->push_back(how);
                                  return absl::OkStatus();
                                },
                                how),
                            boost::asio::detached);
    }
    leaving.poll();
  }
  held.Release();
  REQUIRE_THAT(RunTask(io, RunOn(&thread, [] { return absl::OkStatus(); })),
               IsOk());
  CHECK(*ran == std::vector<Abandoned>{Abandoned::kRuns});
}

TEST_CASE("A thread with too much to do refuses more at once",
          "[ledger][threads]") {
  StoreThread thread(nullptr);
  boost::asio::io_context io;
  Held held(&thread, io);
  for (size_t i = 0; i < StoreThread::kMostWaiting; ++i) {
    boost::asio::co_spawn(io, RunOn(&thread, [] { return absl::OkStatus(); }),
                          boost::asio::detached);
  }
  io.poll();
  boost::asio::io_context other;
  CHECK_THAT(RunTask(other, RunOn(&thread, [] { return absl::OkStatus(); })),
             HasCode(absl::StatusCode::kUnavailable));
  held.Release();
  io.run();
  boost::asio::io_context later;
  CHECK_THAT(RunTask(later, RunOn(&thread, [] { return absl::OkStatus(); })),
             IsOk());
}

TEST_CASE("Many callers on many loops all get their own answer",
          "[ledger][threads]") {
  StoreThread thread(nullptr);
  std::atomic<int> right{0};
  std::vector<std::thread> loops;
  for (int i = 0; i < 4; ++i) {
    loops.emplace_back([&thread, &right] {
      boost::asio::io_context io;
      for (int j = 0; j < 200; ++j) {
        const auto code = static_cast<absl::StatusCode>(1 + j % 16);
        const absl::Status status = RunTask(
            io, RunOn(&thread, [code] { return absl::Status(code, ""); }));
        if (status.code() == code) ++right;
      }
    });
  }
  for (std::thread& loop : loops) loop.join();
  CHECK(right == 800);
}

}  // namespace
}  // namespace llm::server
