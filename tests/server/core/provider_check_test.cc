#include "server/core/provider_check.h"

#include <catch2/catch.hpp>

#include "router/call_error.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

class CheckFixture : public RouterFixture {
 public:
  using RouterFixture::RouterFixture;

  v1::ProviderCheck Run(CheckKind kind, const CheckTarget& target) {
    CallContext fresh = context;
    fresh.caller = ProbeCaller();
    fresh.received = clock.Monotonic();
    return RunTask(io, clock, RunCheck(kind, target, fresh, *router));
  }
  CheckTarget Target(const std::string& provider,
                     const std::string& model = "") {
    v1::TestProviderRequest request;
    request.set_id(provider);
    request.set_model(model);
    auto target = FindCheckTarget(router->table(), request);
    REQUIRE_THAT(target.status(), IsOk());
    return *target;
  }
};

ScriptedAttempt ToolAnswer() {
  ScriptedAttempt attempt = Answer("", 9, 4);
  attempt.chunks = {ToolChunk(0, "call_1", "report_word", R"({"word":"pong"})"),
                    FinishChunk("tool_calls")};
  return attempt;
}

TEST_CASE("A provider that answers passes all three checks",
          "[server][provider_check][OPS-6]") {
  CheckFixture fixture;
  const CheckTarget target = fixture.Target("b");
  CHECK(target.model == "beta");
  ScriptedAttempt chat = Answer("pong", 7, 1);
  chat.served_model = "beta-2026-11-01";
  fixture.b->Play(chat).Play(Answer("pong", 7, 1)).Play(ToolAnswer());
  const v1::ProviderCheck first = fixture.Run(CheckKind::kChat, target);
  CHECK(first.name() == "chat");
  CHECK(first.outcome() == "ok");
  CHECK(first.served_model() == "beta-2026-11-01");
  CHECK(first.input_tokens() == 7);
  CHECK(first.output_tokens() == 1);
  CHECK(first.usage_source() == "provider");
  CHECK(fixture.Run(CheckKind::kStream, target).outcome() == "ok");
  CHECK(fixture.Run(CheckKind::kToolCall, target).outcome() == "ok");
  REQUIRE(fixture.b->calls().size() == 3);
  CHECK_FALSE(fixture.b->calls()[0].context.stream);
  CHECK(fixture.b->calls()[1].context.stream);
  CHECK(fixture.a->calls().empty());
}

TEST_CASE("Each check is one row of role probe under its own key",
          "[server][provider_check][LED-2][HLT-1]") {
  CheckFixture fixture;
  const CheckTarget target = fixture.Target("a");
  fixture.a->Play(Answer("pong", 7, 1));
  fixture.a->PlayForever(Failure(FailureClass::kServerError, 500));
  fixture.Run(CheckKind::kChat, target);
  fixture.Run(CheckKind::kStream, target);
  const auto rows = fixture.ledger.Rows<AttemptRecord>();
  REQUIRE(rows.size() == 2);
  for (const AttemptRecord& row : rows) {
    CHECK(row.intent.role == AttemptRole::kProbe);
    CHECK(row.intent.identity.key_id.value == "probe");
  }
  CHECK(rows[0].outcome == "ok");
  CHECK(rows[1].outcome == "server_error");
  CHECK(rows[1].next == "stop");
}

TEST_CASE("A failure is told in the provider's words and not repeated",
          "[server][provider_check][OPS-6]") {
  CheckFixture fixture;
  const auto [failure, status] = GENERATE(table<FailureClass, int>({
      {FailureClass::kBadKey, 401},
      {FailureClass::kOutOfMoney, 402},
      {FailureClass::kRateLimited, 429},
      {FailureClass::kOverloaded, 503},
      {FailureClass::kConnect, 0},
  }));
  ScriptedAttempt attempt = Failure(failure, status);
  attempt.code = "the_code";
  fixture.a->PlayForever(attempt);
  const v1::ProviderCheck check =
      fixture.Run(CheckKind::kChat, fixture.Target("a"));
  CHECK(check.outcome() == "failed");
  CHECK(check.failure() == FailureClassName(failure));
  CHECK(check.upstream_status() == status);
  CHECK(check.upstream_code() == "the_code");
  CHECK_FALSE(check.message().empty());
  CHECK(fixture.a->calls().size() == 1);
}

TEST_CASE("A model that reasons has room for its reasoning",
          "[server][provider_check][OPS-6]") {
  RouteTable table = TestTable();
  table.models["beta"].traits.reasoning = true;
  CheckFixture fixture(std::move(table));
  // The request lives only as long as its call.
  std::vector<int64_t> caps;
  for (ScriptedProvider* provider : {&*fixture.a, &*fixture.b}) {
    provider->PlayForever(Answer("pong", 7, 1));
    provider->on_call = [&caps, provider] {
      caps.push_back(
          provider->calls().back().request->message.max_completion_tokens());
    };
  }
  fixture.Run(CheckKind::kChat, fixture.Target("b", "beta"));
  fixture.Run(CheckKind::kChat, fixture.Target("a"));
  CHECK(caps == std::vector<int64_t>{8192, 512});
}

TEST_CASE("A model without tools skips the tool call and says so",
          "[server][provider_check][OPS-6]") {
  RouteTable table = TestTable();
  table.models["beta"].traits.tools = false;
  CheckFixture fixture(std::move(table));
  // The one that takes tools is preferred where there is a choice.
  CHECK(fixture.Target("b").model == "twin");
  const v1::ProviderCheck check =
      fixture.Run(CheckKind::kToolCall, fixture.Target("b", "beta"));
  CHECK(check.outcome() == "skipped");
  CHECK(check.message() == "the model takes no tools");
  CHECK(fixture.b->calls().empty());
}

TEST_CASE("An answer without the call fails the tool check",
          "[server][provider_check][OPS-6]") {
  CheckFixture fixture;
  fixture.a->Play(Answer("pong", 7, 1));
  const v1::ProviderCheck check =
      fixture.Run(CheckKind::kToolCall, fixture.Target("a"));
  CHECK(check.outcome() == "failed");
  CHECK(check.failure() == "no_tool_call");
}

TEST_CASE("What cannot be tested is refused with the reason",
          "[server][provider_check]") {
  RouteTable table = TestTable();
  ProviderSettings bare;
  bare.id.value = "bare";
  table.providers["bare"] = bare;
  v1::TestProviderRequest request;
  request.set_id("nobody");
  CHECK_THAT(FindCheckTarget(table, request).status(),
             HasCode(absl::StatusCode::kNotFound));
  request.set_id("bare");
  const absl::Status status = FindCheckTarget(table, request).status();
  CHECK_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(CallErrorDetail(status).param() == "model");
  request.set_model("x/y");
  CHECK(FindCheckTarget(table, request)->model == "x/y");
}

TEST_CASE("Providers are listed with host and health, never with keys",
          "[server][provider_check][SEC-5]") {
  RouteTable table = TestTable();
  table.providers["a"].base_url = "https://a.test:8443/v1/secret-path";
  HealthBoard health;
  const v1::ListProvidersResponse list =
      DescribeProviders(table, health, Instant{});
  REQUIRE(list.providers_size() == 2);
  CHECK(list.providers(0).id() == "a");
  CHECK(list.providers(0).host() == "https://a.test:8443");
  CHECK(list.providers(0).keys() == 1);
  CHECK(list.providers(0).models() == 2);
  CHECK(list.providers(0).health() == "unknown");
  CHECK(list.DebugString().find("a-key-0") == std::string::npos);
}

}  // namespace
}  // namespace llm::server
