#include "server/core/read_request.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <new>
#include <optional>
#include <thread>

#include "router/call_error.h"
#include "tests/support/held_side_thread.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

// A parser that notes which thread it ran on.
ParseRequest Noting(const std::shared_ptr<std::thread::id>& where) {
  return [where]() -> absl::StatusOr<ChatRequest> {
    *where = std::this_thread::get_id();
    ChatRequest request;
    request.message.set_model("m");
    return request;
  };
}

TEST_CASE("A large body is read beside the loop, a small one on it",
          "[server][core][PRF-3]") {
  SideThread side("the reader", nullptr);
  const bool large = GENERATE(true, false);
  SideThread* const reader = GENERATE_REF(&side, nullptr);
  CAPTURE(large, reader == nullptr);
  boost::asio::io_context io;
  const auto where = std::make_shared<std::thread::id>();
  const auto request =
      RunTask(io, ReadRequest(reader, large ? kLargeRequest : kLargeRequest - 1,
                              Noting(where)));
  REQUIRE(request.ok());
  CHECK(request->message.model() == "m");
  const bool here = *where == std::this_thread::get_id();
  CHECK(here == (!large || reader == nullptr));
}

TEST_CASE("What is wrong with a large body is said in its own words",
          "[server][core][PRF-3]") {
  SideThread side("the reader", nullptr);
  boost::asio::io_context io;
  const auto request = RunTask(
      io,
      ReadRequest(&side, kLargeRequest, []() -> absl::StatusOr<ChatRequest> {
        return RefuseTooManyValues();
      }));
  CHECK(CallErrorDetail(request.status()).code() == "body_too_large");
  CHECK(CallErrorHttpStatus(request.status()) == 413);
  CHECK(CallErrorDetail(request.status()).source() == "client");
}

TEST_CASE(
    "A body that there is no memory for is our failure, and the last of it",
    "[server][core][PRF-5]") {
  SideThread side("the reader", nullptr);
  boost::asio::io_context io;
  const auto request = RunTask(
      io,
      ReadRequest(&side, kLargeRequest, []() -> absl::StatusOr<ChatRequest> {
        throw std::bad_alloc();
      }));
  CHECK(CallErrorDetail(request.status()).code() == "internal");
  const auto where = std::make_shared<std::thread::id>();
  CHECK(RunTask(io, ReadRequest(&side, kLargeRequest, Noting(where))).ok());
}

TEST_CASE("Large bodies beyond those that may wait are shed",
          "[server][core][PRF-5]") {
  HeldSideThread side;
  boost::asio::io_context io;
  const auto where = std::make_shared<std::thread::id>();
  for (size_t i = 0; i < SideThread::kMostWaiting; ++i) {
    boost::asio::co_spawn(
        io, ReadRequest(&side.thread, kLargeRequest, Noting(where)),
        boost::asio::detached);
  }
  io.poll();
  boost::asio::io_context other;
  const auto one_more =
      RunTask(other, ReadRequest(&side.thread, kLargeRequest, Noting(where)));
  CHECK(CallErrorDetail(one_more.status()).code() == "overloaded");
  side.LetGo();
  io.run();
}

TEST_CASE("A caller who leaves meanwhile costs no reading",
          "[server][core][PRF-3]") {
  HeldSideThread side;
  boost::asio::io_context io;
  const auto where = std::make_shared<std::thread::id>();
  boost::asio::cancellation_signal leave;
  std::optional<absl::Status> left;
  boost::asio::co_spawn(
      io, ReadRequest(&side.thread, kLargeRequest, Noting(where)),
      boost::asio::bind_cancellation_slot(
          leave.slot(),
          [&left](std::exception_ptr, absl::StatusOr<ChatRequest> request) {
            left = request.status();
          }));
  io.poll();
  leave.emit(boost::asio::cancellation_type::terminal);
  io.run();
  REQUIRE(left.has_value());
  CHECK(CallErrorDetail(*left).code() == "client_cancelled");
  side.LetGo();
  // Its turn came and went.
  boost::asio::io_context later;
  REQUIRE_THAT(
      RunTask(later, RunOn(&side.thread, [] { return absl::OkStatus(); })),
      IsOk());
  CHECK(*where == std::thread::id());
}

}  // namespace
}  // namespace llm::server
