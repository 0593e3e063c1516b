#include "server/core/gateway.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "router/call_error.h"
#include "tests/router/router_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

// Answers every question with one failure.
class BrokenStore final : public KeyStore, public UsageStore {
 public:
  absl::StatusOr<Caller> Check(std::string_view, absl::Time) const override {
    return failure;
  }
  Task<absl::StatusOr<v1::CreateKeyResponse>> Create(
      v1::CreateKeyRequest) override {
    co_return failure;
  }
  Task<absl::StatusOr<v1::ListKeysResponse>> List(bool) override {
    co_return failure;
  }
  Task<absl::StatusOr<v1::RevokeKeyResponse>> Revoke(std::string) override {
    co_return failure;
  }
  Task<absl::StatusOr<v1::GetUsageResponse>> Query(v1::GetUsageRequest,
                                                   UsageScope) override {
    co_return failure;
  }
  absl::Status Health() const override { return health; }

  absl::Status failure = absl::UnavailableError("away");
  absl::Status health;
};

class RefusalRecorder final : public CallObserver {
 public:
  void OnCallStarted(const CallIdentity&) override {}
  void OnAttemptStarted(const AttemptIntent&) override {}
  void OnFirstContent(const AttemptIntent&, absl::Duration) override {}
  void OnAttemptFinished(const AttemptRecord&) override {}
  void OnFallback(const AttemptRecord&, const AttemptIntent&) override {}
  void OnCallFinished(const RequestRecord&, absl::Duration) override {}
  void OnRefused(const RefusedCall& refused) override {
    refusals.push_back(refused);
  }
  std::vector<RefusedCall> refusals;
};

std::shared_ptr<const RouteTable> TwoModels() {
  auto table = std::make_shared<RouteTable>();
  for (const char* id : {"deepseek-chat", "gpt-4o"}) {
    table->models[id].id.value = id;
    table->model_order.emplace_back(id);
  }
  table->models["deepseek-chat"].aliases = {"chat"};
  table->model_aliases["chat"] = "deepseek-chat";
  return table;
}

class GatewayFixture {
 public:
  GatewaySnapshot Snapshot(const std::string& admin_key) {
    RouterParts router;
    router.table = TwoModels();
    router.clock = &clock;
    router.random = &random;
    GatewaySnapshot snapshot;
    snapshot.router = std::make_shared<Router>(std::move(router));
    snapshot.admin_key = ApiKey(admin_key);
    return snapshot;
  }
  Gateway Make() {
    GatewayParts parts;
    parts.snapshot = Snapshot("first");
    parts.keys = &store;
    parts.usage = &store;
    parts.clock = &clock;
    parts.random = &random;
    parts.state = &state;
    parts.health = &board;
    parts.bodies = &bodies;
    parts.observer = &observer;
    return Gateway(std::move(parts));
  }
  template <typename T>
  absl::Status Failure(Task<absl::StatusOr<T>> task) {
    boost::asio::io_context io;
    return RunTask(io, StatusOf(std::move(task)));
  }

  FakeClock clock;
  SystemRandom random;
  BrokenStore store;
  ServiceState state;
  HealthBoard board;
  BodyBudget bodies{1000, 0};
  RefusalRecorder observer;

 private:
  template <typename T>
  static Task<absl::Status> StatusOf(Task<absl::StatusOr<T>> task) {
    const absl::StatusOr<T> result = co_await std::move(task);
    co_return result.status();
  }
};

TEST_CASE("A key made for an alias sees the model behind it, and no other",
          "[server][gateway][SEC-2]") {
  GatewayFixture fixture;
  const Gateway gateway = fixture.Make();
  Caller caller;
  caller.allowed_models = {"chat"};
  const v1::ListModelsResponse seen = gateway.ListModels(caller);
  REQUIRE(seen.data_size() == 1);
  CHECK(seen.data(0).id() == "deepseek-chat");
  CHECK(gateway.GetModel(caller, "deepseek-chat").ok());
  CHECK(gateway.GetModel(caller, "chat").ok());
  const absl::Status hidden = gateway.GetModel(caller, "gpt-4o").status();
  CHECK(CallErrorDetail(hidden).code() == "model_not_found");
  CHECK(CallErrorDetail(hidden).message().find("gpt-4o") == std::string::npos);
}

