// Embeddings through the router: one model, one deployment's vectors, and the
// rows of a chat.
#include <catch2/catch.hpp>

#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

// "vec": served by a and b under one upstream id, and by b under another.
// "other": another embedding model. "alpha" chats. Tasks: embedding = vec,
// then other.
RouteTable EmbedTable() {
  RouteTable table = TestTable();
  AddModel(&table, "vec",
           {MakeDeployment("a", "vec-1"), MakeDeployment("b", "vec-1"),
            MakeDeployment("b", "vec-2")});
  AddModel(&table, "other", {MakeDeployment("b", "other-1")});
  AddModel(&table, "unsaid", {MakeDeployment("b", "unsaid-1")});
  for (const char* id : {"vec", "other"}) {
    table.models[id].traits.embeddings = true;
  }
  for (const char* id : {"alpha", "beta", "twin"}) {
    table.models[id].traits.embeddings = false;
  }
  TaskRoute task;
  task.id = "embedding";
  task.primary = {ModelId{"alpha"}, ModelId{"vec"}};
  task.fallback = {ModelId{"other"}};
  table.tasks["embedding"] = task;
  return table;
}

v1::CreateEmbeddingsRequest Embed(std::string model,
                                  std::vector<std::string> texts) {
  v1::CreateEmbeddingsRequest request;
  request.set_model(std::move(model));
  for (std::string& text : texts) request.add_input(std::move(text));
  return request;
}

ScriptedAttempt Counted(int64_t tokens) {
  ScriptedAttempt attempt;
  attempt.usage.fresh_input = tokens;
  attempt.usage.output = 0;
  attempt.usage_source = UsageSource::kProvider;
  return attempt;
}

std::vector<float> VectorAt(const EmbedCallResult& result, int at) {
  const auto& floats = result.response->data(at).embedding();
  return {floats.begin(), floats.end()};
}

TEST_CASE("an embedding has its intent, its attempt and its request rows",
          "[router][embeddings][LED-1]") {
  RouterFixture fixture(EmbedTable());
  fixture.a->Play(Counted(7));
  fixture.a->on_call = [&] {
    // The intent stands before anything is sent.
    CHECK(fixture.ledger.Rows<AttemptIntent>().size() == 1);
    CHECK(fixture.ledger.Rows<AttemptRecord>().empty());
  };
  v1::CreateEmbeddingsRequest request = Embed("vec", {"one", "three"});
  request.set_user("end");
  request.set_run_id("run-1");
  (*request.mutable_metadata())["agent"] = "memory";
  const EmbedCallResult result = fixture.Embed(request);
  REQUIRE_THAT(result.status, IsOk());
  REQUIRE(result.response->data_size() == 2);
  CHECK(VectorAt(result, 0) == std::vector<float>{3, 1});
  CHECK(VectorAt(result, 1) == std::vector<float>{5, 1});
  CHECK(result.response->data(1).index() == 1);
  CHECK(result.response->model() == "vec");
  CHECK(result.response->usage().prompt_tokens() == 7);
  CHECK(result.response->usage().total_tokens() == 7);
  CHECK(result.info.provider() == "a");
  CHECK(result.info.attempts() == 1);
  CHECK(result.info.usage_source() == "provider");
  const auto attempts = fixture.ledger.Rows<AttemptRecord>();
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].outcome == "ok");
  CHECK(attempts[0].usage.TotalInput() == 7);
  CHECK(attempts[0].usage.output == 0);
  const auto requests = fixture.ledger.Rows<RequestRecord>();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].outcome == "ok");
  CHECK(requests[0].identity.end_user == "end");
  CHECK(requests[0].identity.run_id == "run-1");
  CHECK(requests[0].identity.agent == "memory");
  CHECK(fixture.admission.admitted == 1);
  CHECK(fixture.admission.settled == 1);
  CHECK(fixture.admission.worst.output_tokens == 0);
}

TEST_CASE("where nobody counts, the tokens are estimated and marked",
          "[router][embeddings][COST-5]") {
  RouterFixture fixture(EmbedTable());
  fixture.a->Play({});
  const EmbedCallResult result = fixture.Embed(Embed("vec", {"0123456789"}));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.usage_source() == "estimated");
  CHECK(result.response->usage().prompt_tokens() == 3);
}

