#include "server/http/http_server.h"

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

FakeService::ChatScript Says(std::string text) {
  return [text](const CallContext&, const ChatRequest&,
                ChunkSink*) -> Task<CallResult> {
    return [](std::string answer) -> Task<CallResult> {
      co_return WholeAnswer(answer);
    }(text);
  };
}

std::string Get(std::string_view path, std::string_view headers = "") {
  return absl::StrCat("GET ", std::string(path), " HTTP/1.1\r\nHost: x\r\n",
                      std::string(headers), "Connection: close\r\n\r\n");
}

TEST_CASE("a chat call is answered with body and headers of the contract",
          "[server][http][routes]") {
  FakeService service;
  service.on_chat = Says("hello");
  RunningServer server(service);
  const std::string path =
      GENERATE(std::string("/v1/chat/completions"),
               std::string("/api/v1/chat/completions"),
               std::string("/v1/v1/chat/completions"),
               std::string("/t/run=r1,task=t1,agent=a1/v1/chat/completions"));
  const std::string answer =
      AskRaw(server.port(),
             ChatPost("", "Connection: close\r\nx-llm-timeout: 5s\r\n", path));
  CHECK(StatusOf(answer) == 200);
  CHECK(HeaderOf(answer, "Content-Type") == "application/json");
  CHECK(HeaderOf(answer, "x-request-id") == "call-1");
  CHECK(HeaderOf(answer, "x-llm-model") == "m");
  CHECK(HeaderOf(answer, "x-llm-provider") == "p");
  CHECK(HeaderOf(answer, "x-llm-attempts") == "1");
  CHECK(answer.find(R"("content":"hello")") != std::string::npos);
  const CallContext context = service.last_context();
  CHECK(context.door == "http");
  CHECK(context.deadline == context.received + absl::Seconds(5));
  if (path.starts_with("/t/")) {
    CHECK(context.path_run == "r1");
    CHECK(context.path_task == "t1");
    CHECK(context.path_agent == "a1");
  }
}

TEST_CASE("strictness, trace and request id of the caller are kept",
          "[server][http][routes]") {
  FakeService service;
  service.on_chat = Says("x");
  RunningServer server(service);
  const std::string answer = AskRaw(
      server.port(),
      ChatPost("",
               "Connection: close\r\nX-Request-Id: mine\r\n"
               "X-LLM-Strict: true\r\ntraceparent: "
               "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"));
  CHECK(HeaderOf(answer, "x-request-id") == "mine");
  CHECK(service.last_context().client_request_id == "mine");
  CHECK(service.last_context().strict);
  CHECK(service.last_context().trace_id == "0af7651916cd43dd8448eb211c80319c");
}

TEST_CASE("a failed call is an envelope with its headers",
          "[server][http][ERR-1][ERR-2]") {
  FakeService service;
  service.on_chat = [](const CallContext&, const ChatRequest&,
                       ChunkSink*) -> Task<CallResult> {
    v1::UpstreamError detail;
    detail.set_code("provider_rate_limited");
    detail.set_message("all busy");
    detail.set_retry_after_s(2.2);
    detail.set_no_retry(true);
    CallResult result;
    result.status = MakeCallError(absl::StatusCode::kResourceExhausted, detail);
    result.info.set_attempts(4);
    co_return result;
  };
  RunningServer server(service);
  const std::string members = GENERATE("", R"("stream":true)");
  const std::string answer =
      AskRaw(server.port(), ChatPost(members, "Connection: close\r\n"));
  CHECK(StatusOf(answer) == 429);
  CHECK(HeaderOf(answer, "Retry-After") == "3");
  CHECK(HeaderOf(answer, "x-should-retry") == "false");
  CHECK(HeaderOf(answer, "x-llm-attempts") == "4");
  CHECK(answer.find(R"("code":"provider_rate_limited")") != std::string::npos);
}

