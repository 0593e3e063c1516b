// The tables: failures, errors, health, names, backoff, hashing.
#include <catch2/catch.hpp>
#include <set>

#include "router/backoff.h"
#include "router/call_error.h"
#include "router/classify_failure.h"
#include "router/closest_names.h"
#include "router/conversation.h"
#include "router/conversation_state.h"
#include "router/digest.h"
#include "router/rendezvous.h"
#include "router/route_plan.h"
#include "router/token_estimate.h"
#include "router/wire_usage.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

TEST_CASE("Each failure has its one next move", "[router][classify][RTY-2]") {
  const auto [failure, want] = GENERATE(table<FailureClass, NextMove>({
      {FailureClass::kInvalidRequest, NextMove::kStop},
      {FailureClass::kContentFilter, NextMove::kStop},
      {FailureClass::kCancelled, NextMove::kStop},
      {FailureClass::kSinkFailed, NextMove::kStop},
      {FailureClass::kOverloaded, NextMove::kRetrySame},
      {FailureClass::kServerError, NextMove::kRetrySame},
      {FailureClass::kConnect, NextMove::kRetrySame},
      {FailureClass::kTransport, NextMove::kRetrySame},
      {FailureClass::kRateLimited, NextMove::kNextKey},
      {FailureClass::kBadKey, NextMove::kNextKey},
      {FailureClass::kPermission, NextMove::kNextKey},
      {FailureClass::kOutOfMoney, NextMove::kNextKey},
      {FailureClass::kUnsupported, NextMove::kNextDeployment},
      {FailureClass::kContextLength, NextMove::kNextDeployment},
      {FailureClass::kModelNotFound, NextMove::kNextDeployment},
      {FailureClass::kTimeout, NextMove::kNextDeployment},
      {FailureClass::kBadAnswer, NextMove::kNextDeployment},
      {FailureClass::kIncomplete, NextMove::kNextDeployment},
      {FailureClass::kEmptyAnswer, NextMove::kNextDeployment},
  }));
  CAPTURE(FailureClassName(failure));
  CHECK(ClassifyFailure({.failure = failure}) == want);
  // Nothing is replayed once the caller has seen content.
  CHECK(ClassifyFailure({.failure = failure, .content_committed = true}) ==
        NextMove::kStop);
}

UpstreamFailure Upstream(FailureClass failure, int status = 0) {
  UpstreamFailure upstream;
  upstream.failure = failure;
  upstream.http_status = status;
  return upstream;
}

TEST_CASE("A provider's failure becomes the contract's error",
          "[router][errors]") {
  struct Row {
    FailureClass failure;
    int upstream;
    std::string code;
    int http;
    absl::StatusCode grpc;
  };
  const auto row = GENERATE(values<Row>({
      {FailureClass::kInvalidRequest, 400, "provider_rejected", 400,
       absl::StatusCode::kInvalidArgument},
      {FailureClass::kInvalidRequest, 409, "provider_rejected", 409,
       absl::StatusCode::kAborted},
      {FailureClass::kInvalidRequest, 413, "provider_rejected", 413,
       absl::StatusCode::kInvalidArgument},
      {FailureClass::kInvalidRequest, 422, "provider_rejected", 422,
       absl::StatusCode::kInvalidArgument},
      {FailureClass::kModelNotFound, 404, "provider_rejected", 404,
       absl::StatusCode::kNotFound},
      {FailureClass::kContextLength, 400, "context_length_exceeded", 400,
       absl::StatusCode::kInvalidArgument},
      {FailureClass::kContentFilter, 400, "content_filter", 400,
       absl::StatusCode::kInvalidArgument},
      {FailureClass::kBadKey, 401, "provider_unavailable", 502,
       absl::StatusCode::kUnavailable},
      {FailureClass::kOutOfMoney, 402, "provider_unavailable", 502,
       absl::StatusCode::kUnavailable},
      {FailureClass::kPermission, 403, "provider_unavailable", 502,
       absl::StatusCode::kUnavailable},
      {FailureClass::kRateLimited, 429, "provider_rate_limited", 429,
       absl::StatusCode::kResourceExhausted},
      {FailureClass::kServerError, 500, "provider_unavailable", 502,
       absl::StatusCode::kUnavailable},
      {FailureClass::kEmptyAnswer, 200, "provider_unavailable", 502,
       absl::StatusCode::kUnavailable},
      // An attempt's own deadline, with the call's still to come.
      {FailureClass::kTimeout, 0, "provider_unavailable", 502,
       absl::StatusCode::kUnavailable},
  }));
  const absl::Status status = ErrorAfterAttempts(
      {{Upstream(row.failure, row.upstream), {"a"}}}, false, "id");
  const v1::UpstreamError detail = CallErrorDetail(status);
  CAPTURE(row.code, row.upstream);
  CHECK(detail.code() == row.code);
  CHECK(CallErrorHttpStatus(status) == row.http);
  CHECK(status.code() == row.grpc);
  CHECK(detail.upstream_status() == row.upstream);
  CHECK(detail.provider() == "a");
  CHECK(detail.request_id() == "id");
  CHECK(detail.attempts() == 1);
  CHECK(detail.no_retry());
}