TEST_CASE("a failure goes on to who makes the same vectors, and to nobody else",
          "[router][embeddings][RTY-1]") {
  RouterFixture fixture(EmbedTable());
  fixture.a->PlayForever(Failure(FailureClass::kBadKey, 401));
  SECTION("b has the same upstream model") {
    fixture.b->Play(Counted(1));
    const EmbedCallResult result = fixture.Embed(Embed("vec", {"x"}));
    REQUIRE_THAT(result.status, IsOk());
    CHECK(result.info.provider() == "b");
    REQUIRE(fixture.b->calls().size() == 1);
    CHECK(fixture.b->calls()[0].context.upstream_model.value == "vec-1");
  }
  SECTION("but vec-2 and other models are never asked") {
    fixture.b->PlayForever(Failure(FailureClass::kBadKey, 401));
    const EmbedCallResult result = fixture.Embed(Embed("vec", {"x"}));
    CHECK_THAT(result.status, HasCode(absl::StatusCode::kUnavailable));
    for (const auto& call : fixture.b->calls()) {
      CHECK(call.context.upstream_model.value == "vec-1");
    }
  }
}

TEST_CASE("a task's first embedding model is the only one, sick or not",
          "[router][embeddings]") {
  RouterFixture fixture(EmbedTable());
  fixture.a->PlayForever(Failure(FailureClass::kServerError, 500));
  fixture.b->PlayForever(Failure(FailureClass::kServerError, 500));
  const EmbedCallResult result = fixture.Embed(Embed("auto:embedding", {"x"}));
  CHECK_FALSE(result.status.ok());
  for (const ScriptedProvider* provider : {fixture.a, fixture.b}) {
    for (const auto& call : provider->calls()) {
      CHECK(call.context.upstream_model.value == "vec-1");
    }
  }
  CHECK_FALSE(fixture.a->calls().empty());
}

TEST_CASE("models are asked for what they are", "[router][embeddings]") {
  const auto [model, code, contract_code] =
      GENERATE(table<std::string, absl::StatusCode, std::string>({
          {"alpha", absl::StatusCode::kInvalidArgument, "invalid_request"},
          {"auto", absl::StatusCode::kInvalidArgument, "invalid_request"},
          {"", absl::StatusCode::kInvalidArgument, "invalid_request"},
          {"auto:nonsense", absl::StatusCode::kNotFound, "model_not_found"},
          {"nonsense", absl::StatusCode::kNotFound, "model_not_found"},
      }));
  CAPTURE(model);
  RouterFixture fixture(EmbedTable());
  const EmbedCallResult result = fixture.Embed(Embed(model, {"x"}));
  CHECK_THAT(result.status, HasCode(code));
  const v1::UpstreamError error = CallErrorDetail(result.status);
  CHECK(error.code() == contract_code);
  CHECK((error.param() == "model" || error.param() == "task_type"));
  CHECK(fixture.ledger.Rows<RequestRecord>().size() == 1);
}

TEST_CASE("an embedding model that is asked to chat is a clear 400",
          "[router][embeddings]") {
  RouterFixture fixture(EmbedTable());
  const CallResult result = fixture.Unary(Ask("vec", "hello"));
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(CallErrorDetail(result.status).param() == "model");
  CHECK(fixture.a->calls().empty());
}

TEST_CASE("a model of which nobody said what it is may be asked for either",
          "[router][embeddings]") {
  RouterFixture fixture(EmbedTable());
  fixture.b->Play(Counted(1));
  CHECK_THAT(fixture.Embed(Embed("unsaid", {"x"})).status, IsOk());
  fixture.b->Play(Counted(1));
  CHECK_THAT(fixture.Embed(Embed("b/nomic", {"x"})).status, IsOk());
  fixture.b->Play(Answer("hi", 1, 1));
  CHECK_THAT(fixture.Unary(Ask("unsaid", "hello")).status, IsOk());
}

