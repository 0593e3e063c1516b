// One exchange as the transport makes it: what is sent, what is reported.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/adapters/http/http_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

using Code = absl::StatusCode;

TEST_CASE_METHOD(HttpFixture,
                 "A POST goes out as given and its answer comes in",
                 "[adapters][http]") {
  server.SetScripts({{Step::ReadRequest(),
                      Step::Send(Answer("{\"ok\":1}", 201, "X-Id: 7\r\n"))}});
  HttpRequest request = Post("{\"a\":1}");
  request.headers.push_back({"Authorization", "Bearer k"});
  request.headers.push_back({"X-Empty", ""});
  RememberingSink sink(io);
  const HttpResult result = Send(request, sink);
  CHECK_THAT(result.status, IsOk());
  CHECK(result.http_status == 201);
  CHECK(result.phase == HttpPhase::kComplete);
  CHECK_FALSE(result.reused_connection);
  CHECK(result.body_bytes == 8);
  CHECK(result.timings.connected.has_value());
  CHECK(result.timings.first_byte.has_value());
  CHECK(sink.heads == 1);
  CHECK(sink.status == 201);
  CHECK(*FindHeader(sink.headers, "x-id") == "7");
  CHECK(sink.body == "{\"ok\":1}");
  CHECK(server.request(0) ==
        "POST /v1/chat HTTP/1.1\r\nHost: 127.0.0.1:" +
            std::to_string(server.port()) +
            "\r\nUser-Agent: llm-service\r\nAccept: */*\r\n"
            "Content-Type: application/json\r\nAuthorization: Bearer k\r\n"
            "X-Empty:\r\nAccept-Encoding: identity\r\n"
            "Content-Length: 7\r\n\r\n{\"a\":1}");
}

TEST_CASE_METHOD(HttpFixture, "A large body is sent whole, without Expect",
                 "[adapters][http]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(Answer("ok"))}});
  const std::string body(3'000'000, 'x');
  CHECK_THAT(Send(Post(body)).status, IsOk());
  CHECK(server.request(0).find("Expect") == std::string::npos);
  CHECK(server.request(0).ends_with("\r\n\r\n" + body));
}

TEST_CASE_METHOD(HttpFixture, "GET, empty POST and PUT keep their method",
                 "[adapters][http]") {
  const auto [method, body] = GENERATE(table<std::string, std::string>(
      {{"GET", ""}, {"POST", ""}, {"PUT", "x"}, {"DELETE", ""}}));
  server.SetScripts({{Step::ReadRequest(), Step::Send(Answer("ok"))}});
  HttpRequest request = Post(body);
  request.method = method;
  const HttpResult result = Send(request);
  CHECK_THAT(result.status, IsOk());
  CHECK(server.request(0).starts_with(method + " /v1/chat HTTP/1.1\r\n"));
  CHECK(server.request(0).ends_with("\r\n\r\n" + body));
}

TEST_CASE_METHOD(HttpFixture, "HTTP errors and redirects are answers",
                 "[adapters][http]") {
  const int status = GENERATE(404, 429, 500, 302);
  server.SetScripts(
      {{Step::ReadRequest(),
        Step::Send(Answer("no", status, "Location: /other\r\n"))}});
  RememberingSink sink(io);
  const HttpResult result = Send(Post(), sink);
  CHECK_THAT(result.status, IsOk());
  CHECK(result.http_status == status);
  CHECK(sink.body == "no");
  CHECK(server.requests() == 1);
}

TEST_CASE_METHOD(HttpFixture, "Interim answers are not reported",
                 "[adapters][http]") {
  server.SetScripts(
      {{Step::ReadRequest(),
        Step::Send(
            "HTTP/1.1 103 Early\r\nX-A: 1\r\n\r\nHTTP/1.1 100 C\r\n\r\n"),
        Step::Send(Answer("ok"))}});
  RememberingSink sink(io);
  CHECK_THAT(Send(Post(), sink).status, IsOk());
  CHECK(sink.heads == 1);
  CHECK(sink.status == 200);
  CHECK(FindHeader(sink.headers, "x-a") == nullptr);
}

