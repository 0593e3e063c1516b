// The engine of connections, over loopback sockets with raw bytes.
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

TEST_CASE("pipelined requests are answered in their order",
          "[server][http][connection]") {
  FakeService service;
  service.on_chat = Echo;
  RunningServer server(service);
  RawClient client(server.port());
  std::string requests = "\r\n";
  for (const char* agent : {"a", "b", "c"}) {
    requests += ChatPost(absl::StrCat(R"("agent":")", agent, "\""));
  }
  const bool whole = GENERATE(true, false);
  if (whole) {
    client.Send(requests);
  } else {
    for (const char c : requests) client.Send(std::string(1, c));
  }
  CHECK(StatusOf(client.ReadUntil("<a>")) == 200);
  CHECK(client.ReadUntil("<b>").find("<c>") == std::string::npos);
  client.ReadUntil("<c>");
  CHECK_FALSE(client.closed());
}

TEST_CASE("a chunked body is read whole", "[server][http][connection]") {
  FakeService service;
  service.on_chat = Echo;
  RunningServer server(service);
  RawClient client(server.port());
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n"
      "e;ext=1\r\n{\"agent\":\"tag\"\r\n"
      "24\r\n,\"messages\":[{\"role\":\"user\"}]      }\r\n0\r\n"
      "Authorization: Bearer trailer\r\n\r\n");
  CHECK(StatusOf(client.ReadUntil("<tag>")) == 200);
}

TEST_CASE("a client that asks gets 100 Continue before its body",
          "[server][http][connection]") {
  FakeService service;
  service.on_chat = Echo;
  RunningServer server(service);
  RawClient client(server.port());
  const std::string request =
      ChatPost(R"("agent":"x")", "Expect: 100-continue\r\n");
  const size_t head = request.find("\r\n\r\n") + 4;
  client.Send(request.substr(0, head));
  CHECK(client.ReadUntil("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send(request.substr(head));
  CHECK(StatusOf(client.ReadUntil("<x>")) == 200);
}

TEST_CASE("a request that is framed ambiguously is refused and closed",
          "[server][http][framing][SEC-6]") {
  FakeService service;
  service.on_chat = Echo;
  RunningServer server(service);
  const auto [bytes, status] = GENERATE(table<std::string, int>({
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
       "Content-Length: 2\r\n\r\n{}",
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
       "Content-Length: 2\r\n\r\n0\r\n\r\n",
       400},
      {"POST /v1/route HTTP/1.1\r\nHost: x\r\n"
       "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       400},
      {"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
       "Transfer-Encoding: chunked\r\n\r\n"
       "2\r\n{}x\r\n0\r\n\r\n",
       400},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"\x16\x03\x01\x02", 400},
  }));
  CAPTURE(bytes);
  RawClient client(server.port());
  // What follows must not be taken for a request.
  client.Send(bytes);
  client.Send(ChatPost(R"("agent":"smuggled")"));
  client.FinishSending();
  const std::string answer = client.ReadAll();
  CHECK(StatusOf(answer) == status);
  CHECK(HeaderOf(answer, "Connection") == "close");
  CHECK(answer.find("smuggled") == std::string::npos);
  CHECK(client.closed());
}

TEST_CASE("a body beyond the limit is refused with the limit's name",
          "[server][http][PRF-5]") {
  FakeService service;
  service.on_chat = Echo;
  HttpServerOptions options = Quick();
  options.limits.max_body = 1000;
  RunningServer server(service, options);
  RawClient client(server.port());
  const bool declared = GENERATE(true, false);
  if (declared) {
    client.Send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        "Content-Length: 1001\r\n\r\n");
  } else {
    client.Send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" +
        std::string(1001, ' '));
  }
  const std::string answer = client.ReadUntil("}}}");
  CAPTURE(answer);
  CHECK(StatusOf(answer) == 413);
  CHECK(answer.find(R"("code":"body_too_large")") != std::string::npos);
  CHECK(answer.find("1000 bytes") != std::string::npos);
}

