// Cancelling closes the upstream, whatever the exchange was doing.
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include "tests/adapters/http/http_fixture.h"
#include "tests/adapters/http/slow_resolver.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

void CheckCancelled(HttpFixture& fixture, Sending& sending, HttpPhase phase) {
  sending.Cancel();
  REQUIRE(fixture.RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, HasCode(absl::StatusCode::kCancelled));
  CHECK(sending.result().phase == phase);
}

TEST_CASE_METHOD(HttpFixture, "Cancel while resolving does not wait for names",
                 "[adapters][http][cancel][TMO-2]") {
  SlowResolver resolver;
  HttpRequest request = Post();
  request.url = "http://slow.test/";
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return resolver.blocked() == 1; }));
  CheckCancelled(*this, sending, HttpPhase::kConnect);
  CHECK(resolver.blocked() == 1);
}

TEST_CASE_METHOD(HttpFixture, "A transport can go while a name is looked up",
                 "[adapters][http][cancel]") {
  SlowResolver resolver;
  HttpRequest request = Post();
  request.url = "http://slow.test/";
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return resolver.blocked() == 1; }));
  sending.Cancel();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  transport.reset();
  CHECK(resolver.blocked() == 1);
}

// A listener whose queue is full lets further connections hang.
class FullListener {
 public:
  explicit FullListener(asio::io_context& io) : full_(io, tcp::v4()) {
    full_.bind({asio::ip::address_v4::loopback(), 0});
    full_.listen(0);
    for (int i = 0; i < 4; ++i) {
      queue_.emplace_back(io, tcp::v4());
      queue_.back().async_connect(full_.local_endpoint(), [](auto) {});
    }
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(full_.local_endpoint().port());
  }

 private:
  tcp::acceptor full_;
  std::vector<tcp::socket> queue_;
};

TEST_CASE_METHOD(HttpFixture, "Cancel while connecting",
                 "[adapters][http][cancel][TMO-2]") {
  const FullListener full(io);
  RunReady();
  HttpRequest request = Post();
  request.url = full.url();
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  RunReady();
  REQUIRE_FALSE(sending.done());
  CheckCancelled(*this, sending, HttpPhase::kConnect);
}

// The next socket bears the number of the one that was given up.
TEST_CASE_METHOD(HttpFixture, "After a connection given up the next is heard",
                 "[adapters][http][cancel][PRF-4]") {
  const FullListener full(io);
  RunReady();
  HttpRequest hung = Post();
  hung.url = full.url();
  RememberingSink unheard(io);
  Sending sending = Start(hung, unheard);
  RunReady();
  CheckCancelled(*this, sending, HttpPhase::kConnect);
  server.SetScripts({{Step::ReadRequest(), Step::Wait(absl::Milliseconds(50)),
                      Step::Send(Answer("ok"))}});
  HttpRequest request = Post();
  request.deadlines.first_content = absl::Seconds(5);
  CHECK_THAT(Send(request).status, IsOk());
}

TEST_CASE_METHOD(HttpFixture, "Cancel during the TLS handshake",
                 "[adapters][http][cancel][TMO-2]") {
  server.SetScripts({{Step::Hang()}});
  HttpRequest request = Post();
  request.url.replace(0, 4, "https");
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return server.connections() == 1; }));
  CheckCancelled(*this, sending, HttpPhase::kConnect);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

TEST_CASE_METHOD(HttpFixture, "Cancel while sending",
                 "[adapters][http][cancel][TMO-2]") {
  server.SetScripts({{Step::ReadBytes(1000), Step::Gate(), Step::Hang()}});
  const HttpRequest request = Post(std::string(50'000'000, 'x'));
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  RunReady();
  CheckCancelled(*this, sending, HttpPhase::kSend);
  server.OpenGate();
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

TEST_CASE_METHOD(HttpFixture, "Cancel while waiting for the answer",
                 "[adapters][http][cancel][TMO-2]") {
  server.SetScripts({{Step::ReadRequest(), Step::Hang()}});
  const HttpRequest request = Post();
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return server.requests() == 1; }));
  CheckCancelled(*this, sending, HttpPhase::kWait);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

TEST_CASE_METHOD(HttpFixture, "Cancel between two events",
                 "[adapters][http][cancel][TMO-2]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::Send(Chunk("one")), Step::Hang()}});
  const HttpRequest request = Post();
  RememberingSink sink(io);
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.body == "one"; }));
  CheckCancelled(*this, sending, HttpPhase::kBody);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

TEST_CASE_METHOD(HttpFixture, "Cancel while paused behind a waiting sink",
                 "[adapters][http][cancel][TMO-2]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::SendForever(Chunk(std::string(50'000, 'x')))}});
  const HttpRequest request = Post();
  RememberingSink sink(io);
  sink.gated = true;
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.waiting == 1; }));
  RunReady();
  CheckCancelled(*this, sending, HttpPhase::kBody);
  CHECK(sink.waiting == 0);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

// A sink that cannot be cancelled.
class StubbornSink : public BodySink {
 public:
  explicit StubbornSink(asio::io_context& io) : timer(io) {}
  void OnHead(int /*status*/, const std::vector<HttpHeader>&) override {}
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view) override {
    waiting = true;
    timer.expires_at(asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::bind_cancellation_slot(
        asio::cancellation_slot(), asio::as_tuple(asio::use_awaitable)));
    co_return BodyProgress::kContent;
  }
  asio::steady_timer timer;
  bool waiting = false;
};

TEST_CASE_METHOD(HttpFixture,
                 "The upstream closes even if the sink ignores the cancel",
                 "[adapters][http][cancel][TMO-2]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::Send(Chunk("one")), Step::Hang()}});
  const HttpRequest request = Post();
  StubbornSink sink(io);
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.waiting; }));
  sending.Cancel();
  CHECK(RunUntil([&] { return server.departures() == 1; }));
  CHECK_FALSE(sending.done());
  sink.timer.cancel();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, HasCode(absl::StatusCode::kCancelled));
}

TEST_CASE("Exchanges under way may outlive the transport and the loop's run",
          "[adapters][http][cancel]") {
  asio::io_context server_io;
  std::optional<HttpFixture> fixture(std::in_place);
  fixture->server.SetScripts({{Step::ReadRequest(), Step::Hang()}});
  const HttpRequest request = fixture->Post();
  RememberingSink sink(server_io);
  Sending sending = fixture->Start(request, sink);
  REQUIRE(fixture->RunUntil([&] { return fixture->server.requests() == 1; }));
  fixture->transport.reset();
  SECTION("and be cancelled then") {
    sending.Cancel();
    REQUIRE(fixture->RunUntil([&] { return sending.done(); }));
    CHECK_THAT(sending.result().status, HasCode(absl::StatusCode::kCancelled));
  }
  SECTION("or go down with the loop") { fixture.reset(); }
}

}  // namespace
}  // namespace llm
