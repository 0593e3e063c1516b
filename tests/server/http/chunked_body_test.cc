// Chunked bodies in unlucky pieces, over loopback sockets.
#include <catch2/catch.hpp>
#include <string>

#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

// Found by fuzzing: Beast's assertion ended the process where asserts are on.
TEST_CASE("a last chunk that arrives byte by byte ends the body",
          "[server][http][framing]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink*) -> Task<CallResult> {
    co_return WholeAnswer("<read>");
  };
  RunningServer server(service);
  RawClient client(server.port());
  const std::string end = GENERATE("0\r\n\r\n", "0\r\nT: v\r\n\r\n");
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"
      "20\r\n{\"model\":\"m\",\"messages\":[{\"role\"\r\n"
      "a\r\n:\"user\"}]}\r\n");
  for (const char c : end) client.Send(std::string(1, c));
  CHECK(StatusOf(client.ReadUntil("<read>")) == 200);
}

TEST_CASE("a body of nothing but a last chunk is a body",
          "[server][http][framing]") {
  FakeService service;
  RunningServer server(service);
  RawClient client(server.port());
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  for (const char c : std::string("0\r\nT: v\r\n\r\n")) {
    client.Send(std::string(1, c));
  }
  CHECK(StatusOf(client.ReadUntil("invalid_request")) == 400);
}

TEST_CASE("a chunk's extension that never ends is refused, and so are trailers",
          "[server][http][framing][PRF-5]") {
  FakeService service;
  service.on_chat = Echo;
  HttpServerOptions options = Quick();
  const std::string head =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n";
  const std::string never = GENERATE("5;x=", "0\r\nT: ");
  options.limits.max_header_bytes = 500;
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(head + never + std::string(600, 'x'));
  CHECK(StatusOf(client.ReadUntil("too long")) == 400);
}

}  // namespace
}  // namespace llm::server