TEST_CASE("chunk framing that never ends is refused and closed",
          "[server][http][framing][PRF-5]") {
  FakeService service;
  service.on_chat = Echo;
  HttpServerOptions options = Quick();
  options.limits.max_header_bytes = 1000;
  RunningServer server(service, options);
  const std::string framing = GENERATE("5;ext=", "2\r\n{}\r\n0\r\nX-Trailer: ");
  CAPTURE(framing);
  RawClient client(server.port());
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n" +
      framing + std::string(3000, 'a'));
  const std::string answer = client.ReadUntil("}}}");
  CHECK(StatusOf(answer) == 400);
  CHECK(HeaderOf(answer, "Connection") == "close");
}

TEST_CASE("what the engine refuses has a request id", "[server][http][ERR-2]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.limits.max_header_bytes = 1000;
  options.limits.max_body = 1000;
  options.limits.body_read = absl::Milliseconds(20);
  RunningServer server(service, options);
  const auto [bytes, status] = GENERATE(table<std::string, int>({
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nX: " + std::string(2000, 'x'), 431},
      {"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n",
       413},
      {"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{", 408},
  }));
  CAPTURE(bytes);
  RawClient client(server.port());
  client.Send(bytes);
  const std::string answer = client.ReadUntil("}}}");
  CHECK(StatusOf(answer) == status);
  CHECK(HeaderOf(answer, "x-request-id") == "call-1");
  CHECK(answer.find(R"("request_id":"call-1")") != std::string::npos);
}

TEST_CASE("a head that never ends is given up",
          "[server][http][connection][PRF-5]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.limits.header_read = absl::Milliseconds(20);
  options.limits.idle = absl::Milliseconds(20);
  options.limits.body_read = absl::Milliseconds(20);
  RunningServer server(service, options);
  RawClient client(server.port());
  SECTION("in the head") {
    client.Send("GET /healthz HTT");
    CHECK(StatusOf(client.ReadAll()) == 408);
  }
  SECTION("in the body") {
    client.Send(
        "POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{");
    CHECK(StatusOf(client.ReadAll()) == 408);
  }
  SECTION("before the first byte it is closed without a word") {
    CHECK(client.ReadAll().empty());
  }
}

// A call that waits until it is cancelled, and announces both.
struct WaitingCall {
  Signal started;
  Signal cancelled;
  FakeService::ChatScript Script() {
    return [this](const CallContext&, const ChatRequest&, ChunkSink*) {
      return Wait();
    };
  }
  Task<CallResult> Wait() {
    started.Set();
    co_await UntilCancelled();
    cancelled.Set();
    CallResult result;
    result.status = absl::CancelledError("");
    co_return result;
  }
};

TEST_CASE("a caller who leaves has its call cancelled",
          "[server][http][TMO-2]") {
  FakeService service;
  WaitingCall call;
  service.on_chat = call.Script();
  RunningServer server(service, Quick());
  RawClient client(server.port());
  const std::string members = GENERATE("", R"("stream":true)");
  client.Send(ChatPost(members));
  REQUIRE(call.started.Wait());
  SECTION("by closing its side") { client.FinishSending(); }
  SECTION("by a reset") { client.Reset(); }
  SECTION("behind a pipelined request") {
    client.Send(ChatPost());
    client.FinishSending();
  }
  SECTION("behind a pipelined request, by a reset") {
    client.Send(ChatPost());
    client.Reset();
  }
  CHECK(call.cancelled.Wait());
}

TEST_CASE("a caller who stays is not taken for gone", "[server][http][TMO-2]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.stream_grace = absl::Milliseconds(20);
  // Nor for slow: nothing waits for it to read.
  options.limits.write = absl::Milliseconds(10);
  options.limits.write_piece = int64_t{1} << 40;
  WaitingCall call;
  service.on_chat = call.Script();
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost(R"("stream":true)"));
  client.Send(ChatPost());
  // Two comments are many sweeps later.
  client.ReadUntil(": keep-alive\n\n");
  client.ReadUntil(": keep-alive\n\n");
  CHECK_FALSE(client.closed());
  client.Reset();
  CHECK(call.cancelled.Wait());
}

