#include "server/http/http_target.h"

#include <catch2/catch.hpp>
#include <string>

#include "server/http/call_headers.h"

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

TEST_CASE("a trace id is kept only from a well-formed traceparent",
          "[server][http]") {
  const auto [header, want] = GENERATE(table<const char*, const char*>({
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
       "0af7651916cd43dd8448eb211c80319c"},
      {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
       "0af7651916cd43dd8448eb211c80319c"},
      {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", ""},
      {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ""},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", ""},
      {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", ""},
      {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", ""},
      {"nonsense", ""},
      {"", ""},
  }));
  CAPTURE(header);
  CHECK(TraceIdOf(header) == want);
}

TEST_CASE("a request id is kept only when it is harmless", "[server][http]") {
  const auto [id, kept] = GENERATE(table<std::string, bool>({
      {"req-1_a.b:c/d", true},
      {"a b", false},
      {"a\"b", false},
      {std::string(129, 'a'), false},
  }));
  HttpRequest request;
  request.headers = {{"x-request-id", id}};
  CHECK(SaneRequestId(request) == (kept ? id : ""));
}

}  // namespace
}  // namespace llm::server
