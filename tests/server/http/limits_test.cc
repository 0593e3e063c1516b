// What slow, greedy and many callers meet, over loopback sockets.
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/server/http/fake_service.h"
#include "tests/support/held_side_thread.h"

namespace llm::server {
namespace {

TEST_CASE("beyond the connection limit one 503 is the answer",
          "[server][http][PRF-5]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.limits.max_connections = 1;
  RunningServer server(service, options);
  RawClient first(server.port());
  first.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  first.ReadUntil("\"ok\"}");
  RawClient second(server.port());
  const std::string answer = second.ReadUntil("}}}");
  CHECK(StatusOf(answer) == 503);
  CHECK(HeaderOf(answer, "Retry-After") == "1");
}

TEST_CASE("connections that are refused take no place while they are told so",
          "[server][http][PRF-5]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.limits.max_connections = 1;
  options.limits.max_refused = 3;
  options.limits.linger = absl::Seconds(60);
  RunningServer server(service, options);
  const std::string ask = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  auto first = std::make_unique<RawClient>(server.port());
  first->Send(ask);
  first->ReadUntil("\"ok\"}");
  RawClient lingering[] = {RawClient(server.port()), RawClient(server.port()),
                           RawClient(server.port())};
  for (RawClient& one : lingering) CHECK(StatusOf(one.ReadUntil("}}}")) == 503);
  // More than can be told.
  CHECK(RawClient(server.port()).ReadAll().empty());
  first.reset();
  // Its end is noticed soon, not at once.
  int status = 0;
  for (int i = 0; i < 1000 && status != 200; ++i) {
    RawClient next(server.port());
    next.Send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    next.FinishSending();
    status = StatusOf(next.ReadAll());
  }
  CHECK(status == 200);
}

TEST_CASE("bodies in hand are bounded together, by what has arrived",
          "[server][http][connection][PRF-3]") {
  FakeService service;
  service.on_chat = Echo;
  BodyBudget bodies(1000, 100);
  HttpServerOptions options = Quick();
  options.limits.bodies = &bodies;
  RunningServer server(service, options);
  const std::string large = ChatPost(
      absl::StrCat(R"("prompt_cache_key":")", std::string(600, 'x'), "\""));
  RawClient slow(server.port());
  // All but its last byte: it is counted, and not answered.
  slow.Send(large.substr(0, large.size() - 1));
  while (bodies.held() < 600) std::this_thread::yield();
  RawClient second(server.port());
  second.Send(large);
  const std::string refused = second.ReadUntil("}}}");
  CHECK(StatusOf(refused) == 503);
  CHECK(HeaderOf(refused, "Retry-After") == "1");
  CHECK(refused.find("server.max_body_memory") != std::string::npos);
  CHECK(bodies.refused() == 1);
  RawClient announces(server.port());
  announces.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Content-Length: 30000000\r\n\r\n");
  RawClient small(server.port());
  small.Send(ChatPost(R"("agent":"s")"));
  CHECK(StatusOf(small.ReadUntil("<s>")) == 200);
  slow.Send(large.substr(large.size() - 1));
  CHECK(StatusOf(slow.ReadUntil("<>")) == 200);
  while (bodies.held() > 0) std::this_thread::yield();
}

TEST_CASE("while a large body is read its loop answers others",
          "[server][http][connection][PRF-3]") {
  FakeService service;
  service.on_chat = Echo;
  HeldSideThread reader;
  HttpServerOptions options = Quick();
  options.reader = &reader.thread;
  RunningServer server(service, options);
  const std::string pad(300 << 10, 'x');
  const std::string path = GENERATE("/v1/chat/completions", "/v1/route");
  CAPTURE(path);
  RawClient large(server.port());
  large.Send(
      ChatPost(absl::StrCat(R"("agent":"l","prompt_cache_key":")", pad, "\""),
               "", path));
  reader.AwaitWaiting(1);
  for (int i = 0; i < 3; ++i) {
    RawClient small(server.port());
    small.Send(ChatPost(R"("agent":"s")"));
    CHECK(StatusOf(small.ReadUntil("<s>")) == 200);
  }
  CHECK(reader.thread.waiting() == 1);
  reader.LetGo();
  CHECK(StatusOf(large.ReadUntil("}")) == 200);
}

