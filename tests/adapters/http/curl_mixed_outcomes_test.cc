// Hundreds of exchanges of every outcome leave nothing behind.
#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>

#include "tests/adapters/http/http_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

struct Outcome {
  Script script;
  absl::StatusCode code;
  bool cancel = false;
};

std::vector<Outcome> Outcomes() {
  const Step stream = Step::Send(kChunkedHead + Chunk("some"));
  return {
      {{Step::ReadRequest(), Step::Send(Answer("ok")), Step::Hang()},
       absl::StatusCode::kOk},
      {{Step::ReadRequest(), stream, Step::Send("0\r\n\r\n")},
       absl::StatusCode::kOk},
      {{Step::ReadRequest(), stream, Step::Close()},
       absl::StatusCode::kUnavailable},
      {{Step::ReadRequest(), Step::Reset()}, absl::StatusCode::kUnavailable},
      {{Step::Close()}, absl::StatusCode::kUnavailable},
      {{Step::ReadRequest(), stream, Step::Hang()},
       absl::StatusCode::kDeadlineExceeded},
      {{Step::ReadRequest(), Step::Hang()},
       absl::StatusCode::kDeadlineExceeded},
      {{Step::ReadRequest(), Step::Hang()}, absl::StatusCode::kCancelled, true},
      {{Step::ReadRequest(), Step::Send("garbage\r\n\r\n")},
       absl::StatusCode::kInternal},
  };
}

// One server per outcome, so that each exchange meets its own.
void RunRound(HttpFixture& fixture, const std::vector<Outcome>& outcomes) {
  std::vector<std::unique_ptr<TcpScriptServer>> servers;
  std::vector<std::unique_ptr<RememberingSink>> sinks;
  std::vector<HttpRequest> requests(outcomes.size());
  std::vector<Sending> sendings;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    servers.push_back(std::make_unique<TcpScriptServer>(fixture.io));
    servers.back()->SetScripts({outcomes[i].script});
    sinks.push_back(std::make_unique<RememberingSink>(fixture.io));
    requests[i] = fixture.Post();
    requests[i].url = servers.back()->Url();
    if (outcomes[i].code == absl::StatusCode::kDeadlineExceeded) {
      requests[i].deadlines.idle = absl::Milliseconds(30);
      requests[i].deadlines.first_content = absl::Milliseconds(30);
    }
    sendings.push_back(fixture.Start(requests[i], *sinks.back()));
  }
  for (size_t i = 0; i < outcomes.size(); ++i) {
    CAPTURE(i);
    if (outcomes[i].cancel) {
      REQUIRE(fixture.RunUntil([&] { return servers[i]->requests() == 1; }));
      sendings[i].Cancel();
    }
    REQUIRE(fixture.RunUntil([&] { return sendings[i].done(); }));
    CHECK_THAT(sendings[i].result().status, HasCode(outcomes[i].code));
  }
}

TEST_CASE("After hundreds of mixed outcomes no descriptor is left open",
          "[adapters][http][leak]") {
  // Libraries open what they keep on first use.
  {
    HttpFixture warm_up;
    RunRound(warm_up, Outcomes());
  }
  const size_t baseline = OpenDescriptors();
  {
    HttpFixture fixture;
    for (int round = 0; round < 35; ++round) RunRound(fixture, Outcomes());
  }
  CHECK(OpenDescriptors() == baseline);
}

TEST_CASE_METHOD(HttpFixture, "Idle connections are bounded",
                 "[adapters][http][leak]") {
  transport.emplace(io, clock, CurlTransportOptions{.max_idle_connections = 3});
  server.SetScripts({{Step::ReadRequest(), Step::Gate(),
                      Step::Send(Answer("ok")), Step::Hang()}});
  const HttpRequest request = Post();
  std::vector<std::unique_ptr<RememberingSink>> sinks;
  std::vector<Sending> sendings;
  for (int i = 0; i < 10; ++i) {
    sinks.push_back(std::make_unique<RememberingSink>(io));
    sendings.push_back(Start(request, *sinks.back()));
  }
  REQUIRE(RunUntil([&] { return server.requests() == 10; }));
  server.OpenGate();
  CHECK(RunUntil([&] { return server.departures() == 7; }));
}

}  // namespace
}  // namespace llm