TEST_CASE("every route answers its methods and no other",
          "[server][http][routes]") {
  FakeService service;
  service.on_chat = Says("x");
  RunningServer server(service);
  const auto [request, status, allow] =
      GENERATE(table<std::string, int, const char*>({
          {"GET /healthz", 200, ""},
          {"HEAD /healthz", 200, ""},
          {"POST /healthz", 405, "GET, HEAD"},
          {"GET /readyz", 200, ""},
          {"GET /v1/models", 200, ""},
          {"DELETE /v1/models", 405, "GET, HEAD"},
          {"GET /v1/models/org/model:tag", 200, ""},
          {"GET /v1/models/org%2Fmodel%3Atag", 200, ""},
          {"GET /v1/models/nope", 404, ""},
          {"GET /v1/usage", 200, ""},
          {"GET /v1/usage?by=colour", 400, ""},
          {"GET /v1/chat/completions", 405, "POST"},
          {"GET /v1/route", 405, "POST"},
          {"POST /v1/embeddings", 400, ""},
          {"GET /v1/embeddings", 405, "POST"},
          {"OPTIONS /v1/models", 405, "GET, HEAD"},
          {"GET /metrics", 404, ""},
          {"GET /admin/v1/keys", 404, ""},
          {"GET /admin/v1/providers", 404, ""},
          {"GET /v1/responses", 404, ""},
          {"POST /v1/chat/completions", 400, ""},
      }));
  CAPTURE(request);
  const std::string answer =
      AskRaw(server.port(),
             request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(StatusOf(answer) == status);
  CHECK(HeaderOf(answer, "Allow") == allow);
  if (status >= 400) {
    CHECK(answer.find("{\"error\":{") != std::string::npos);
  }
  if (request.starts_with("HEAD")) {
    CHECK(HeaderOf(answer, "Content-Length") == "15");
    CHECK(answer.ends_with("\r\n\r\n"));
  }
}

TEST_CASE("a wrong key is refused on every route that needs one",
          "[server][http][SEC-7]") {
  FakeService service;
  service.key = "Bearer sk-right";
  service.on_chat = Says("x");
  RunningServer server(service);
  const char* line = GENERATE("POST /v1/chat/completions", "GET /v1/models",
                              "GET /v1/models/m", "GET /v1/usage",
                              "POST /v1/route", "POST /v1/embeddings");
  const std::string tail =
      " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ";
  const std::string refused =
      AskRaw(server.port(), line + tail + "Bearer sk-wrong\r\n\r\n");
  CHECK(StatusOf(refused) == 401);
  CHECK(HeaderOf(refused, "WWW-Authenticate") == "Bearer");
  CHECK(refused.find(R"("code":"invalid_api_key")") != std::string::npos);
  CHECK(refused.find("sk-wrong") == std::string::npos);
  CHECK(StatusOf(AskRaw(server.port(),
                        line + tail + "Bearer sk-right\r\n\r\n")) != 401);
}

TEST_CASE("a wrong key is refused before a large body is read",
          "[server][http][SEC-7]") {
  FakeService service;
  service.key = "Bearer sk-right";
  RunningServer server(service);
  RawClient client(server.port());
  client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
      "Content-Length: 10000000\r\n\r\n{");
  CHECK(StatusOf(client.ReadUntil("}}}")) == 401);
}

TEST_CASE("an error's body has our request id, its header the caller's",
          "[server][http][ERR-2]") {
  FakeService service;
  service.on_chat = Says("x");
  RunningServer server(service);
  const std::string refused = AskRaw(
      server.port(), Get("/v1/usage?by=colour", "X-Request-Id: mine\r\n"));
  CHECK(StatusOf(refused) == 400);
  CHECK(HeaderOf(refused, "x-request-id") == "mine");
  CHECK(refused.find(R"("request_id":"call-1")") != std::string::npos);
}