TEST_CASE("a large answer arrives whole", "[server][http][connection]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink*) -> Task<CallResult> {
    co_return WholeAnswer(std::string(5'000'000, 'y') + "END");
  };
  RunningServer server(service);
  RawClient client(server.port());
  client.Send(ChatPost());
  const std::string answer = client.ReadUntil("END");
  CHECK(StatusOf(answer) == 200);
  CHECK(answer.size() > 5'000'000);
}

TEST_CASE("draining lets the answer under way finish and closes the rest",
          "[server][http][drain]") {
  FakeService service;
  Signal started;
  Signal go_on;
  struct Held {
    static Task<CallResult> Run(Signal* begun, Signal* until) {
      begun->Set();
      boost::asio::steady_timer timer(
          co_await boost::asio::this_coro::executor);
      while (!until->IsSet()) {
        timer.expires_after(std::chrono::milliseconds(1));
        boost::system::error_code ignored;
        co_await timer.async_wait(
            boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
      }
      co_return WholeAnswer("finished");
    }
  };
  service.on_chat = [&](const CallContext&, const ChatRequest&, ChunkSink*) {
    return Held::Run(&started, &go_on);
  };
  RunningServer server(service, Quick(), 2);
  RawClient busy(server.port());
  RawClient idle(server.port());
  idle.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadUntil("\"ok\"}");
  busy.Send(ChatPost());
  REQUIRE(started.Wait());
  std::thread stopping([&] { server.server().Shutdown(absl::Seconds(20)); });
  CHECK(idle.ReadAll().empty());
  go_on.Set();
  const std::string answer = busy.ReadAll();
  CHECK(StatusOf(answer) == 200);
  CHECK(HeaderOf(answer, "Connection") == "close");
  CHECK(answer.find("finished") != std::string::npos);
  stopping.join();
  CHECK(server.server().connections() == 0);
}

// A call of which the service, as the router does, says that it was cut.
struct CutCall {
  Signal started;
  static Task<CallResult> Run(const CallContext* context, ChunkSink* sink,
                              Signal* begun) {
    CallResult result;
    if (sink != nullptr) {
      result.status = co_await sink->Write(TextChunk("one"));
    }
    begun->Set();
    co_await UntilCancelled();
    result.status =
        *context->service_stopping
            ? RefuseCall(absl::StatusCode::kUnavailable, "overloaded", "ends")
            : absl::CancelledError("");
    co_return result;
  }
};

TEST_CASE("what outlives the drain is told so and cut",
          "[server][http][drain][OPS-2]") {
  FakeService service;
  CutCall call;
  service.on_chat = [&call](const CallContext& context, const ChatRequest&,
                            ChunkSink* sink) {
    return CutCall::Run(&context, sink, &call.started);
  };
  HttpServerOptions options = Quick();
  // The test ends when the last word is out, not after this.
  options.limits.farewell = absl::Seconds(20);
  RunningServer server(service, options);
  RawClient client(server.port());
  const bool stream = GENERATE(false, true);
  client.Send(ChatPost(stream ? R"("stream":true)" : ""));
  REQUIRE(call.started.Wait());
  server.server().Shutdown(absl::Milliseconds(1));
  const std::string answer = client.ReadAll();
  CAPTURE(answer);
  CHECK(StatusOf(answer) == (stream ? 200 : 503));
  CHECK(HeaderOf(answer, "Retry-After") == (stream ? "" : "1"));
  CHECK(answer.find(R"("code":"overloaded")") != std::string::npos);
  CHECK(answer.find("[DONE]") == std::string::npos);
  if (stream) {
    CHECK(answer.find(R"(data: {"error":)") != std::string::npos);
    CHECK(answer.ends_with("\r\n0\r\n\r\n"));
  }
}

TEST_CASE("a drain that is hurried waits for nobody",
          "[server][http][drain][OPS-2]") {
  FakeService service;
  CutCall call;
  service.on_chat = [&call](const CallContext& context, const ChatRequest&,
                            ChunkSink* sink) {
    return CutCall::Run(&context, sink, &call.started);
  };
  HttpServerOptions options = Quick();
  options.limits.farewell = absl::Seconds(20);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost());
  REQUIRE(call.started.Wait());
  const bool before = GENERATE(true, false);
  if (before) server.server().Hurry();
  bool clean = false;
  std::thread stopping(
      [&] { clean = server.server().Shutdown(absl::Hours(1)); });
  if (!before) server.server().Hurry();
  CHECK(StatusOf(client.ReadUntil("}}}")) == 503);
  client.FinishSending();
  stopping.join();
  CHECK(clean);
}