TEST_CASE("a key that may not use the model is refused, cache or not",
          "[router][embeddings][SEC-2]") {
  RouterFixture fixture(EmbedTable(), 1 << 20);
  fixture.a->Play(Counted(1));
  REQUIRE_THAT(fixture.Embed(Embed("vec", {"x"})).status, IsOk());
  fixture.context.caller.allowed_models = {"other"};
  const EmbedCallResult result = fixture.Embed(Embed("vec", {"x"}));
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kPermissionDenied));
  CHECK(CallErrorDetail(result.status).code() == "model_not_allowed");
}

TEST_CASE("a task gives a key the first embedding model that it may use",
          "[router][embeddings][SEC-2]") {
  RouterFixture fixture(EmbedTable());
  fixture.b->Play(Counted(1));
  fixture.context.caller.allowed_models = {"alpha", "other"};
  EmbedCallResult result = fixture.Embed(Embed("auto:embedding", {"x"}));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.response->model() == "other");
  fixture.context.caller.allowed_models = {"alpha"};
  result = fixture.Embed(Embed("auto:embedding", {"x"}));
  CHECK(CallErrorDetail(result.status).code() == "model_not_allowed");
}

TEST_CASE("nobody is asked for embeddings that are not admitted",
          "[router][embeddings][BUD-4]") {
  RouterFixture fixture(EmbedTable(), 1 << 20);
  fixture.admission.answer =
      RefuseCall(absl::StatusCode::kResourceExhausted, "budget_exceeded",
                 "the budget is used up");
  const EmbedCallResult result = fixture.Embed(Embed("vec", {"x"}));
  CHECK(CallErrorDetail(result.status).code() == "budget_exceeded");
  CHECK(fixture.a->calls().empty());
  CHECK(fixture.ledger.Rows<AttemptIntent>().empty());
  CHECK(fixture.ledger.Rows<RequestRecord>().size() == 1);
}

TEST_CASE("an input beyond the model's window is the caller's, many are not",
          "[router][embeddings]") {
  RouteTable table = EmbedTable();
  table.models["vec"].traits.context_window = 100;
  RouterFixture fixture(table);
  fixture.a->Play(Counted(1));
  // Together far beyond it.
  CHECK_THAT(
      fixture.Embed(Embed("vec", std::vector<std::string>(50, "0123456789")))
          .status,
      IsOk());
  const EmbedCallResult result =
      fixture.Embed(Embed("vec", {std::string(1000, 'x')}));
  const v1::UpstreamError error = CallErrorDetail(result.status);
  CHECK(error.code() == "context_length_exceeded");
  CHECK(error.param() == "input");
}

TEST_CASE("a repeat at the same deployment asks for what is left",
          "[router][embeddings][RTY-1]") {
  RouterFixture fixture(EmbedTable());
  ScriptedAttempt broken = Counted(3);
  broken.usage_source = UsageSource::kPartial;
  broken.failure = FailureClass::kOverloaded;
  broken.http_status = 503;
  broken.vectors = {{3, 1}};
  SECTION("the same") {
    fixture.a->Play(broken).Play(Counted(5));
    const EmbedCallResult result =
        fixture.Embed(Embed("vec", {"one", "three", "seven.."}));
    REQUIRE_THAT(result.status, IsOk());
    REQUIRE(fixture.a->embeds.size() == 2);
    CHECK(fixture.a->embeds[1].input_size() == 2);
    CHECK(fixture.a->embeds[1].input(0) == "three");
    CHECK(VectorAt(result, 0) == std::vector<float>{3, 1});
    CHECK(VectorAt(result, 2) == std::vector<float>{7, 1});
    // Both were paid for.
    CHECK(result.response->usage().prompt_tokens() == 8);
    CHECK(fixture.ledger.Rows<AttemptRecord>().size() == 2);
  }
  SECTION("another starts over") {
    broken.failure = FailureClass::kBadKey;
    broken.http_status = 401;
    broken.vectors = {{99, 99}};
    fixture.a->Play(broken);
    fixture.b->Play(Counted(5));
    const EmbedCallResult result =
        fixture.Embed(Embed("vec", {"one", "three"}));
    REQUIRE_THAT(result.status, IsOk());
    REQUIRE(fixture.b->embeds.size() == 1);
    CHECK(fixture.b->embeds[0].input_size() == 2);
    CHECK(VectorAt(result, 0) == std::vector<float>{3, 1});
    // What the vectors took, as any caller understands it; the rows know all.
    CHECK(result.response->usage().prompt_tokens() == 5);
    const auto requests = fixture.ledger.Rows<RequestRecord>();
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].usage.TotalInput() == 8);
  }
}

