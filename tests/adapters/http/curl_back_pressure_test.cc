// A slow sink slows the provider down instead of filling our memory.
#include <catch2/catch.hpp>

#include "tests/adapters/http/http_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

constexpr size_t kLarge = 64'000'000;

TEST_CASE_METHOD(HttpFixture, "A waiting sink pauses the transfer",
                 "[adapters][http][back-pressure]") {
  const std::string body(kLarge, 'x');
  server.SetScripts({{Step::ReadRequest(), Step::Send(Answer(body))}});
  HttpRequest request = Post();
  request.max_response_bytes = 2 * kLarge;
  RememberingSink sink(io);
  sink.gated = true;
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.waiting == 1; }));
  RunReady();
  // What left the server is in the kernel's buffers, not in ours.
  const int64_t sent = server.bytes_sent();
  CHECK(sent < static_cast<int64_t>(kLarge));
  RunReady();
  CHECK(server.bytes_sent() == sent);
  CHECK_FALSE(sending.done());

  sink.OpenGate();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, IsOk());
  CHECK(sending.result().body_bytes == static_cast<int64_t>(kLarge));
  CHECK(sink.body == body);
}

// Waits a turn of the loop with every slice, and remembers the largest.
class TurnTakingSink : public RememberingSink {
 public:
  explicit TurnTakingSink(boost::asio::io_context& io)
      : RememberingSink(io), io_(io) {}
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override {
    largest = std::max(largest, slice.size());
    co_await boost::asio::post(io_, boost::asio::use_awaitable);
    body.append(slice);
    co_return BodyProgress::kContent;
  }
  size_t largest = 0;

 private:
  boost::asio::io_context& io_;
};

TEST_CASE_METHOD(HttpFixture, "Pausing loses and doubles nothing",
                 "[adapters][http][back-pressure]") {
  std::string body;
  std::string wire = kChunkedHead;
  for (size_t i = 0; i < 3000; ++i) {
    const std::string piece =
        std::to_string(i) +
        std::string(i % 1777, static_cast<char>('a' + i % 26));
    body += piece;
    wire += Chunk(piece);
  }
  wire += "0\r\n\r\n";
  server.SetScripts({{Step::ReadRequest(), Step::Send(wire)}});
  TurnTakingSink sink(io);
  CHECK_THAT(Send(Post(), sink).status, IsOk());
  CHECK(sink.body == body);
  CHECK(sink.largest <= 16384);
}

TEST_CASE_METHOD(HttpFixture,
                 "An answer that ended while the sink waited is whole",
                 "[adapters][http][back-pressure]") {
  server.SetScripts(
      {{Step::ReadRequest(), Step::Send(kChunkedHead), Step::Send(Chunk("one")),
        Step::Gate(), Step::Send(Chunk("two") + "0\r\n\r\n")}});
  const HttpRequest request = Post();
  RememberingSink sink(io);
  sink.gated = true;
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.waiting == 1; }));
  server.OpenGate();
  RunReady();
  CHECK_FALSE(sending.done());
  sink.OpenGate();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, IsOk());
  CHECK(sink.body == "onetwo");
}

}  // namespace
}  // namespace llm