TEST_CASE("Mixed failures are a 502, a passed deadline is a 504",
          "[router][errors]") {
  const FailedAttempt limited{Upstream(FailureClass::kRateLimited, 429), {"a"}};
  const FailedAttempt broken{Upstream(FailureClass::kServerError, 500), {"b"}};
  CHECK(CallErrorHttpStatus(ErrorAfterAttempts({limited, broken}, false, "")) ==
        502);
  CHECK(CallErrorHttpStatus(ErrorAfterAttempts({limited, broken}, true, "")) ==
        504);
  CHECK(CallErrorHttpStatus(ErrorAfterAttempts({}, true, "")) == 504);
}

TEST_CASE("All rate limited names the earliest return",
          "[router][errors][RTY-4]") {
  FailedAttempt first{Upstream(FailureClass::kRateLimited, 429), {"a"}};
  FailedAttempt second = first;
  first.failure.retry_after = absl::Seconds(30);
  second.failure.retry_after = absl::Seconds(12);
  const auto detail =
      CallErrorDetail(ErrorAfterAttempts({first, second}, false, ""));
  CHECK(detail.retry_after_s() == 12);
}

TEST_CASE("Every refusal of the service has its HTTP status",
          "[router][errors]") {
  struct Row {
    std::string code;
    absl::StatusCode grpc;
    int http;
    bool retry_after;
  };
  const auto row = GENERATE(values<Row>({
      {"invalid_request", absl::StatusCode::kInvalidArgument, 400, false},
      {"invalid_api_key", absl::StatusCode::kUnauthenticated, 401, false},
      {"model_not_allowed", absl::StatusCode::kPermissionDenied, 403, false},
      {"model_not_found", absl::StatusCode::kNotFound, 404, false},
      {"body_too_large", absl::StatusCode::kResourceExhausted, 413, false},
      {"rate_limited", absl::StatusCode::kResourceExhausted, 429, true},
      {"budget_exceeded", absl::StatusCode::kResourceExhausted, 429, true},
      {"timeout", absl::StatusCode::kDeadlineExceeded, 504, false},
      {"overloaded", absl::StatusCode::kUnavailable, 503, true},
  }));
  const absl::Status status = RefuseCall(row.grpc, row.code, "why", "field");
  CAPTURE(row.code);
  CHECK(CallErrorHttpStatus(status) == row.http);
  const v1::UpstreamError detail = CallErrorDetail(status);
  CHECK(detail.code() == row.code);
  CHECK(detail.param() == "field");
  CHECK(detail.has_retry_after_s() == row.retry_after);
  CHECK(detail.no_retry() == (row.code == "budget_exceeded"));
  // The same status without a payload reads as the same case, or a sibling.
  CHECK(CallErrorHttpStatus(absl::Status(row.grpc, "bare")) >= 400);
}

TEST_CASE("Backoff doubles with jitter and honours Retry-After",
          "[router][backoff]") {
  RoutingPolicy policy;
  FixedRandom random;  // 3/4 of the full wait
  CHECK(BackoffDelay(policy, 1, {}, random) == absl::Milliseconds(187.5));
  CHECK(BackoffDelay(policy, 2, {}, random) == absl::Milliseconds(375));
  CHECK(BackoffDelay(policy, 30, {}, random) == absl::Seconds(6));
  // Half of the spread of a quarter.
  CHECK(BackoffDelay(policy, 1, absl::Seconds(3), random) ==
        absl::Seconds(3.375));
  CHECK(BackoffDelay(policy, 1, policy.max_wait, random) == policy.max_wait);
  CHECK_FALSE(BackoffDelay(policy, 1, absl::Seconds(21), random));
}

TEST_CASE("Rendezvous hashing is stable and follows the weights",
          "[router][sticky][LIM-5]") {
  // Replicas of any version must agree: the value is part of the contract.
  CHECK(StableHash("") == 0xf52a15e9a9b5e89b);
  CHECK(StableHash("run-7\na/twin-a") == 0x03639cae6fce0e67);
  int heavy = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string key = "run-" + std::to_string(i);
    if (RendezvousScore(key, "x", 3) > RendezvousScore(key, "y", 1)) ++heavy;
  }
  CHECK(heavy > 2850);
  CHECK(heavy < 3150);
}

TEST_CASE("A tool loop keeps its place however long it grows",
          "[router][sticky][LIM-5]") {
  v1::ChatCompletionRequest request = Ask("twin", "hi");
  std::set<std::string> keys;
  for (int i = 0; i < 20; ++i) {
    v1::Message* tool = request.add_messages();
    tool->set_role("tool");
    tool->set_tool_call_id("call_" + std::to_string(i));
    keys.insert(StickyKey(ConversationOf("t", {}, "", request), {"id"}));
  }
  CHECK(keys.size() == 1);
}