TEST_CASE("what is remembered is not asked for again",
          "[router][embeddings][COST-5]") {
  RouterFixture fixture(EmbedTable(), 1 << 20);
  fixture.a->Play(Counted(2));
  REQUIRE_THAT(fixture.Embed(Embed("vec", {"one", "three"})).status, IsOk());
  SECTION("some of it") {
    fixture.a->Play(Counted(4));
    const EmbedCallResult result =
        fixture.Embed(Embed("vec", {"three", "new text", "one"}));
    REQUIRE_THAT(result.status, IsOk());
    CHECK(fixture.a->embeds.back().input_size() == 1);
    CHECK(fixture.a->embeds.back().input(0) == "new text");
    CHECK(VectorAt(result, 0) == std::vector<float>{5, 1});
    CHECK(VectorAt(result, 1) == std::vector<float>{8, 1});
    CHECK(VectorAt(result, 2) == std::vector<float>{3, 1});
    CHECK(result.info.cached_inputs() == 2);
    CHECK(result.response->usage().prompt_tokens() == 4);
  }
  SECTION("all of it, which costs nothing") {
    const EmbedCallResult result = fixture.Embed(Embed("vec", {"three"}));
    REQUIRE_THAT(result.status, IsOk());
    CHECK(fixture.a->embeds.size() == 1);
    CHECK(VectorAt(result, 0) == std::vector<float>{5, 1});
    CHECK(result.info.cached_inputs() == 1);
    CHECK(result.info.attempts() == 0);
    CHECK(result.info.usage_source() == "none");
    CHECK(result.info.cost().amount() == "0.000000");
    CHECK(result.info.model() == "vec");
    const auto rows = fixture.ledger.Rows<RequestRecord>();
    REQUIRE(rows.size() == 2);
    CHECK(rows[1].outcome == "ok");
    CHECK(rows[1].attempts == 0);
    CHECK_FALSE(rows[1].unpriced);
    CHECK(rows[1].public_model.value == "vec");
  }
  SECTION("another tenant's is its own") {
    fixture.context.caller.tenant = "key_2";
    fixture.a->Play(Counted(1));
    const EmbedCallResult result = fixture.Embed(Embed("vec", {"one"}));
    REQUIRE_THAT(result.status, IsOk());
    CHECK(result.info.cached_inputs() == 0);
    CHECK(fixture.a->embeds.size() == 2);
  }
}

TEST_CASE("without a cache the same text is paid for each time",
          "[router][embeddings]") {
  RouterFixture fixture(EmbedTable());
  fixture.a->PlayForever(Counted(1));
  for (int i = 0; i < 2; ++i) {
    CHECK(fixture.Embed(Embed("vec", {"x"})).info.cached_inputs() == 0);
  }
  CHECK(fixture.a->embeds.size() == 2);
}

TEST_CASE("a caller's deadline ends an embedding like a chat",
          "[router][embeddings]") {
  RouterFixture fixture(EmbedTable());
  ScriptedAttempt slow = Counted(1);
  slow.delay = absl::Seconds(60);
  fixture.a->PlayForever(slow);
  v1::CreateEmbeddingsRequest request = Embed("vec", {"x"});
  request.mutable_timeout()->set_seconds(5);
  const EmbedCallResult result = fixture.Embed(request);
  CHECK(CallErrorDetail(result.status).code() == "timeout");
}

TEST_CASE("token lists are embedded like texts", "[router][embeddings]") {
  RouterFixture fixture(EmbedTable());
  fixture.a->Play({});
  v1::CreateEmbeddingsRequest request;
  request.set_model("vec");
  for (const int tokens : {2, 4}) {
    v1::TokenInput& input = *request.add_token_inputs();
    for (int i = 0; i < tokens; ++i) input.add_tokens(i);
  }
  const EmbedCallResult result = fixture.Embed(request);
  REQUIRE_THAT(result.status, IsOk());
  CHECK(VectorAt(result, 1) == std::vector<float>{4, 2});
  CHECK(result.response->usage().prompt_tokens() == 6);
}

}  // namespace
}  // namespace llm
