// The listener: services, limits, pings, addresses.
#include "server/grpc/grpc_server.h"

#include <string>
#include <utility>

#include "tests/server/grpc/grpc_fixture.h"

namespace llm::server {
namespace {

TEST_CASE("Keys are managed with the admin key on the admin listener",
          "[server][grpc][admin]") {
  GrpcServerOptions options;
  options.admin = true;
  GrpcFixture fixture(options);
  auto context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::CreateKeyRequest create;
  create.set_name("desk");
  v1::CreateKeyResponse created;
  REQUIRE(fixture.admin->CreateKey(context.get(), create, &created).ok());
  CHECK(created.key().name() == "desk");
  CHECK(created.secret() == "sk-new");

  context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::ListKeysRequest list;
  list.set_include_revoked(true);
  v1::ListKeysResponse listed;
  REQUIRE(fixture.admin->ListKeys(context.get(), list, &listed).ok());
  CHECK(listed.keys(0).id() == "all");

  context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::RevokeKeyRequest revoke;
  revoke.set_id("key_x");
  v1::RevokeKeyResponse revoked;
  const grpc::Status missing =
      fixture.admin->RevokeKey(context.get(), revoke, &revoked);
  CHECK(missing.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(missing.error_message() == "no key key_x");
}

TEST_CASE("Providers are listed and tested with the admin key",
          "[server][grpc][admin][OPS-6]") {
  GrpcServerOptions options;
  options.admin = true;
  GrpcFixture fixture(options);
  auto context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::ListProvidersResponse listed;
  REQUIRE(fixture.admin->ListProviders(context.get(), {}, &listed).ok());
  CHECK(listed.providers(0).id() == "one");
  context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::TestProviderRequest test;
  test.set_id("acme");
  test.set_model("m1");
  v1::TestProviderResponse tested;
  REQUIRE(fixture.admin->TestProvider(context.get(), test, &tested).ok());
  CHECK(tested.provider() == "acme");
  CHECK(tested.model() == "m1");
  context = GrpcFixture::Context();
  CHECK(
      fixture.admin->TestProvider(context.get(), test, &tested).error_code() ==
      grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("A caller's key manages no keys", "[server][grpc][admin][SEC-7]") {
  GrpcServerOptions options;
  options.admin = true;
  GrpcFixture fixture(options);
  auto context = GrpcFixture::Context();
  v1::ListKeysResponse listed;
  CHECK(fixture.admin->ListKeys(context.get(), {}, &listed).error_code() ==
        grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("The public listener knows no admin service",
          "[server][grpc][admin]") {
  GrpcFixture fixture;
  auto context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::ListKeysResponse listed;
  CHECK(fixture.admin->ListKeys(context.get(), {}, &listed).error_code() ==
        grpc::StatusCode::UNIMPLEMENTED);
}

TEST_CASE("Models and usage are asked in the caller's name", "[server][grpc]") {
  GrpcFixture fixture;
  fixture.service.label = "m\xff";
  auto context = GrpcFixture::Context();
  v1::ListModelsResponse models;
  REQUIRE(fixture.stub->ListModels(context.get(), {}, &models).ok());
  CHECK(models.data(0).owned_by() == "ann");
  CHECK(models.data(0).id() == "m\uFFFD");
  context = GrpcFixture::Context();
  v1::GetUsageRequest request;
  request.set_from("2026-01-01");
  v1::GetUsageResponse usage;
  REQUIRE(fixture.stub->GetUsage(context.get(), request, &usage).ok());
  CHECK(usage.currency() == "2026-01-01");
  CHECK(usage.models().at("ann").requests() == 3);
}

TEST_CASE("Embeddings are floats, with the facts of a chat",
          "[server][grpc][embeddings]") {
  GrpcFixture fixture;
  auto context = GrpcFixture::Context();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::minutes(5));
  context->AddMetadata("x-llm-strict", "true");
  v1::CreateEmbeddingsRequest request;
  request.set_model("m");
  // Beyond what other questions may hold.
  request.add_input(std::string(size_t{300} << 10, 'x'));
  request.add_input("ab");
  v1::CreateEmbeddingsResponse response;
  REQUIRE(
      fixture.stub->CreateEmbeddings(context.get(), request, &response).ok());
  REQUIRE(response.data_size() == 2);
  CHECK(response.data(0).embedding(0) == 300 << 10);
  CHECK(response.data(1).embedding(0) == 2);
  CHECK(response.llm_service().provider() == "fake");
  CHECK(Value(context->GetServerInitialMetadata(), "x-llm-model") == "m");
  CHECK_FALSE(
      Value(context->GetServerInitialMetadata(), "x-request-id").empty());
  const CallContext call = fixture.service.Last().first;
  CHECK(call.strict);
  CHECK(call.deadline < Instant::Never());
}

TEST_CASE("Embeddings that cannot be are refused with the field",
          "[server][grpc][embeddings][ERR-1]") {
  GrpcFixture fixture;
  v1::CreateEmbeddingsRequest request;
  request.set_model("m");
  v1::CreateEmbeddingsResponse response;
  const auto status = [&] {
    auto context = GrpcFixture::Context();
    return fixture.stub->CreateEmbeddings(context.get(), request, &response);
  };
  CHECK(status().error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  request.add_input("");
  CHECK(status().error_details().find("input") != std::string::npos);
  request.set_input(0, "x");
  request.set_extra_json(R"({"model":"other"})");
  CHECK(status().error_details().find("extra_json") != std::string::npos);
  request.clear_extra_json();
  request.set_model("bad");
  CHECK(status().error_code() == grpc::StatusCode::NOT_FOUND);
}

TEST_CASE("Messages up to the limit pass, both ways",
          "[server][grpc][limits]") {
  GrpcServerOptions options;
  options.max_message_bytes = int64_t{16} << 20;
  GrpcFixture fixture(options);
  fixture.service.chat = [](const CallContext&, const ChatRequest& request,
                            ChunkSink*) -> Task<CallResult> {
    co_return TextAnswer(request.message.messages(0).parts(0).text().text());
  };
  const std::string fits((size_t{16} << 20) - 1024, 'x');
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  REQUIRE(
      fixture.stub->ChatCompletion(context.get(), UserRequest(fits), &response)
          .ok());
  CHECK((response.choices(0).message().content() == fits));
}

// The largest message that is ours to refuse, and one that gRPC refuses.
constexpr int64_t kLimit = int64_t{1} << 20;

GrpcServerOptions WithLimit() {
  GrpcServerOptions options;
  options.max_message_bytes = kLimit;
  options.admin = true;
  return options;
}

void CheckTooLarge(const grpc::Status& status) {
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  const v1::UpstreamError detail = DetailOf(status);
  CHECK(detail.code() == "body_too_large");
  CHECK(detail.source() == "client");
  CHECK(detail.message().find("1048576 bytes (server.max_body)") !=
        std::string::npos);
  CHECK(detail.request_id().starts_with("call-"));
}

TEST_CASE("A message over the limit is refused with the limit's name",
          "[server][grpc][limits][ERR-1]") {
  GrpcFixture fixture(WithLimit());
  const std::string large(kLimit, 'x');
  auto context = GrpcFixture::Context();
  SECTION("a chat") {
    v1::ChatCompletionResponse response;
    CheckTooLarge(fixture.stub->ChatCompletion(context.get(),
                                               UserRequest(large), &response));
    CHECK(Value(context->GetServerTrailingMetadata(),
                "grpc-retry-pushback-ms") == "-1");
  }
  SECTION("a streamed chat") {
    auto reader =
        fixture.stub->StreamChatCompletion(context.get(), UserRequest(large));
    v1::ChatCompletionChunk chunk;
    CHECK_FALSE(reader->Read(&chunk));
    CheckTooLarge(reader->Finish());
  }
  SECTION("embeddings") {
    v1::CreateEmbeddingsRequest request;
    request.set_model(large);
    v1::CreateEmbeddingsResponse response;
    CheckTooLarge(
        fixture.stub->CreateEmbeddings(context.get(), request, &response));
  }
  SECTION("a new key") {
    v1::CreateKeyRequest request;
    request.set_name(large);
    v1::CreateKeyResponse response;
    context = GrpcFixture::Context(FakeChatService::kAdminKey);
    CheckTooLarge(fixture.admin->CreateKey(context.get(), request, &response));
  }
}

TEST_CASE("Who calls is asked before how much is sent",
          "[server][grpc][limits][SEC-7]") {
  GrpcFixture fixture(WithLimit());
  auto context = GrpcFixture::Context("Bearer sk-bad");
  v1::ChatCompletionResponse response;
  CHECK(fixture.stub
            ->ChatCompletion(context.get(),
                             UserRequest(std::string(kLimit, 'x')), &response)
            .error_code() == grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("A message far over the limit is gRPC's to refuse, without a detail",
          "[server][grpc][limits]") {
  GrpcFixture fixture(WithLimit());
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  const grpc::Status status = fixture.stub->ChatCompletion(
      context.get(), UserRequest(std::string(2 * kLimit, 'x')), &response);
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(status.error_details().empty());
}

TEST_CASE("Frequent pings never cost a client its connection",
          "[server][grpc][pings]") {
  grpc::ChannelArguments pings;
  pings.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10);
  pings.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 60'000);
  pings.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  pings.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  GrpcFixture fixture({}, pings);
  // Many ping intervals pass while the answer is being made. With gRPC's
  // defaults the server would close the connection at the third ping.
  fixture.service.chat = [&fixture](const CallContext& call, const ChatRequest&,
                                    ChunkSink*) -> Task<CallResult> {
    CallResult result = TextAnswer("hi");
    result.status = co_await fixture.clock.SleepUntil(call.received +
                                                      absl::Milliseconds(300));
    co_return result;
  };
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  CHECK(fixture.stub->ChatCompletion(context.get(), UserRequest(), &response)
            .ok());
}

TEST_CASE("An address that is taken is a fault, not a share",
          "[server][grpc][start]") {
  GrpcFixture fixture;
  EventLoop loop(0);
  GrpcServerOptions options;
  options.listen = "127.0.0.1:" + std::to_string(fixture.server->port());
  const auto second =
      GrpcServer::Start(options, {{&loop, &fixture.service}}, fixture.clock);
  CHECK(second.status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("A certificate without its key is a fault", "[server][grpc][tls]") {
  GrpcFixture fixture;
  EventLoop loop(0);
  GrpcServerOptions options;
  options.listen = "127.0.0.1:0";
  options.tls.certificate = "-----BEGIN CERTIFICATE-----";
  const auto server =
      GrpcServer::Start(options, {{&loop, &fixture.service}}, fixture.clock);
  CHECK(server.status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace llm::server