TEST_CASE("a body where none belongs is refused before it is read",
          "[server][http][PRF-5]") {
  FakeService service;
  HttpServerOptions options;
  const bool metrics = GENERATE(false, true);
  if (metrics) options.kind = HttpListenerKind::kMetrics;
  RunningServer server(service, options);
  const std::string line =
      metrics ? GENERATE(as<std::string>(), "GET /metrics", "HEAD /healthz")
              : GENERATE(as<std::string>(), "GET /healthz", "HEAD /readyz",
                         "GET /v1/models", "GET /v1/usage");
  const auto [framing, status] = GENERATE(table<std::string, int>({
      {"Content-Length: 20000", 413},
      {"Transfer-Encoding: chunked", 400},
  }));
  CAPTURE(line, framing);
  RawClient client(server.port());
  // Not a byte of the body is sent.
  client.Send(line + " HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n\r\n");
  const std::string answer = client.ReadUntil("\r\n\r\n");
  CHECK(StatusOf(answer) == status);
  CHECK(HeaderOf(answer, "Connection") == "close");
}

TEST_CASE("readiness says no with its detail", "[server][http][routes]") {
  FakeService service;
  service.ready = false;
  RunningServer server(service);
  const std::string answer = AskRaw(server.port(), Get("/readyz"));
  CHECK(StatusOf(answer) == 503);
  CHECK(answer.find(R"({"ready":false})") != std::string::npos);
}

TEST_CASE("a route question is answered without a call",
          "[server][http][routes]") {
  FakeService service;
  RunningServer server(service);
  const std::string answer =
      AskRaw(server.port(), ChatPost("", "Connection: close\r\n", "/v1/route"));
  CHECK(StatusOf(answer) == 200);
  CHECK(answer.find(R"("model":"m","provider":"p","deployment":"p/m-up")") !=
        std::string::npos);
  CHECK(answer.find(R"("excluded":["x: no tools"])") != std::string::npos);
}

TEST_CASE("keys are managed on the admin listener with the admin key",
          "[server][http][routes][SEC-4]") {
  FakeService service;
  HttpServerOptions options;
  options.kind = HttpListenerKind::kAdmin;
  RunningServer server(service, options);
  const std::string head =
      " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
      "Authorization: Bearer admin\r\n";
  SECTION("without the key nothing is told") {
    CHECK(StatusOf(AskRaw(server.port(), Get("/admin/v1/keys"))) == 401);
  }
  SECTION("create") {
    const std::string answer =
        AskRaw(server.port(), "POST /admin/v1/keys" + head +
                                  "Content-Length: 12\r\n\r\n{\"name\":\"n\"}");
    CHECK(StatusOf(answer) == 200);
    CHECK(answer.find(R"("secret":"sk-test")") != std::string::npos);
    CHECK(service.last_create().name() == "n");
  }
  SECTION("an unknown setting is refused") {
    const std::string answer = AskRaw(
        server.port(), "POST /admin/v1/keys" + head +
                           "Content-Length: 14\r\n\r\n{\"budget\":\"n\"}");
    CHECK(StatusOf(answer) == 400);
    CHECK(answer.find(R"("param":"budget")") != std::string::npos);
  }
  SECTION("list") {
    const std::string answer =
        AskRaw(server.port(),
               "GET /admin/v1/keys?include_revoked=true" + head + "\r\n");
    CHECK(answer.find(R"("id":"all")") != std::string::npos);
  }
  SECTION("revoke, either way") {
    const std::string line =
        GENERATE(std::string("DELETE /admin/v1/keys/key_9"),
                 std::string("POST /admin/v1/keys/key_9/revoke"));
    CHECK(StatusOf(AskRaw(server.port(), line + head + "\r\n")) == 200);
    CHECK(service.last_revoked() == "key_9");
  }
  SECTION("providers are listed and tested") {
    const std::string list =
        AskRaw(server.port(), "GET /admin/v1/providers" + head + "\r\n");
    CHECK(list.find(R"({"providers":[{"id":"acme","dialect":"openai",)") !=
          std::string::npos);
    const std::string body =
        GENERATE(std::string(), std::string(R"({"model":"m1"})"));
    const std::string answer = AskRaw(
        server.port(), "POST /admin/v1/providers/acme/test" + head +
                           "Content-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n" + body);
    CHECK(StatusOf(answer) == 200);
    CHECK(answer.find(R"("provider":"acme","model":")" +
                      std::string(body.empty() ? "" : "m1") +
                      R"(","ok":false)") != std::string::npos);
    CHECK(answer.find(R"("name":"chat","outcome":"failed","message":"no")") !=
          std::string::npos);
    CHECK(answer.find(R"("cost":null)") != std::string::npos);
  }
  SECTION("a test takes a model and nothing else") {
    const std::string answer =
        AskRaw(server.port(), "POST /admin/v1/providers/acme/test" + head +
                                  "Content-Length: 12\r\n\r\n{\"keys\":\"n\"}");
    CHECK(StatusOf(answer) == 400);
    CHECK(answer.find(R"("param":"keys")") != std::string::npos);
    CHECK(StatusOf(AskRaw(server.port(), "GET /admin/v1/providers/acme/test" +
                                             head + "\r\n")) == 405);
    CHECK(StatusOf(AskRaw(server.port(), Get("/admin/v1/providers"))) == 401);
  }
  SECTION("the API is served here too") {
    CHECK(StatusOf(AskRaw(server.port(), Get("/v1/models"))) == 200);
  }
}