TEST_CASE_METHOD(HttpFixture, "Chunks arrive as they come",
                 "[adapters][http][stream]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::Send(Chunk("one ")), Step::Gate(),
                      Step::Send(Chunk("two")), Step::Send("0\r\n\r\n")}});
  RememberingSink sink(io);
  const HttpRequest request = Post();
  Sending sending = Start(request, sink);
  REQUIRE(RunUntil([&] { return sink.body == "one "; }));
  CHECK_FALSE(sending.done());
  server.OpenGate();
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, IsOk());
  CHECK(sink.body == "one two");
}

TEST_CASE_METHOD(HttpFixture, "Connections are kept and reused",
                 "[adapters][http]") {
  server.SetScripts(
      {{Step::ReadRequest(), Step::Send(Answer("a")), Step::ReadRequest(),
        Step::Send(Answer("b")), Step::Hang()}});
  CHECK_FALSE(Send(Post()).reused_connection);
  RememberingSink sink(io);
  const HttpResult second = Send(Post(), sink);
  CHECK_THAT(second.status, IsOk());
  CHECK(second.reused_connection);
  CHECK(second.timings.connected == absl::ZeroDuration());
  CHECK(sink.body == "b");
  CHECK(server.connections() == 1);
}

TEST_CASE_METHOD(HttpFixture, "A connection that fell idle dead is replaced",
                 "[adapters][http]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(Answer("a"))}});
  CHECK_THAT(Send(Post()).status, IsOk());
  RunReady();  // the server's FIN arrives
  const HttpResult second = Send(Post());
  CHECK_THAT(second.status, IsOk());
  CHECK_FALSE(second.reused_connection);
  CHECK(server.connections() == 2);
}

TEST_CASE_METHOD(HttpFixture, "Broken answers are told by kind and phase",
                 "[adapters][http][errors]") {
  const auto [answer, code,
              phase] = GENERATE(table<std::string, Code, HttpPhase>({
      {"", Code::kUnavailable, HttpPhase::kWait},
      {"HTTP/1.1 103 Early\r\n\r\n", Code::kUnavailable, HttpPhase::kWait},
      {"HTTP/1.1 200 OK\r\nContent-Le", Code::kUnavailable, HttpPhase::kHead},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Code::kUnavailable,
       HttpPhase::kHead},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", Code::kUnavailable,
       HttpPhase::kBody},
      {std::string(kChunkedHead) + "3\r\nabc\r\n", Code::kUnavailable,
       HttpPhase::kBody},
      {std::string(kChunkedHead) + "3\r\nabc\r\nzz\r\n", Code::kInternal,
       HttpPhase::kBody},
      {"no http at all\r\n\r\n", Code::kInternal, HttpPhase::kWait},
  }));
  CAPTURE(answer);
  server.SetScripts({{Step::ReadRequest(), Step::Send(answer)}});
  const HttpResult result = Send(Post());
  CHECK_THAT(result.status, HasCode(code));
  CHECK(result.phase == phase);
  CHECK(server.requests() == 1);
}

TEST_CASE_METHOD(HttpFixture, "Resets are told by phase",
                 "[adapters][http][errors]") {
  const auto [script, phase] = GENERATE(table<Script, HttpPhase>({
      {{Step::ReadRequest(), Step::Reset()}, HttpPhase::kWait},
      {{Step::ReadRequest(),
        Step::Send(std::string(kChunkedHead) + Chunk("abc")), Step::Gate(),
        Step::Reset()},
       HttpPhase::kBody},
  }));
  server.SetScripts({script});
  RememberingSink sink(io);
  const HttpRequest request = Post();
  Sending sending = Start(request, sink);
  if (phase == HttpPhase::kBody) {
    REQUIRE(RunUntil([&] { return sink.body == "abc"; }));
    server.OpenGate();
  }
  REQUIRE(RunUntil([&] { return sending.done(); }));
  CHECK_THAT(sending.result().status, HasCode(Code::kUnavailable));
  CHECK(sending.result().phase == phase);
}

TEST_CASE_METHOD(HttpFixture, "A reset while sending a large body is kSend",
                 "[adapters][http][errors]") {
  server.SetScripts({{Step::ReadBytes(1000), Step::Reset()}});
  const HttpResult result = Send(Post(std::string(50'000'000, 'x')));
  CHECK_THAT(result.status, HasCode(Code::kUnavailable));
  CHECK(result.phase == HttpPhase::kSend);
}