TEST_CASE("A mistyped model is answered with the closest names",
          "[server][gateway]") {
  GatewayFixture fixture;
  const Gateway gateway = fixture.Make();
  const absl::Status status = gateway.GetModel({}, "deepsek-chat").status();
  CHECK(CallErrorHttpStatus(status) == 404);
  CHECK(CallErrorDetail(status).message().find("did you mean deepseek-chat?") !=
        std::string::npos);
}

TEST_CASE("A reload puts the new admin key in force and the old one out",
          "[server][gateway][OPS-3]") {
  GatewayFixture fixture;
  Gateway gateway = fixture.Make();
  CHECK_THAT(gateway.AuthoriseAdmin("Bearer first"), IsOk());
  gateway.SetSnapshot(fixture.Snapshot("second"));
  CHECK_THAT(gateway.AuthoriseAdmin("Bearer second"), IsOk());
  CHECK_THAT(gateway.AuthoriseAdmin("Bearer first"),
             HasCode(absl::StatusCode::kUnauthenticated));
}

TEST_CASE("What a store refuses has the contract's code and parameter",
          "[server][gateway][ERR-1]") {
  GatewayFixture fixture;
  Gateway gateway = fixture.Make();
  fixture.store.failure = absl::NotFoundError("no key with this id");
  v1::UpstreamError detail =
      CallErrorDetail(fixture.Failure(gateway.RevokeKey({})));
  CHECK(detail.code() == "not_found");
  CHECK(CallErrorHttpStatus(fixture.Failure(gateway.RevokeKey({}))) == 404);
  fixture.store.failure = absl::InvalidArgumentError("from: not a time");
  detail = CallErrorDetail(fixture.Failure(gateway.GetUsage({}, {})));
  CHECK(detail.code() == "invalid_request");
  CHECK(detail.param() == "from");
  fixture.store.failure = absl::UnavailableError("away");
  CHECK(CallErrorHttpStatus(fixture.Failure(gateway.GetUsage({}, {}))) == 503);
}

TEST_CASE("A service that cannot verify keys is not ready",
          "[server][gateway][OPS-2]") {
  GatewayFixture fixture;
  const Gateway gateway = fixture.Make();
  fixture.state.ready = true;
  CHECK(gateway.Ready());
  fixture.store.health = absl::UnavailableError("keys cannot be verified");
  CHECK_FALSE(gateway.Ready());
  CHECK(gateway.ReadinessJson().find("keys cannot be verified") !=
        std::string::npos);
}

TEST_CASE("A call refused while draining is told to the observer",
          "[server][gateway][MET-1]") {
  GatewayFixture fixture;
  Gateway gateway = fixture.Make();
  fixture.state.refusing = true;
  Caller caller;
  caller.key_id.value = "key_1";
  CallContext context = gateway.NewCall(caller, "http");
  context.client_request_id = "theirs";
  context.trace_id = "trace";
  const ChatRequest request;
  boost::asio::io_context io;
  const CallResult result =
      RunTask(io, gateway.Chat(context, request, nullptr));
  CHECK(CallErrorHttpStatus(result.status) == 503);
  CHECK(CallErrorDetail(result.status).retry_after_s() > 0);
  REQUIRE(fixture.observer.refusals.size() == 1);
  const RefusedCall& refused = fixture.observer.refusals[0];
  CHECK(refused.door == "http");
  CHECK(refused.key_id == "key_1");
  CHECK(refused.request_id == context.call_id.value);
  CHECK(refused.code == "stopping");
  CHECK(refused.http_status == 503);
  CHECK(refused.client_request_id == "theirs");
  CHECK(refused.trace_id == "trace");
}

