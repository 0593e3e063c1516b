// libcurl sends a request again by itself when a reused connection dies
// before an answer. With a provider that bills twice; these prove it cannot.
#include <catch2/catch.hpp>

#include "tests/adapters/http/http_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

Step AnswerStep() { return Step::Send(Answer("ok")); }

void CheckNotSentAgain(HttpFixture& fixture, const HttpResult& result) {
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kUnavailable));
  CHECK(result.reused_connection);
  CHECK(result.phase == HttpPhase::kWait);
  CHECK(result.http_status == 0);
  // A request sent again would arrive now.
  fixture.RunReady();
  CHECK(fixture.server.requests() == 2);
}

TEST_CASE_METHOD(
    HttpFixture,
    "A request that killed its reused connection is not sent again",
    "[adapters][http][resend]") {
  const Step death = GENERATE(Step::Close(), Step::Reset());
  const std::string body =
      GENERATE(std::string("{}"), std::string(), std::string(300'000, 'x'));
  server.SetScripts(
      {{Step::ReadRequest(), AnswerStep(), Step::ReadRequest(), death},
       {Step::ReadRequest(), AnswerStep()}});
  REQUIRE_THAT(Send(Post()).status, IsOk());
  const HttpResult second = Send(Post(body));
  CheckNotSentAgain(*this, second);
  CHECK(server.connections() == 1);
}

TEST_CASE_METHOD(HttpFixture,
                 "Nor is it sent again over another idle connection",
                 "[adapters][http][resend]") {
  // Two connections are idle; the one that is reused dies.
  const Script script = {Step::ReadRequest(), Step::Gate(), AnswerStep(),
                         Step::ReadRequest(), Step::Close()};
  server.SetScripts({script});
  RememberingSink one(io);
  RememberingSink two(io);
  const HttpRequest request = Post();
  Sending first = Start(request, one);
  Sending second = Start(request, two);
  REQUIRE(RunUntil([&] { return server.requests() == 2; }));
  server.OpenGate();
  REQUIRE(RunUntil([&] { return first.done() && second.done(); }));
  REQUIRE(server.connections() == 2);

  const HttpResult result = Send(Post());
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kUnavailable));
  CHECK(result.reused_connection);
  RunReady();
  CHECK(server.requests() == 3);
  CHECK(server.connections() == 2);
}

TEST_CASE_METHOD(HttpFixture,
                 "A connection that dies while the body leaves is not replaced",
                 "[adapters][http][resend]") {
  const size_t read = GENERATE(size_t{0}, size_t{1}, size_t{1000});
  server.SetScripts({{Step::ReadRequest(), AnswerStep(), Step::ReadBytes(read),
                      Step::Gate(), Step::Reset()},
                     {Step::ReadRequest(), AnswerStep()}});
  REQUIRE_THAT(Send(Post()).status, IsOk());
  RememberingSink sink(io);
  const HttpRequest request = Post(std::string(20'000'000, 'x'));
  Sending sending = Start(request, sink);
  RunReady();  // the socket's buffers are full
  server.OpenGate();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, HasCode(absl::StatusCode::kUnavailable));
  CHECK(sending.result().reused_connection);
  CHECK(sending.result().phase == HttpPhase::kSend);
  RunReady();
  CHECK(server.requests() == 1);
  CHECK(server.connections() == 1);
}

TEST_CASE_METHOD(HttpFixture, "A fresh connection is opened where one is asked",
                 "[adapters][http][resend]") {
  server.SetScripts(
      {{Step::ReadRequest(), AnswerStep(), Step::ReadRequest(), AnswerStep()}});
  REQUIRE_THAT(Send(Post()).status, IsOk());
  HttpRequest request = Post();
  request.fresh_connection = true;
  const HttpResult fresh = Send(request);
  CHECK_THAT(fresh.status, IsOk());
  CHECK_FALSE(fresh.reused_connection);
  CHECK(server.connections() == 2);
  // The wish is this request's alone.
  CHECK(Send(Post()).reused_connection);
}

TEST_CASE_METHOD(HttpFixture,
                 "What one request was sent with does not stay for the next",
                 "[adapters][http]") {
  server.SetScripts(
      {{Step::ReadRequest(), AnswerStep(), Step::ReadRequest(), AnswerStep()}});
  HttpRequest put = Post();
  put.method = "PUT";
  REQUIRE_THAT(Send(put).status, IsOk());
  REQUIRE_THAT(Send(Post()).status, IsOk());
  REQUIRE(server.requests() == 2);
  CHECK(server.request(1).starts_with("POST "));
}

TEST_CASE_METHOD(HttpFixture, "After a refused resend the transport works on",
                 "[adapters][http][resend]") {
  server.SetScripts(
      {{Step::ReadRequest(), AnswerStep(), Step::ReadRequest(), Step::Close()},
       {Step::ReadRequest(), AnswerStep()}});
  REQUIRE_THAT(Send(Post()).status, IsOk());
  CHECK_FALSE(Send(Post()).status.ok());
  const HttpResult third = Send(Post());
  CHECK_THAT(third.status, IsOk());
  CHECK_FALSE(third.reused_connection);
  CHECK(server.requests() == 3);
}

}  // namespace
}  // namespace llm
