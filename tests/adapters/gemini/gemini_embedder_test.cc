#include "adapters/gemini/gemini_embedder.h"

#include <catch2/catch.hpp>

#include "tests/support/embed_transport.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

using gemini::EmbedEndpoint;

struct Embedding {
  EmbedEndpoint endpoint = {
      "https://google.test/v1beta/models/gemini-embedding-001",
      {{"x-goog-api-key", "k-1"}},
      {},
      false};
  EmbedTransport transport = {};
  bool strict = false;

  EmbedResult Run(const v1::CreateEmbeddingsRequest& request) {
    boost::asio::io_context io;
    FakeClock clock;
    AttemptContext context;
    context.upstream_model.value = "gemini-embedding-001";
    context.strict = strict;
    const EmbedExchange exchange(transport, clock, [](int, const ErrorWords&) {
      return FailureClass::kServerError;
    });
    return RunTask(
        io, gemini::EmbedWithGemini(request, context, endpoint, exchange));
  }
};

v1::CreateEmbeddingsRequest Texts(int count) {
  v1::CreateEmbeddingsRequest request;
  for (int i = 0; i < count; ++i) request.add_input(absl::StrCat(i));
  return request;
}

TEST_CASE("a batch is asked for in Google's words",
          "[adapters][gemini][embeddings]") {
  v1::CreateEmbeddingsRequest request = Texts(2);
  request.set_dimensions(768);
  request.set_extra_json(R"({"taskType":"CLUSTERING"})");
  Embedding run;
  REQUIRE_THAT(run.Run(request).attempt.status, IsOk());
  const HttpRequest& sent = run.transport.requests[0];
  CHECK(sent.url ==
        "https://google.test/v1beta/models/"
        "gemini-embedding-001:batchEmbedContents");
  CHECK(*FindHeader(sent.headers, "x-goog-api-key") == "k-1");
  CHECK(sent.body ==
        R"({"requests":[{"model":"models/gemini-embedding-001",)"
        R"("content":{"parts":[{"text":"0"}]},"taskType":"CLUSTERING",)"
        R"("outputDimensionality":768},{"model":"models/gemini-embedding-001",)"
        R"("content":{"parts":[{"text":"1"}]},"taskType":"CLUSTERING",)"
        R"("outputDimensionality":768}]})");
}

TEST_CASE("the purpose of vectors is said in Google's words or in others'",
          "[adapters][gemini][embeddings]") {
  const auto [extra, want] = GENERATE(table<std::string, std::string>({
      {R"({"input_type":"query"})", "RETRIEVAL_QUERY"},
      {R"({"input_type":"search_document"})", "RETRIEVAL_DOCUMENT"},
      {R"({"taskType":"FACT_VERIFICATION","input_type":"query"})",
       "FACT_VERIFICATION"},
  }));
  CAPTURE(extra);
  v1::CreateEmbeddingsRequest request = Texts(1);
  request.set_extra_json(extra);
  Embedding run;
  REQUIRE_THAT(run.Run(request).attempt.status, IsOk());
  CHECK(run.transport.requests[0].body.find("\"taskType\":\"" + want + "\"") !=
        std::string::npos);
}

TEST_CASE("a hundred inputs are one batch, and more are more",
          "[adapters][gemini][embeddings]") {
  Embedding run;
  const EmbedResult got = run.Run(Texts(201));
  REQUIRE_THAT(got.attempt.status, IsOk());
  CHECK(run.transport.requests.size() == 3);
  REQUIRE(got.vectors.size() == 201);
  CHECK(got.vectors[200] == std::vector<float>{200, 1});
  // Nobody counted: the service estimates and says so.
  CHECK(got.attempt.usage_source == UsageSource::kNone);
  CHECK(got.attempt.content_seen);
}

TEST_CASE("shortened vectors are made length one, whole ones are left alone",
          "[adapters][gemini][embeddings]") {
  v1::CreateEmbeddingsRequest request = Texts(4);
  SECTION("whole") {
    CHECK(Embedding().Run(request).vectors[3] == std::vector<float>{3, 1});
  }
  SECTION("shortened") {
    request.set_dimensions(2);
    const std::vector<float> got = Embedding().Run(request).vectors[3];
    CHECK(got[0] == Approx(3 / std::sqrt(10.0)));
    CHECK(got[1] == Approx(1 / std::sqrt(10.0)));
  }
}

TEST_CASE("token lists are refused before anything is sent",
          "[adapters][gemini][embeddings]") {
  v1::CreateEmbeddingsRequest request;
  request.add_token_inputs()->add_tokens(1);
  Embedding run;
  const EmbedResult got = run.Run(request);
  CHECK(run.transport.requests.empty());
  CHECK(got.attempt.failure.failure == FailureClass::kUnsupported);
  CHECK(got.attempt.failure.param == "input");
}

TEST_CASE("what Google does not take is named, and strict callers are refused",
          "[adapters][gemini][embeddings][TRN-6]") {
  v1::CreateEmbeddingsRequest request = Texts(1);
  request.set_user("ann");
  request.set_extra_json(R"({"truncate":true,"title":"t"})");
  Embedding run;
  const EmbedResult got = run.Run(request);
  CHECK(got.attempt.dropped == std::vector<std::string>{"truncate", "user"});
  Embedding strict{.strict = true};
  CHECK_FALSE(strict.Run(request).attempt.dispatched);
}

TEST_CASE("Vertex is asked for one input at a time",
          "[adapters][gemini][embeddings]") {
  Embedding run;
  run.endpoint.vertex = true;
  run.transport.faults.push_back({.at = 0,
                                  .status = 200,
                                  .body = R"({"embedding":{"values":[1,2]},)"
                                          R"("usageMetadata":)"
                                          R"({"promptTokenCount":11}})"});
  run.transport.faults.push_back(
      {.at = 1, .status = 200, .body = R"({"embedding":{"values":[3,4]}})"});
  const EmbedResult got = run.Run(Texts(2));
  REQUIRE_THAT(got.attempt.status, IsOk());
  CHECK(run.transport.requests[0].url.ends_with(
      "/gemini-embedding-001:embedContent"));
  CHECK(run.transport.requests[1].body ==
        R"({"content":{"parts":[{"text":"1"}]}})");
  CHECK(got.vectors == std::vector<std::vector<float>>{{1, 2}, {3, 4}});
  // What the second did not say is counted here, and marked.
  CHECK(got.attempt.usage.fresh_input == 12);
  CHECK(got.attempt.usage_source == UsageSource::kEstimated);
}

}  // namespace
}  // namespace llm