TEST_CASE("the metrics listener serves metrics and nothing else",
          "[server][http][routes]") {
  FakeService service;
  HttpServerOptions options;
  options.kind = HttpListenerKind::kMetrics;
  options.metrics = [] { return std::string("up 1\n"); };
  RunningServer server(service, options);
  const std::string answer = AskRaw(server.port(), Get("/metrics"));
  CHECK(StatusOf(answer) == 200);
  CHECK(answer.ends_with("\r\n\r\nup 1\n"));
  CHECK(StatusOf(AskRaw(server.port(), Get("/v1/models"))) == 404);
}

TEST_CASE("CORS is off by default and answers configured origins",
          "[server][http][cors]") {
  FakeService service;
  HttpServerOptions options;
  const bool on = GENERATE(false, true);
  if (on) options.cors = {"https://ui.example"};
  RunningServer server(service, options);
  const std::string preflight =
      AskRaw(server.port(),
             "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
             "Connection: close\r\nOrigin: https://ui.example\r\n"
             "Access-Control-Request-Method: POST\r\n\r\n");
  CHECK(StatusOf(preflight) == (on ? 204 : 405));
  const std::string plain = AskRaw(
      server.port(), Get("/v1/models", "Origin: https://ui.example\r\n"));
  CHECK(HeaderOf(plain, "Access-Control-Allow-Origin") ==
        (on ? "https://ui.example" : ""));
  const std::string other =
      AskRaw(server.port(), Get("/v1/models", "Origin: https://evil\r\n"));
  CHECK(HeaderOf(other, "Access-Control-Allow-Origin").empty());
}

TEST_CASE("an address that cannot be bound is named", "[server][http]") {
  FakeService service;
  EventLoop loop(0);
  const auto [address, code] = GENERATE(table<const char*, absl::StatusCode>({
      {"nonsense", absl::StatusCode::kInvalidArgument},
      {"127.0.0.1:99999", absl::StatusCode::kInvalidArgument},
      {"192.0.2.1:0", absl::StatusCode::kUnavailable},
  }));
  HttpServerOptions options;
  options.listener.address = address;
  HttpServer server(options, {{&loop.context(), &service}});
  const absl::Status status = server.Start();
  CHECK(status.code() == code);
  CHECK(std::string(status.message()).find(address) != std::string::npos);
}

}  // namespace
}  // namespace llm::server
