// POST /v1/embeddings: what is read, and how vectors are spelled.
#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/http/parse_embeddings.h"
#include "tests/server/http/fake_service.h"

namespace llm::server {
namespace {

absl::StatusOr<EmbeddingsBody> Parse(std::string body) {
  return ParseEmbeddings(std::make_shared<const std::string>(std::move(body)));
}

std::string Post(const std::string& body, const std::string& headers = "") {
  return absl::StrCat(
      "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
      headers,
      "Content-Type: application/json\r\nContent-Length: ", body.size(),
      "\r\n\r\n", body);
}

TEST_CASE("input is a text, texts, tokens or token lists",
          "[server][http][embeddings]") {
  const auto texts = Parse(R"({"model":"m","input":["a","b"]})");
  REQUIRE(texts.ok());
  CHECK(texts->message.input_size() == 2);
  CHECK_FALSE(texts->base64);
  CHECK(Parse(R"({"model":"m","input":"a"})")->message.input(0) == "a");
  const auto tokens = Parse(R"({"input":[1,2,3]})");
  REQUIRE(tokens.ok());
  REQUIRE(tokens->message.token_inputs_size() == 1);
  CHECK(tokens->message.token_inputs(0).tokens_size() == 3);
  const auto lists = Parse(R"({"input":[[1,2],[3]]})");
  REQUIRE(lists.ok());
  CHECK(lists->message.token_inputs(1).tokens(0) == 3);
}

TEST_CASE("an embeddings request that cannot be is refused with its field",
          "[server][http][embeddings][ERR-1]") {
  const auto [body, param] = GENERATE(table<std::string, std::string>({
      {R"({"model":"m"})", "input"},
      {R"({"input":""})", "input"},
      {R"({"input":[]})", "input"},
      {R"({"input":["a",""]})", "input"},
      {R"({"input":["a",[1]]})", "input"},
      {R"({"input":[1,"a"]})", "input"},
      {R"({"input":[1.5]})", "input"},
      {R"({"input":[[-1]]})", "input"},
      {R"({"input":[99999999999]})", "input"},
      {R"({"input":{}})", "input"},
      {R"({"input":"a","encoding_format":"hex"})", "encoding_format"},
      {R"({"input":"a","dimensions":0})", "dimensions"},
      {R"({"input":"a","dimensions":"8"})", "dimensions"},
      {R"({"input":"a","input":"b"})", "input"},
      {R"({"input":"a","user":7})", "user"},
      {R"({"input":"a","priority":"now"})", "priority"},
      {"[]", ""},
      {"{", ""},
  }));
  CAPTURE(body);
  const auto parsed = Parse(body);
  REQUIRE_FALSE(parsed.ok());
  const v1::UpstreamError error = CallErrorDetail(parsed.status());
  CHECK(error.code() == "invalid_request");
  CHECK(error.param() == param);
}

TEST_CASE("tags and fields of others are read as of a chat",
          "[server][http][embeddings]") {
  const auto parsed = Parse(
      R"({"model":"m","input":"a","user":"u","run_id":"r","agent":"g",)"
      R"("task_type":"t","metadata":{"k":"v"},"timeout":"5s","strict":true,)"
      R"("input_type":"query","truncate":null})");
  REQUIRE(parsed.ok());
  const v1::CreateEmbeddingsRequest& message = parsed->message;
  CHECK(message.run_id() == "r");
  CHECK(message.agent() == "g");
  CHECK(message.task_type() == "t");
  CHECK(message.metadata().at("k") == "v");
  CHECK(message.timeout().seconds() == 5);
  CHECK(message.strict());
  CHECK(message.extra_json() == R"({"input_type":"query","truncate":null})");
}

TEST_CASE("a body of very many tokens is too large", "[server][http][PRF-3]") {
  std::string body = R"({"input":[0)";
  for (int i = 0; i < 400'000; ++i) body += ",0";
  const auto parsed = Parse(body + "]}");
  CHECK(CallErrorDetail(parsed.status()).code() == "body_too_large");
}

TEST_CASE("vectors are numbers, or base64 where that is asked for",
          "[server][http][embeddings]") {
  FakeService service;
  RunningServer server(service);
  const std::string numbers =
      AskRaw(server.port(), Post(R"({"model":"m","input":["abc","x"]})"));
  CHECK(StatusOf(numbers) == 200);
  CHECK(numbers.find(R"("data":[{"object":"embedding","index":0,)"
                     R"("embedding":[3,0.5]},{"object":"embedding","index":1,)"
                     R"("embedding":[1,0.5]}],"model":"m",)"
                     R"("usage":{"prompt_tokens":3,"total_tokens":3},)"
                     R"("llm_service":{)") != std::string::npos);
  CHECK(HeaderOf(numbers, "x-llm-provider") == "fake");
  CHECK_FALSE(HeaderOf(numbers, "x-request-id").empty());
  // 3.0f and 0.5f, little-endian.
  const std::string coded =
      AskRaw(server.port(),
             Post(R"({"model":"m","input":"abc","encoding_format":"base64"})"));
  CHECK(coded.find(R"("embedding":"AABAQAAAAD8=")") != std::string::npos);
}

TEST_CASE("a failed embedding has the envelope and headers of a chat",
          "[server][http][embeddings][ERR-1]") {
  FakeService service;
  RunningServer server(service);
  const std::string failed =
      AskRaw(server.port(), Post(R"({"model":"bad","input":"a"})"));
  CHECK(StatusOf(failed) == 404);
  CHECK(failed.find(R"("code":"model_not_found")") != std::string::npos);
  CHECK(HeaderOf(failed, "x-llm-attempts") == "1");
  const std::string refused = AskRaw(server.port(), Post(R"({"model":"m"})"));
  CHECK(StatusOf(refused) == 400);
  CHECK(service.refused_code() == "invalid_request");
  CHECK(StatusOf(AskRaw(server.port(), Post(R"({"model":"m","input":"a"})",
                                            "Content-Encoding: gzip\r\n"))) ==
        415);
}

TEST_CASE("headers and path speak for an embedding as for a chat",
          "[server][http][embeddings]") {
  FakeService service;
  RunningServer server(service);
  std::string request = Post(R"({"model":"m","input":"a"})",
                             "x-llm-strict: true\r\nx-llm-timeout: 5s\r\n");
  request.replace(request.find("/v1"), 3, "/t/run=R/v1");
  CHECK(StatusOf(AskRaw(server.port(), request)) == 200);
  CHECK(service.last_embed().strict());
  CHECK(service.last_context().path_run == "R");
  CHECK(service.last_context().deadline < Instant::Never());
}

}  // namespace
}  // namespace llm::server