TEST_CASE_METHOD(HttpFixture, "Nobody listening is kUnavailable in kConnect",
                 "[adapters][http][errors]") {
  HttpRequest request = Post();
  {
    TcpScriptServer gone(io);
    request.url = gone.Url();
  }
  const HttpResult result = Send(request);
  CHECK_THAT(result.status, HasCode(Code::kUnavailable));
  CHECK(result.phase == HttpPhase::kConnect);
  CHECK_FALSE(result.timings.connected.has_value());
}

TEST_CASE_METHOD(HttpFixture, "Answers are bounded", "[adapters][http]") {
  HttpRequest request = Post();
  request.max_response_bytes = 1000;
  SECTION("a body at the limit passes") {
    server.SetScripts(
        {{Step::ReadRequest(), Step::Send(Answer(std::string(1000, 'x')))}});
    CHECK_THAT(Send(request).status, IsOk());
  }
  SECTION("a byte more does not") {
    server.SetScripts(
        {{Step::ReadRequest(), Step::Send(Answer(std::string(1001, 'x'))),
          Step::Hang()}});
    CHECK_THAT(Send(request).status, HasCode(Code::kInternal));
    CHECK(RunUntil([&] { return server.departures() == 1; }));
  }
  SECTION("an endless stream is cut off") {
    server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                        Step::SendForever(Chunk("0123456789"))}});
    CHECK_THAT(Send(request).status, HasCode(Code::kInternal));
    CHECK(RunUntil([&] { return server.departures() == 1; }));
  }
  SECTION("so is an endless head") {
    server.SetScripts({{Step::ReadRequest(), Step::Send("HTTP/1.1 200 OK\r\n"),
                        Step::SendForever("A: b\r\n")}});
    CHECK_THAT(Send(request).status, HasCode(Code::kInternal));
    CHECK(RunUntil([&] { return server.departures() == 1; }));
  }
}

TEST_CASE_METHOD(HttpFixture, "A request that could smuggle is not sent",
                 "[adapters][http]") {
  HttpRequest request = Post();
  request.headers.push_back(
      GENERATE(HttpHeader{"X-A", "b\r\nX-C: d"}, HttpHeader{"X\nA", "b"},
               HttpHeader{"", "b"}, HttpHeader{"X:A", "b"},
               HttpHeader{"X-A", std::string("b\0c", 3)}));
  CHECK_THAT(Send(request).status, HasCode(Code::kInternal));
  CHECK(server.connections() == 0);
}

TEST_CASE_METHOD(HttpFixture, "Only HTTP and HTTPS are spoken",
                 "[adapters][http]") {
  HttpRequest request = Post();
  request.url = GENERATE("file:///etc/passwd", "ftp://127.0.0.1/", "",
                         "http://user:secret@127.0.0.1/");
  const HttpResult result = Send(request);
  CHECK_THAT(result.status, HasCode(Code::kInternal));
  CHECK(result.phase == HttpPhase::kConnect);
  CHECK(result.status.message().find("secret") == std::string::npos);
}

TEST_CASE_METHOD(HttpFixture, "The sink's error ends the exchange",
                 "[adapters][http]") {
  server.SetScripts({{Step::ReadRequest(), Step::Send(kChunkedHead),
                      Step::Send(Chunk("bad")), Step::Hang()}});
  RememberingSink sink(io);
  sink.answer = absl::DataLossError("not JSON");
  const HttpResult result = Send(Post(), sink);
  CHECK(result.status == sink.answer);
  CHECK(result.phase == HttpPhase::kBody);
  CHECK(RunUntil([&] { return server.departures() == 1; }));
}

TEST_CASE_METHOD(HttpFixture, "Many exchanges run side by side on one loop",
                 "[adapters][http]") {
  server.SetScripts(
      {{Step::ReadRequest(), Step::Gate(), Step::Send(Answer("done"))}});
  const HttpRequest request = Post();
  std::vector<std::unique_ptr<RememberingSink>> sinks;
  std::vector<Sending> sendings;
  for (int i = 0; i < 50; ++i) {
    sinks.push_back(std::make_unique<RememberingSink>(io));
    sendings.push_back(Start(request, *sinks.back()));
  }
  REQUIRE(RunUntil([&] { return server.requests() == 50; }));
  server.OpenGate();
  for (Sending& sending : sendings) {
    REQUIRE(RunUntil([&] { return sending.done(); }));
    CHECK_THAT(sending.result().status, IsOk());
  }
}

}  // namespace
}  // namespace llm
