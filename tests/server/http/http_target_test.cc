#include "server/http/http_target.h"

#include <catch2/catch.hpp>
#include <string>

#include "server/http/request_context.h"

namespace llm::server {
namespace {

TEST_CASE("a path leads to its route, byte for byte",
          "[server][http][routes][SEC-3]") {
  const auto [path, route, argument] =
      GENERATE(table<const char*, HttpRoute, const char*>({
          {"/v1/chat/completions", HttpRoute::kChat, ""},
          {"/api/v1/chat/completions", HttpRoute::kChat, ""},
          {"/v1/v1/chat/completions", HttpRoute::kChat, ""},
          {"/api/v1/v1/chat/completions", HttpRoute::kChat, ""},
          {"/t/run=a/v1/chat/completions", HttpRoute::kChat, ""},
          {"/t/run=a/api/v1/v1/chat/completions", HttpRoute::kChat, ""},
          {"/v1/chat/completions?x=1", HttpRoute::kChat, ""},
          {"/v1/embeddings", HttpRoute::kEmbeddings, ""},
          {"/v1/models", HttpRoute::kModels, ""},
          {"/v1/models/gpt-4o", HttpRoute::kModel, "gpt-4o"},
          {"/v1/models/org/m:t", HttpRoute::kModel, "org/m:t"},
          {"/v1/models/org%2Fm%3At", HttpRoute::kModel, "org/m:t"},
          {"/v1/usage", HttpRoute::kUsage, ""},
          {"/v1/route", HttpRoute::kRoute, ""},
          {"/healthz", HttpRoute::kHealth, ""},
          {"/readyz", HttpRoute::kReady, ""},
          {"/metrics", HttpRoute::kMetrics, ""},
          {"/admin/v1/keys", HttpRoute::kKeys, ""},
          {"/admin/v1/keys/key_1", HttpRoute::kKey, "key_1"},
          {"/admin/v1/keys/key_1/revoke", HttpRoute::kRevokeKey, "key_1"},
          {"/admin/v1/keys/a/b", HttpRoute::kNone, ""},
          {"/v1/models/", HttpRoute::kNone, ""},
          {"/v1/chat/completions/", HttpRoute::kNone, ""},
          {"/v1//chat/completions", HttpRoute::kNone, ""},
          {"//v1/chat/completions", HttpRoute::kNone, ""},
          {"/v1/chat%2Fcompletions", HttpRoute::kNone, ""},
          {"/v1/../admin/v1/keys", HttpRoute::kNone, ""},
          {"/v1/v1/v1/models", HttpRoute::kNone, ""},
          {"/v2/models", HttpRoute::kNone, ""},
          {"/v1", HttpRoute::kNone, ""},
          {"/", HttpRoute::kNone, ""},
      }));
  CAPTURE(path);
  const auto target = ParseTarget(path);
  REQUIRE(target.ok());
  CHECK(target->route == route);
  CHECK(target->argument == argument);
}

TEST_CASE("path tags are decoded and told apart", "[server][http][routes]") {
  const auto target =
      ParseTarget("/t/run=a%2Cb,task=news%20x,agent=%E6%96%B0/v1/models");
  REQUIRE(target.ok());
  CHECK(target->run == "a,b");
  CHECK(target->task == "news x");
  CHECK(target->agent == "新");
}

TEST_CASE("malformed targets are refused", "[server][http][routes]") {
  const std::string target = GENERATE(
      std::string("/t/run=%zz/v1/models"),
      std::string("/t/color=red/v1/models"), std::string("/v1/models/%"),
      std::string("/v1/models/%00"), std::string("/v1/usage?from=%f"),
      "/t/run=" + std::string(257, 'r') + "/v1/models");
  CAPTURE(target);
  CHECK(ParseTarget(target).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a query is decoded in order", "[server][http][routes]") {
  const auto target = ParseTarget("/v1/usage?by=model%2Cday&from=a+b&&x");
  REQUIRE(target.ok());
  REQUIRE(target->query.size() == 3);
  CHECK(target->query[0].second == "model,day");
  CHECK(target->query[1].second == "a b");
  CHECK(target->query[2].first == "x");
}

TEST_CASE("timeouts of the caller and of its SDK count, the earliest wins",
          "[server][http][TMO-1]") {
  HttpRequest request;
  SECTION("none") { CHECK(*TimeoutOf(request) == absl::InfiniteDuration()); }
  SECTION("ours") {
    const auto [text, want] = GENERATE(table<const char*, absl::Duration>({
        {"90s", absl::Seconds(90)},
        {"250ms", absl::Milliseconds(250)},
        {"1.5", absl::Milliseconds(1500)},
        {"2m", absl::Minutes(2)},
    }));
    request.headers = {{"x-llm-timeout", text}, {"x-stainless-timeout", "600"}};
    CHECK(*TimeoutOf(request) == want);
  }
  SECTION("an SDK's") {
    request.headers = {{"x-stainless-timeout", "NOT_GIVEN"},
                       {"x-stainless-read-timeout", "20"}};
    CHECK(*TimeoutOf(request) == absl::Seconds(20));
  }
  SECTION("nonsense in ours is an error") {
    request.headers = {
        {"x-llm-timeout", GENERATE("soon", "-1s", "0", "nan", "inf")}};
    CHECK_FALSE(TimeoutOf(request).ok());
  }
}

}  // namespace
}  // namespace llm::server
