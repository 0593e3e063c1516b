// Which deadline ends a stalled exchange. Real time, tiny limits; no test
// says how long anything took.
#include <catch2/catch.hpp>

#include "tests/adapters/http/http_fixture.h"
#include "tests/adapters/http/slow_resolver.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

// Long enough for a loopback exchange to get going on a busy machine.
constexpr absl::Duration kTiny = absl::Milliseconds(150);

HttpRequest Patient(const HttpFixture& fixture) {
  HttpRequest request = fixture.Post();
  request.deadlines.connect = absl::InfiniteDuration();
  request.deadlines.first_content = absl::InfiniteDuration();
  request.deadlines.idle = absl::InfiniteDuration();
  return request;
}

void CheckDeadline(const HttpResult& result, std::string_view name,
                   HttpPhase phase) {
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kDeadlineExceeded));
  CHECK(std::string(result.status.message()) == name);
  CHECK(result.phase == phase);
}

TEST_CASE_METHOD(HttpFixture, "Connect covers the look-up of the name",
                 "[adapters][http][deadlines][TMO-1]") {
  SlowResolver resolver;
  HttpRequest request = Patient(*this);
  request.url = "http://slow.test/";
  request.deadlines.connect = kTiny;
  CheckDeadline(Send(request), "connect", HttpPhase::kConnect);
}

TEST_CASE_METHOD(HttpFixture, "Connect covers the TLS handshake",
                 "[adapters][http][deadlines][TMO-1]") {
  server.SetScripts({{Step::Hang()}});
  HttpRequest request = Patient(*this);
  request.url.replace(0, 4, "https");
  request.deadlines.connect = kTiny;
  CheckDeadline(Send(request), "connect", HttpPhase::kConnect);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

TEST_CASE_METHOD(HttpFixture, "Connect is over once connected",
                 "[adapters][http][deadlines][TMO-1]") {
  server.SetScripts(
      {{Step::ReadRequest(), Step::Wait(5 * kTiny), Step::Send(Answer("ok"))}});
  HttpRequest request = Patient(*this);
  request.deadlines.connect = 4 * kTiny;
  CHECK_THAT(Send(request).status, IsOk());
}

TEST_CASE_METHOD(HttpFixture, "First content ends a silent or noisy provider",
                 "[adapters][http][deadlines][TMO-1]") {
  HttpRequest request = Patient(*this);
  request.deadlines.first_content = kTiny;
  RememberingSink sink(io);
  sink.progress = BodyProgress::kNoise;
  SECTION("silence") {
    server.SetScripts({{Step::ReadRequest(), Step::Hang()}});
    CheckDeadline(Send(request, sink), "first_content", HttpPhase::kWait);
  }
  SECTION("a head alone") {
    server.SetScripts(
        {{Step::ReadRequest(), Step::Send(kChunkedHead), Step::Hang()}});
    CheckDeadline(Send(request, sink), "first_content", HttpPhase::kHead);
  }
  SECTION("keep-alives without end") {
    Script script = {Step::ReadRequest(), Step::Send(kChunkedHead)};
    for (int i = 0; i < 1000; ++i) {
      script.push_back(Step::Send(Chunk(": ping\n\n")));
      script.push_back(Step::Wait(kTiny / 8));
    }
    server.SetScripts({script});
    CheckDeadline(Send(request, sink), "first_content", HttpPhase::kBody);
  }
  SECTION("a request that cannot leave") {
    request.body.assign(50'000'000, 'x');
    server.SetScripts({{Step::Gate()}});
    CheckDeadline(Send(request, sink), "first_content", HttpPhase::kSend);
  }
}

// Content for the slices that hold a 'c'.
class PickySink : public RememberingSink {
 public:
  using RememberingSink::RememberingSink;
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override {
    progress = slice.find('c') == std::string_view::npos
                   ? BodyProgress::kNoise
                   : BodyProgress::kContent;
    return RememberingSink::OnBody(slice);
  }
};

TEST_CASE_METHOD(HttpFixture, "Idle ends a stream that stalls after content",
                 "[adapters][http][deadlines][TMO-1][TMO-4]") {
  HttpRequest request = Patient(*this);
  request.deadlines.idle = kTiny;
  PickySink sink(io);
  SECTION("silence") {
    server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                        Step::Send(Chunk("c")), Step::Hang()}});
  }
  SECTION("noise without end") {
    Script script = {Step::ReadRequest(), Step::Send(kChunkedHead),
                     Step::Send(Chunk("c"))};
    for (int i = 0; i < 1000; ++i) {
      script.push_back(Step::Wait(kTiny / 8));
      script.push_back(Step::Send(Chunk(": ping\n\n")));
    }
    server.SetScripts({script});
  }
  CheckDeadline(Send(request, sink), "idle", HttpPhase::kBody);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

class EndingSink : public RememberingSink {
 public:
  using RememberingSink::RememberingSink;
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override {
    const auto kept = co_await RememberingSink::OnBody(slice);
    if (!kept.ok()) co_return kept.status();
    co_return BodyProgress::kEnd;
  }
};

TEST_CASE_METHOD(HttpFixture,
                 "A server that keeps the line open after the content's end "
                 "is not waited for",
                 "[adapters][http][deadlines]") {
  HttpRequest request = Patient(*this);
  request.deadlines.idle = absl::Hours(1);
  request.deadlines.first_content = absl::Hours(1);
  EndingSink sink(io);
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::Send(Chunk("the end")), Step::Hang()}});
  CheckDeadline(Send(request, sink), "idle", HttpPhase::kBody);
}

TEST_CASE_METHOD(HttpFixture, "A slow sink is not the provider's silence",
                 "[adapters][http][deadlines][TMO-1]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::Send(Chunk("c") + "0\r\n\r\n")}});
  HttpRequest request = Patient(*this);
  request.deadlines.first_content = absl::Seconds(20);
  request.deadlines.idle = absl::ZeroDuration();
  RememberingSink sink(io);
  sink.gated = true;
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.waiting == 1; }));
  RunReady();
  CHECK_FALSE(sending.done());
  sink.OpenGate();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, IsOk());
}

TEST_CASE_METHOD(HttpFixture, "Total ends everything",
                 "[adapters][http][deadlines][TMO-1]") {
  HttpRequest request = Patient(*this);
  RememberingSink sink(io);
  SECTION("before anything is sent") {
    request.deadlines.total = clock.Monotonic();
    CheckDeadline(Send(request, sink), "total", HttpPhase::kConnect);
    CHECK(server.connections() == 0);
  }
  SECTION("while waiting") {
    server.SetScripts({{Step::ReadRequest(), Step::Hang()}});
    request.deadlines.total = clock.Monotonic() + kTiny;
    CheckDeadline(Send(request, sink), "total", HttpPhase::kWait);
  }
  SECTION("also a sink that waits") {
    server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                        Step::Send(Chunk("c")), Step::Hang()}});
    sink.gated = true;
    request.deadlines.total = clock.Monotonic() + 2 * kTiny;
    CheckDeadline(Send(request, sink), "total", HttpPhase::kBody);
    CHECK(sink.waiting == 0);
    CHECK(RunUntil([&] { return server.departures() == 1; }));
  }
  SECTION("also a stream that never pauses") {
    server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                        Step::SendForever(Chunk("cccc"))}});
    request.max_response_bytes = int64_t{1} << 50;
    request.deadlines.total = clock.Monotonic() + kTiny;
    CheckDeadline(Send(request, sink), "total", HttpPhase::kBody);
  }
}

}  // namespace
}  // namespace llm
