#include "server/core/side_thread.h"

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "tests/support/held_side_thread.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

TEST_CASE("Work runs on a side thread and answers on the caller's",
          "[core][threads]") {
  SideThread thread("the store", nullptr);
  boost::asio::io_context io;
  std::thread::id ran;
  const absl::Status status = RunTask(io, RunOn(&thread, [&ran] {
                                        ran = std::this_thread::get_id();
                                        return absl::DataLossError("x");
                                      }));
  CHECK_THAT(status, HasCode(absl::StatusCode::kDataLoss));
  CHECK(ran != std::this_thread::get_id());
}

TEST_CASE("A stopped thread answers that it is closed", "[core][threads]") {
  SideThread thread("the store", nullptr);
  thread.Stop();
  boost::asio::io_context io;
  CHECK_THAT(RunTask(io, RunOn(&thread, [] { return absl::OkStatus(); })),
             HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("A cancelled caller leaves while the work goes on",
          "[core][threads]") {
  SideThread thread("the store", nullptr);
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
          "[core][threads]") {
  SideThread thread("the store", nullptr);
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

TEST_CASE("Work is skipped where its caller left before its turn, if it may be",
          "[core][threads]") {
  HeldSideThread held;
  SideThread& thread = held.thread;
  boost::asio::io_context io;
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
  held.LetGo();
  REQUIRE_THAT(RunTask(io, RunOn(&thread, [] { return absl::OkStatus(); })),
               IsOk());
  CHECK(*ran == std::vector<Abandoned>{Abandoned::kRuns});
}

TEST_CASE("A thread with too much to do refuses more at once",
          "[core][threads]") {
  HeldSideThread held;
  SideThread& thread = held.thread;
  boost::asio::io_context io;
  for (size_t i = 0; i < SideThread::kMostWaiting; ++i) {
    boost::asio::co_spawn(io, RunOn(&thread, [] { return absl::OkStatus(); }),
                          boost::asio::detached);
  }
  io.poll();
  boost::asio::io_context other;
  CHECK_THAT(RunTask(other, RunOn(&thread, [] { return absl::OkStatus(); })),
             HasCode(absl::StatusCode::kUnavailable));
  held.LetGo();
  io.run();
  boost::asio::io_context later;
  CHECK_THAT(RunTask(later, RunOn(&thread, [] { return absl::OkStatus(); })),
             IsOk());
}

TEST_CASE("Many callers on many loops all get their own answer",
          "[core][threads]") {
  SideThread thread("the store", nullptr);
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