TEST_CASE("a caller who leaves, or is cut, while its body is read is told so",
          "[server][http][connection][PRF-3]") {
  FakeService service;
  service.on_chat = Echo;
  HeldSideThread reader;
  HttpServerOptions options = Quick();
  options.reader = &reader.thread;
  RunningServer server(service, options);
  const std::string path = GENERATE("/v1/chat/completions", "/v1/route");
  CAPTURE(path);
  RawClient client(server.port());
  client.Send(ChatPost(absl::StrCat(R"("prompt_cache_key":")",
                                    std::string(300 << 10, 'x'), "\""),
                       "", path));
  reader.AwaitWaiting(1);
  SECTION("the service ends") {
    server.server().Shutdown(absl::ZeroDuration());
    const std::string answer = client.ReadAll();
    CHECK(StatusOf(answer) == 503);
    CHECK(answer.find("shutting down") != std::string::npos);
  }
  SECTION("the caller leaves") {
    client.Reset();
    while (service.refused_code().empty()) std::this_thread::yield();
    CHECK(service.refused_code() == "client_cancelled");
  }
}

TEST_CASE("one key's bodies leave room for another's",
          "[server][http][connection][PRF-5]") {
  FakeService service;
  service.on_chat = Echo;
  service.key_id_of_credentials = true;
  BodyBudget bodies(100'000, 100);
  HttpServerOptions options = Quick();
  options.limits.bodies = &bodies;
  RunningServer server(service, options);
  const auto large = [](const char* key) {
    return ChatPost(
        absl::StrCat(R"("prompt_cache_key":")", std::string(30'000, 'x'), "\""),
        absl::StrCat("Authorization: Bearer ", key, "\r\n"));
  };
  // All but its last byte, which never comes.
  RawClient slow(server.port());
  const std::string held = large("greedy");
  slow.Send(held.substr(0, held.size() - 1));
  while (bodies.held() < 30'000) std::this_thread::yield();
  RawClient more(server.port());
  more.Send(large("greedy"));
  CHECK(StatusOf(more.ReadUntil("}}}")) == 503);
  RawClient other(server.port());
  other.Send(large("modest"));
  CHECK(StatusOf(other.ReadUntil("<>")) == 200);
}

TEST_CASE("a body that drips is given up, however steadily",
          "[server][http][connection][PRF-5]") {
  FakeService service;
  service.on_chat = Echo;
  HttpServerOptions options = Quick();
  options.limits.body_read = absl::Milliseconds(50);
  options.limits.body_rate = int64_t{1} << 40;
  // The client sends on until it has the answer.
  options.limits.linger = absl::Seconds(20);
  RunningServer server(service, options);
  RawClient client(server.port());
  // What announces the body and begins it, and what drips.
  const auto [begin, drop] = GENERATE(table<const char*, const char*>({
      {"Content-Length: 1000000\r\n\r\n", " "},
      {"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
      // An extension, and trailers: they are no body, and end as one does.
      {"Transfer-Encoding: chunked\r\n\r\n5;x=", "x"},
      {"Transfer-Encoding: chunked\r\n\r\n0\r\nT: ", "x"},
  }));
  CAPTURE(begin);
  // Less than max_header_bytes of an extension.
  constexpr int kPieces = 50'000;
  client.Send(
      absl::StrCat("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n", begin));
  std::atomic<bool> answered{false};
  std::thread drip([&, piece = std::string(drop)] {
    for (int i = 0; i < kPieces && !answered; ++i) {
      client.Send(piece);
      // A drip, no flood: the answer must not be lost behind it.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const std::string answer = client.ReadUntil("}}}");
  answered = true;
  drip.join();
  CHECK(StatusOf(answer) == 408);
  CHECK(HeaderOf(answer, "Connection") == "close");
  CHECK(answer.find("bytes a second") != std::string::npos);
}

TEST_CASE("a reader that takes little is cut, however steadily",
          "[server][http][connection][PRF-5]") {
  constexpr size_t kSize = 128'000'000;
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink*) -> Task<CallResult> {
    co_return WholeAnswer(std::string(kSize, 'y'));
  };
  HttpServerOptions options = Quick();
  options.limits.sweep = absl::Milliseconds(1);
  options.limits.write = absl::Milliseconds(15);
  options.limits.write_piece = int64_t{1} << 40;
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost());
  CHECK(client.ReadAll().size() < kSize);
}

TEST_CASE("what took too long is named with its limit",
          "[server][http][connection]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.limits.header_read = absl::Milliseconds(50);
  options.limits.body_read = absl::Milliseconds(60);
  RunningServer server(service, options);
  RawClient head(server.port());
  head.Send("GET /healthz HTTP/1.1\r\n");
  CHECK(head.ReadUntil("}}}").find("head did not arrive within 50ms") !=
        std::string::npos);
  RawClient body(server.port());
  body.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Content-Length: 10\r\n\r\n{");
  CHECK(body.ReadUntil("}}}").find("No byte of the body arrived for 60ms") !=
        std::string::npos);
}

}  // namespace
}  // namespace llm::server