TEST_CASE("Embeddings pass the same gate as chats",
          "[server][gateway][embeddings][BUD-4]") {
  GatewayFixture fixture;
  Gateway gateway = fixture.Make();
  const CallContext context = gateway.NewCall({}, "grpc");
  v1::CreateEmbeddingsRequest request;
  request.add_input("x");
  std::string words;
  SECTION("at the end of a drain") {
    fixture.state.refusing = true;
    words = "shutting down";
  }
  SECTION("of calls") {
    fixture.state.max_in_flight = 0;
    words = "server.max_in_flight";
  }
  SECTION("of memory, where the vectors count too") {
    words = "server.max_body_memory";
  }
  boost::asio::io_context io;
  const EmbedCallResult result = RunTask(io, gateway.Embed(context, request));
  CHECK(CallErrorHttpStatus(result.status) == 503);
  CHECK(CallErrorDetail(result.status).message().find(words) !=
        std::string::npos);
  CHECK(fixture.observer.refusals.size() == 1);
  CHECK(fixture.state.inflight == 0);
}

TEST_CASE("At its own limits the service refuses, naming the setting",
          "[server][gateway][ERR-2]") {
  GatewayFixture fixture;
  Gateway gateway = fixture.Make();
  const CallContext context = gateway.NewCall({}, "grpc");
  ChatRequest request;
  request.message.set_user(std::string(200, 'u'));
  std::string setting;
  SECTION("of calls") {
    fixture.state.max_in_flight = 0;
    setting = "server.max_in_flight";
  }
  SECTION("of the bytes of requests") {
    setting = "server.max_body_memory";
    request.message.set_user(std::string(2000, 'u'));
  }
  boost::asio::io_context io;
  const CallResult result =
      RunTask(io, gateway.Chat(context, request, nullptr));
  CHECK(CallErrorHttpStatus(result.status) == 503);
  const v1::UpstreamError detail = CallErrorDetail(result.status);
  CHECK(detail.code() == "overloaded");
  CHECK(detail.retry_after_s() == 1);
  CHECK(detail.message().find(setting) != std::string::npos);
  REQUIRE(fixture.observer.refusals.size() == 1);
  CHECK(fixture.observer.refusals[0].code == "overloaded");
  CHECK(fixture.state.inflight == 0);
  CHECK(fixture.bodies.held() == 0);
}

TEST_CASE("A body that has its place is not turned away for being many parts",
          "[server][gateway][PRF-5]") {
  RouterFixture under;
  under.a->PlayForever(Answer("hi", 1, 1));
  GatewayFixture fixture;
  Gateway gateway = fixture.Make();
  GatewaySnapshot snapshot;
  snapshot.router = std::move(under.router);
  gateway.SetSnapshot(std::move(snapshot));
  CallContext context = under.context;
  context.caller.key_id.value = "key_1";
  ChatRequest request;
  request.message = Ask("alpha", "hi");
  request.source.text = std::make_shared<const std::string>("{}");
  // The door's own count: more than a key's half, which a single body may be.
  BodyBudget::Hold door(&fixture.bodies, "key_1");
  REQUIRE(door.Grow(900));
  const auto ask = [&] {
    return RunTask(under.io, under.clock,
                   gateway.Chat(context, request, nullptr));
  };
  // Thousands are memory, whatever their bytes.
  const int parts = GENERATE(100, 2000);
  for (int i = 0; i < parts; ++i) {
    request.message.mutable_messages(0)->add_parts()->mutable_text();
  }
  const CallResult result = ask();
  CAPTURE(result.status.ToString());
  CHECK(result.status.ok() == (parts == 100));
  if (!result.status.ok()) {
    CHECK(CallErrorDetail(result.status).code() == "overloaded");
  }
}

}  // namespace
}  // namespace llm::server
