#include <catch2/catch.hpp>
#include <string>
#include <tuple>

#include "llm_service/client.h"
#include "llm_service/error.h"
#include "tests/clients/cpp/scripted_service.h"
#include "tests/support/status_matchers.h"

namespace llm::client {
namespace {

TEST_CASE("A call carries its key, its names and its caller's metadata",
          "[clients][metadata]") {
  ClientFixture fixture;
  ClientOptions options = fixture.Options();
  options.key = "sk-secret\n";
  const Client client = fixture.Connect(options);
  CallOptions call;
  call.request_id = "req-7";
  call.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  call.idempotency_key = "once";
  call.metadata = {{"x-llm-priority", "high"}, {"blob-bin", {0x00, 0x01}}};
  REQUIRE_THAT(client.Chat(Hello(), call), IsOk());
  const Metadata seen = fixture.service.metadata();
  CHECK(One(seen, "authorization") == "Bearer sk-secret");
  CHECK(One(seen, "x-request-id") == "req-7");
  CHECK(One(seen, "traceparent") == call.traceparent);
  CHECK(One(seen, "idempotency-key") == "once");
  CHECK(One(seen, "x-llm-priority") == "high");
  CHECK(One(seen, "blob-bin") == std::string({0x00, 0x01}));
}

TEST_CASE("A call without names sends none", "[clients][metadata]") {
  ClientFixture fixture;
  REQUIRE_THAT(fixture.Connect().Chat(Hello()), IsOk());
  const Metadata seen = fixture.service.metadata();
  for (const char* name :
       {"authorization", "x-request-id", "traceparent", "idempotency-key"}) {
    CAPTURE(name);
    CHECK(seen.count(name) == 0);
  }
}

TEST_CASE("What cannot travel as metadata is refused before it is sent",
          "[clients][metadata]") {
  ClientFixture fixture;
  const Client client = fixture.Connect();
  const auto [name, value] =
      GENERATE(table<std::string, std::string>({{"x-note", "two\nlines"},
                                                {"X-Upper", "v"},
                                                {"", "v"},
                                                {"x", "é"},
                                                {"\xff", "v"}}));
  CAPTURE(name, value);
  CallOptions call;
  call.metadata = {{name, value}};
  call.request_id = "req-8";
  const auto answer = client.Chat(Hello(), call);
  REQUIRE_THAT(answer, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(ErrorDetail(answer.status())->code() == "invalid_request");
  CHECK(ErrorDetail(answer.status())->request_id() == "req-8");
  CHECK(fixture.service.calls == 0);
}

TEST_CASE("The request's own tags win over the call's, these over the client's",
          "[clients][tags]") {
  ClientFixture fixture;
  ClientOptions options = fixture.Options();
  options.tags = {"client-run", "client-user", "client-agent", "client-task",
                  "client-symbol"};
  const Client client = fixture.Connect(options);
  CallOptions call;
  call.tags.agent = "call-agent";
  call.tags.run_id = "call-run";
  v1::ChatCompletionRequest request = Hello();
  request.set_run_id("own-run");
  SECTION("chat") { REQUIRE_THAT(client.Chat(request, call), IsOk()); }
  SECTION("stream") {
    REQUIRE_THAT(client.StreamChat(request, call).Finish(), IsOk());
  }
  const auto sent = fixture.service.Last<v1::ChatCompletionRequest>();
  CHECK(sent.run_id() == "own-run");
  CHECK(sent.agent() == "call-agent");
  CHECK(sent.user() == "client-user");
  CHECK(sent.task_type() == "client-task");
  CHECK(sent.metadata().at("symbol") == "client-symbol");
}

TEST_CASE("A task of the tags leaves the task of an alias alone",
          "[clients][tags]") {
  ClientFixture fixture;
  const auto [model, want] =
      GENERATE(table<std::string, std::string>({{"auto-quick", ""},
                                                {"auto-deep", ""},
                                                {"auto:embedding", ""},
                                                {"auto", "client-task"},
                                                {"", "client-task"},
                                                {"m", "client-task"}}));
  CAPTURE(model);
  ClientOptions options = fixture.Options();
  options.tags.task_type = "client-task";
  v1::ChatCompletionRequest request = Hello();
  request.set_model(model);
  REQUIRE_THAT(fixture.Connect(options).Chat(request), IsOk());
  CHECK(fixture.service.Last<v1::ChatCompletionRequest>().task_type() == want);
}

TEST_CASE("Embeddings are tagged like chats, but for the task",
          "[clients][tags]") {
  ClientFixture fixture;
  ClientOptions options = fixture.Options();
  options.tags.task_type = "market_analysis";
  options.tags.run_id = "run";
  const Client client = fixture.Connect(options);
  CallOptions call;
  call.tags.symbol = "NVDA";
  v1::CreateEmbeddingsRequest request;
  request.add_input("text");
  (*request.mutable_metadata())["symbol"] = "AAPL";
  const auto vectors = client.CreateEmbeddings(request, call);
  REQUIRE_THAT(vectors, IsOk());
  CHECK(vectors->data(0).embedding(0) == 0.5F);
  const auto sent = fixture.service.Last<v1::CreateEmbeddingsRequest>();
  CHECK(sent.run_id() == "run");
  CHECK(sent.task_type().empty());
  CHECK(sent.metadata().at("symbol") == "AAPL");
}

TEST_CASE("What the service sends before its answer can be read",
          "[clients][metadata]") {
  ClientFixture fixture;
  fixture.service.chat = [](grpc::ServerContext* context, const auto&, auto*) {
    context->AddInitialMetadata("x-request-id", "service-1");
    context->AddInitialMetadata("x-llm-idempotent-replay", "true");
    return grpc::Status::OK;
  };
  fixture.service.stream = [](grpc::ServerContext* context, const auto&,
                              ChunkWriter* writer) {
    context->AddInitialMetadata("x-request-id", "service-2");
    writer->Write(TextChunk("a"));
    return grpc::Status::OK;
  };
  const Client client = fixture.Connect();
  ReceivedMetadata received = {{"old", "gone"}};
  CallOptions call;
  call.received = &received;
  SECTION("whole") {
    REQUIRE_THAT(client.Chat(Hello(), call), IsOk());
    CHECK(One(received, "x-request-id") == "service-1");
    CHECK(One(received, "x-llm-idempotent-replay") == "true");
    CHECK(received.count("old") == 0);
  }
  SECTION("with a callback") {
    REQUIRE_THAT(client.StreamChat(Hello(), ChunkCallback(), call), IsOk());
    CHECK(One(received, "x-request-id") == "service-2");
  }
  SECTION("pulled") {
    ChatStream stream = client.StreamChat(Hello());
    CHECK(stream.Metadata().empty());
    REQUIRE(stream.Next().has_value());
    CHECK(One(stream.Metadata(), "x-request-id") == "service-2");
  }
}

}  // namespace
}  // namespace llm::client