TEST_CASE("what will not end does not hold up the end of the service",
          "[server][http][drain][OPS-2]") {
  FakeService service;
  Signal started;
  Signal end;
  struct Deaf {
    // Hears nothing at all.
    static Task<CallResult> Run(Signal* begun, Signal* until) {
      begun->Set();
      boost::asio::steady_timer timer(
          co_await boost::asio::this_coro::executor);
      while (!until->IsSet()) {
        timer.expires_after(std::chrono::milliseconds(1));
        boost::system::error_code ignored;
        co_await timer.async_wait(
            boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
      }
      co_return CallResult{};
    }
  };
  service.on_chat = [&](const CallContext&, const ChatRequest&, ChunkSink*) {
    return Deaf::Run(&started, &end);
  };
  HttpServerOptions options = Quick();
  options.limits.farewell = absl::Milliseconds(1);
  options.limits.abandon = absl::Milliseconds(1);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost());
  REQUIRE(started.Wait());
  CHECK_FALSE(server.server().Shutdown(absl::Milliseconds(1)));
  CHECK(server.server().connections() == 1);
  end.Set();
  client.ReadAll();
  while (!server.server().Shutdown(absl::Milliseconds(1))) {
  }
}

TEST_CASE("a request that the end of the drain finds half read is told so",
          "[server][http][drain][OPS-2]") {
  FakeService service;
  HttpServerOptions options = Quick();
  options.limits.farewell = absl::Seconds(20);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(
      "POST /v1/route HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 5\r\n\r\n");
  // The head is in.
  client.ReadUntil("100 Continue\r\n\r\n");
  std::thread stopping(
      [&] { server.server().Shutdown(absl::Milliseconds(1)); });
  CHECK(StatusOf(client.ReadUntil("}}}")) == 503);
  client.FinishSending();
  stopping.join();
}

TEST_CASE("a call that does not end in its farewell is aborted",
          "[server][http][drain]") {
  FakeService service;
  Signal started;
  Signal gone;
  struct Stubborn {
    // Hears nothing but that its caller is gone.
    static Task<CallResult> Run(ChunkSink* sink, Signal* begun, Signal* ended) {
      CallResult result;
      while (result.status.ok()) {
        result.status = co_await sink->Write(TextChunk("more"));
        begun->Set();
        boost::asio::steady_timer timer(
            co_await boost::asio::this_coro::executor,
            std::chrono::milliseconds(1));
        boost::system::error_code ignored;
        co_await timer.async_wait(
            boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
      }
      ended->Set();
      co_return result;
    }
  };
  service.on_chat = [&](const CallContext&, const ChatRequest&,
                        ChunkSink* sink) {
    return Stubborn::Run(sink, &started, &gone);
  };
  HttpServerOptions options = Quick();
  options.limits.farewell = absl::Milliseconds(20);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost(R"("stream":true)"));
  REQUIRE(started.Wait());
  server.server().Shutdown(absl::Milliseconds(1));
  CHECK(gone.Wait());
  CHECK(client.ReadAll().find("[DONE]") == std::string::npos);
}

}  // namespace
}  // namespace llm::server
