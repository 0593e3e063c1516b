// Streams of server-sent events, over loopback sockets.
#include <atomic>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <string>

#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

TEST_CASE("a stream is events, then [DONE]", "[server][http][stream]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    v1::ServiceInfo known;
    known.set_model("m");
    known.set_provider("p");
    known.set_attempts(2);
    known.add_dropped("seed");
    sink->OnCommit(known);
    result.status = co_await sink->Write(TextChunk("one"));
    if (result.status.ok()) {
      result.status = co_await sink->Write(TextChunk("two"));
    }
    if (result.status.ok()) result.status = co_await sink->Write(LastChunk());
    co_return result;
  };
  RunningServer server(service);
  RawClient client(server.port());
  client.Send(ChatPost(R"("stream":true)"));
  const std::string answer = client.ReadUntil("\r\n0\r\n\r\n");
  CHECK(StatusOf(answer) == 200);
  CHECK(HeaderOf(answer, "Content-Type") == "text/event-stream; charset=utf-8");
  CHECK(HeaderOf(answer, "Transfer-Encoding") == "chunked");
  CHECK(HeaderOf(answer, "x-llm-model") == "m");
  CHECK(HeaderOf(answer, "x-llm-provider") == "p");
  CHECK(HeaderOf(answer, "x-llm-attempts") == "2");
  CHECK(HeaderOf(answer, "x-llm-dropped") == "seed");
  CHECK(HeaderOf(answer, "x-llm-cost").empty());
  const size_t one = answer.find("data: {");
  const size_t two = answer.find(R"("content":"two")");
  const size_t info = answer.find(R"("llm_service":{)");
  const size_t done = answer.find("data: [DONE]\n\n");
  CHECK(one < two);
  CHECK(two < info);
  CHECK(info < done);
  CHECK(done != std::string::npos);
  // The connection goes on.
  client.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(StatusOf(client.ReadUntil("\"ok\"}")) == 200);
}

TEST_CASE("an HTTP/1.0 caller gets a stream without chunks",
          "[server][http][stream]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    result.status = co_await sink->Write(TextChunk("one"));
    co_return result;
  };
  RunningServer server(service);
  RawClient client(server.port());
  std::string request = ChatPost(R"("stream":true)");
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  client.Send(request);
  const std::string answer = client.ReadAll();
  CHECK(HeaderOf(answer, "Transfer-Encoding").empty());
  CHECK(answer.ends_with("}\n\ndata: [DONE]\n\n"));
}

TEST_CASE("a failure after the status line arrives in band",
          "[server][http][stream][STR-6]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    result.status = co_await sink->Write(TextChunk("one"));
    result.status = RefuseCall(absl::StatusCode::kUnavailable,
                               "provider_unavailable", "broke off");
    co_return result;
  };
  RunningServer server(service);
  RawClient client(server.port());
  client.Send(ChatPost(R"("stream":true)"));
  const std::string answer = client.ReadUntil("\r\n0\r\n\r\n");
  CHECK(StatusOf(answer) == 200);
  CHECK(answer.find(R"(data: {"error":{"message":"broke off")") !=
        std::string::npos);
  CHECK(answer.find("[DONE]") == std::string::npos);
}

TEST_CASE("silence is bridged by comments, and a failure is then in band",
          "[server][http][stream][TMO-4][STR-6]") {
  FakeService service;
  Signal go_on;
  service.on_chat = [&go_on](const CallContext&, const ChatRequest&,
                             ChunkSink*) -> Task<CallResult> {
    return [](Signal* until) -> Task<CallResult> {
      boost::asio::steady_timer timer(
          co_await boost::asio::this_coro::executor);
      while (!until->IsSet()) {
        timer.expires_after(std::chrono::milliseconds(1));
        boost::system::error_code ignored;
        co_await timer.async_wait(
            boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
      }
      CallResult result;
      result.status = RefuseCall(absl::StatusCode::kUnavailable,
                                 "provider_unavailable", "never came");
      co_return result;
    }(&go_on);
  };
  HttpServerOptions options = Quick();
  options.stream_grace = absl::Milliseconds(10);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost(R"("stream":true)"));
  const std::string head = client.ReadUntil(": keep-alive\n\n");
  CHECK(StatusOf(head) == 200);
  CHECK(HeaderOf(head, "x-request-id") == "call-1");
  client.ReadUntil(": keep-alive\n\n");
  go_on.Set();
  CHECK(client.ReadUntil("0\r\n\r\n").find("never came") != std::string::npos);
}

TEST_CASE("a reader who stops reading stops the writer",
          "[server][http][stream]") {
  FakeService service;
  Signal cancelled;
  std::atomic<int> written{0};
  struct Flood {
    static Task<CallResult> Run(ChunkSink* sink, std::atomic<int>* count,
                                Signal* done) {
      CallResult result;
      const std::string text(100'000, 'x');
      while (result.status.ok() && *count < 100'000) {
        result.status = co_await sink->Write(TextChunk(text));
        ++*count;
      }
      done->Set();
      co_return result;
    }
  };
  service.on_chat = [&](const CallContext&, const ChatRequest&,
                        ChunkSink* sink) {
    return Flood::Run(sink, &written, &cancelled);
  };
  HttpServerOptions options = Quick();
  options.limits.write = absl::Milliseconds(100);
  RunningServer server(service, options);
  RawClient client(server.port());
  client.Send(ChatPost(R"("stream":true)"));
  // It reads nothing: the writer is stopped, and then the connection is cut.
  CHECK(cancelled.Wait());
  // 10 GB would have been written, had nothing stopped it.
  CHECK(written < 1000);
}

}  // namespace
}  // namespace llm::server
