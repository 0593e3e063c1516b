// Programs of this machine may call without a key; web pages may not.
#include "server/http/foreign_caller.h"

#include <catch2/catch.hpp>

#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

TEST_CASE("a page's request is told from a program's by Host and Origin",
          "[server][http][SEC-6]") {
  const auto [method, host, origin, expected] =
      GENERATE(table<std::string, std::string, std::string, std::string>({
          {"POST", "127.0.0.1:8004", "", ""},
          {"POST", "[::1]:8004", "", ""},
          {"POST", "localhost:8004", "", ""},
          {"POST", "LOCALHOST", "http://localhost:3000", ""},
          {"POST", "localhost", "http://127.0.0.1:3000", ""},
          {"POST", "localhost", "http://[::1]", ""},
          {"POST", "gateway", "", ""},
          {"POST", "host.docker.internal:8004", "", ""},
          {"POST", "app.localhost", "", ""},
          {"POST", "gateway.test", "", ""},
          {"POST", "gateway.home.arpa:8004", "", ""},
          {"GET", "evil.example", "", "host"},
          {"POST", "evil.example:8004", "", "host"},
          {"POST", "Evil.Example.", "", "host"},
          {"POST", "127.0.0.1.evil.example", "", "host"},
          {"POST", "localhost.evil.example", "", "host"},
          {"POST", "localhost", "https://evil.example", "origin"},
          {"POST", "localhost", "https://localhost.evil.example", "origin"},
          {"POST", "localhost", "null", "origin"},
          {"DELETE", "localhost", "https://evil.example", "origin"},
          {"GET", "localhost", "https://evil.example", ""},
          {"POST", "desk.example", "https://desk.example", ""},
          {"POST", "localhost", "https://desk.example", ""},
      }));
  CAPTURE(method, host, origin);
  HttpRequest request;
  request.method = method;
  request.headers = {{"host", host}};
  if (!origin.empty()) request.headers.emplace_back("origin", origin);
  CHECK(ForeignCaller(request, {"https://desk.example"}) == expected);
  // Who lets everyone in lets everyone in.
  CHECK(ForeignCaller(request, {"*"}).empty());
}

TEST_CASE("where no key is needed a page of another origin is refused",
          "[server][http][SEC-6]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink*) -> Task<CallResult> {
    co_return WholeAnswer("hello");
  };
  HttpServerOptions options;
  options.programs_only = GENERATE(true, false);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost("", "Origin: https://evil.example\r\n"));
  if (options.programs_only) {
    const std::string answer = client.ReadUntil("}}}");
    CHECK(StatusOf(answer) == 403);
    CHECK(answer.find("the header 'origin'") != std::string::npos);
  } else {
    CHECK(StatusOf(client.ReadUntil("hello")) == 200);
  }
  client.Send("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  client.ReadUntil("\"ok\"}");
  client.Send(ChatPost());
  CHECK(client.ReadUntil("hello").find("200 OK") != std::string::npos);
}

}  // namespace
}  // namespace llm::server