TEST_CASE("A digest is told apart by words, not by their sum",
          "[router][sticky]") {
  CHECK(DigestOf({"ab", "c"}) == DigestOf({"ab", "c"}));
  CHECK_FALSE(DigestOf({"ab", "c"}) == DigestOf({"a", "bc"}));
  CHECK_FALSE(DigestOf({"a"}) == DigestOf({"a", ""}));
}

TEST_CASE("Near names are offered, far ones are not", "[router][plan]") {
  const std::vector<std::string> names = {"deepseek-chat", "gpt-4o",
                                          "qwen-plus"};
  CHECK(ClosestNames("deepseek-chta", names) ==
        std::vector<std::string>{"deepseek-chat"});
  CHECK(ClosestNames("GPT-4o", names) == std::vector<std::string>{"gpt-4o"});
  CHECK(ClosestNames("something-else", names).empty());
}

TEST_CASE("Pictures of a prompt are counted wherever they were read from",
          "[router][usage]") {
  TokenUsage usage;
  usage.fresh_input = 100;
  usage.cache_read = 1000;
  usage.image_input = 60;
  usage.video_input = 30;
  usage.image_cache_read = 900;
  CHECK(ToWireUsage(usage)->prompt_tokens_details().image_tokens() == 990);
  TokenUsage twice = usage;
  AddUsage(usage, &twice);
  CHECK(twice.image_cache_read == 1800);
  CHECK(ToWireUsage(twice)->prompt_tokens_details().image_tokens() == 1980);
}

TEST_CASE("Tokens are estimated by script", "[router][estimate]") {
  CHECK(EstimateTokens("") == 0);
  CHECK(EstimateTokens("abcdefghij") == 3);
  CHECK(EstimateTokens("你好世界") == 3);  // 2.4, rounded up
}

TEST_CASE("The estimate of a text does not depend on where it is cut",
          "[router][tables][PRF-3]") {
  // 60 characters: one of four bytes, one of three, and so on; 2 of 4 are CJK.
  std::string text;
  for (int i = 0; i < 15; ++i) text += "\U0002000B世éa";
  TokenEstimate whole;
  whole.Add(text);
  CHECK(whole.Tokens() == (6 * 30 + 3 * 30 + 9) / 10);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    TokenEstimate pieces;
    pieces.Add(std::string_view(text).substr(0, cut));
    pieces.Add(std::string_view(text).substr(cut));
    CHECK(pieces.Tokens() == whole.Tokens());
  }
}

TEST_CASE("Conversation state is bounded in age, entries and tenants",
          "[router][sticky]") {
  FakeClock clock;
  const auto state = MakeMemoryConversationState(clock, 2, absl::Minutes(10));
  state->Remember("t1", "a", "d1");
  state->Remember("t1", "b", "d2");
  CHECK(state->Deployment("t1", "a") == "d1");
  CHECK_FALSE(state->Deployment("t2", "a"));
  state->Remember("t1", "c", "d3");  // "b" was used least recently
  CHECK_FALSE(state->Deployment("t1", "b"));
  CHECK(state->Deployment("t1", "a") == "d1");
  clock.Advance(absl::Minutes(11));
  CHECK_FALSE(state->Deployment("t1", "a"));
  // Tenant and thread cannot be spelt into each other.
  state->Remember("x", "yz", "d4");
  CHECK_FALSE(state->Deployment("xy", "z"));
}

TEST_CASE("The built-in tasks have every name of the users' graphs once",
          "[router][tasks]") {
  std::set<std::string> names;
  for (const BuiltInTask& task : BuiltInTasks()) {
    CHECK(names.insert(std::string(task.id)).second);
    for (const auto alias : task.aliases) {
      CHECK(names.insert(std::string(alias)).second);
    }
  }
  for (const char* name : {"market_analysis",
                           "technical_analysis",
                           "sentiment_analysis",
                           "news_analysis",
                           "fundamentals_analysis",
                           "bull_research",
                           "bull_analysis",
                           "bear_research",
                           "bear_analysis",
                           "research_management",
                           "trading_decision",
                           "risk_debate",
                           "risk_management",
                           "signal_extraction",
                           "data_extraction",
                           "reflection",
                           "embedding",
                           "financial_analysis",
                           "stock_analysis",
                           "tool_calling",
                           "market_research",
                           "reasoning",
                           "chinese_tasks",
                           "code_generation",
                           "translation",
                           "general",
                           "auto-quick",
                           "auto-deep"}) {
    CAPTURE(name);
    CHECK(names.count(name) == 1);
  }
}

}  // namespace
}  // namespace llm
