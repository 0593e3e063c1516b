#include "adapters/openai/openai_embedder.h"

#include <catch2/catch.hpp>

#include "adapters/openai/openai_provider.h"
#include "tests/support/embed_transport.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

struct Embedding {
  std::string profile;
  std::string model = "text-embedding-x";
  AttemptContext context = {};
  EmbedTransport transport = {};

  EmbedResult Run(const v1::CreateEmbeddingsRequest& request) {
    boost::asio::io_context io;
    FakeClock clock;
    ProviderSettings settings;
    settings.profile = profile;
    settings.base_url = "https://upstream.test/v1";
    context.upstream_model.value = model;
    OpenAiProvider provider(settings, transport, clock);
    return RunTask(io, provider.Embed(request, context));
  }
  const std::string& body(size_t at) const {
    return transport.requests[at].body;
  }
};

v1::CreateEmbeddingsRequest Texts(int count) {
  v1::CreateEmbeddingsRequest request;
  for (int i = 0; i < count; ++i) request.add_input(absl::StrCat(i));
  return request;
}

TEST_CASE("a request for embeddings says what the vendor understands",
          "[adapters][openai][embeddings]") {
  v1::CreateEmbeddingsRequest request = Texts(2);
  request.set_dimensions(2);
  request.set_user("ann");
  request.set_extra_json(R"({"input_type":"query"})");
  const auto [profile, want] = GENERATE(table<std::string, std::string>({
      {"", R"({"model":"m","input":["0","1"],"dimensions":2,"user":"ann",)"
           R"("input_type":"query"})"},
      {"openai", R"({"model":"m","input":["0","1"],"encoding_format":"base64",)"
                 R"("dimensions":2,"user":"ann"})"},
      {"qwen", R"({"model":"m","input":["0","1"],"encoding_format":"float",)"
               R"("dimensions":2,"input_type":"query"})"},
      {"mistral", R"({"model":"m","input":["0","1"],"encoding_format":"float",)"
                  R"("output_dimension":2,"input_type":"query"})"},
      {"vllm", R"({"model":"m","input":["0","1"],"encoding_format":"base64",)"
               R"("dimensions":2,"user":"ann","input_type":"query"})"},
  }));
  CAPTURE(profile);
  Embedding run{.profile = profile, .model = "m"};
  run.context.api_key = ApiKey("k-1");
  const EmbedResult got = run.Run(request);
  REQUIRE_THAT(got.attempt.status, IsOk());
  CHECK(run.body(0) == want);
  const HttpRequest& sent = run.transport.requests[0];
  CHECK(sent.url == "https://upstream.test/v1/embeddings");
  CHECK(*FindHeader(sent.headers, "authorization") == "Bearer k-1");
  CHECK(sent.headers.size() == 4);
}

TEST_CASE("inputs are cut into the vendor's batches and put back in order",
          "[adapters][openai][embeddings]") {
  const auto [profile, model, inputs, sizes] =
      GENERATE(table<std::string, std::string, int, std::vector<size_t>>({
          {"qwen", "text-embedding-v3", 23, {10, 10, 3}},
          {"qwen", "text-embedding-v4", 10, {10}},
          {"qwen", "text-embedding-v2", 26, {25, 1}},
          {"zhipu", "embedding-3", 65, {64, 1}},
          {"siliconflow", "bge-m3", 33, {32, 1}},
          {"openai", "text-embedding-3-small", 2048, {2048}},
          {"", "anything", 65, {64, 1}},
      }));
  CAPTURE(profile, model);
  Embedding run{.profile = profile, .model = model};
  run.transport.backwards = true;
  const EmbedResult got = run.Run(Texts(inputs));
  REQUIRE_THAT(got.attempt.status, IsOk());
  REQUIRE(run.transport.requests.size() == sizes.size());
  REQUIRE(got.vectors.size() == static_cast<size_t>(inputs));
  for (int i = 0; i < inputs; ++i) {
    CHECK(got.vectors[static_cast<size_t>(i)] ==
          std::vector<float>{static_cast<float>(i), 1});
  }
  // One token an input, says the upstream.
  CHECK(got.attempt.usage.fresh_input == inputs);
  CHECK(got.attempt.usage.output == 0);
  CHECK(got.attempt.usage_source == UsageSource::kProvider);
  CHECK(got.attempt.served_model.value == "served-1");
}

TEST_CASE("batches stay below the vendor's tokens for one request",
          "[adapters][dialect][embeddings]") {
  v1::CreateEmbeddingsRequest request;
  for (int i = 0; i < 4; ++i) {
    v1::TokenInput& input = *request.add_token_inputs();
    for (int t = 0; t < 100; ++t) input.add_tokens(t);
  }
  const auto batches = SplitInputs(request, {.inputs = 100, .tokens = 250});
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].count == 2);
  CHECK(batches[1].first == 2);
  // One that is too long by itself is the provider's to refuse.
  CHECK(SplitInputs(request, {.inputs = 100, .tokens = 10}).size() == 4);
  CHECK(SplitInputs(request, {}).size() == 1);
}

TEST_CASE("token lists go where they are understood and nowhere else",
          "[adapters][openai][embeddings]") {
  v1::CreateEmbeddingsRequest request;
  request.add_token_inputs()->add_tokens(15339);
  SECTION("OpenAI") {
    Embedding run{.profile = "openai"};
    REQUIRE_THAT(run.Run(request).attempt.status, IsOk());
    CHECK(run.body(0).find(R"("input":[[15339]])") != std::string::npos);
  }
  SECTION("Qwen") {
    Embedding run{.profile = "qwen"};
    const EmbedResult got = run.Run(request);
    CHECK(run.transport.requests.empty());
    CHECK_FALSE(got.attempt.dispatched);
    CHECK(got.attempt.failure.failure == FailureClass::kUnsupported);
    CHECK(got.attempt.failure.param == "input");
  }
}

TEST_CASE("a field that the vendor refuses is left out and named",
          "[adapters][openai][embeddings][TRN-6]") {
  v1::CreateEmbeddingsRequest request = Texts(1);
  request.set_extra_json(R"({"input_type":"query"})");
  Embedding run{.profile = "openai"};
  CHECK(run.Run(request).attempt.dropped ==
        std::vector<std::string>{"input_type"});
  Embedding strict{.profile = "openai"};
  strict.context.strict = true;
  const EmbedResult refused = strict.Run(request);
  CHECK(strict.transport.requests.empty());
  CHECK(refused.attempt.failure.param == "input_type");
}

TEST_CASE("a batch that fails fails the attempt, and what came is kept",
          "[adapters][openai][embeddings][COST-1]") {
  Embedding run{.profile = "qwen", .model = "text-embedding-v3"};
  run.transport.faults.push_back(
      {.at = 1,
       .status = 429,
       .headers = {{"content-type", "application/json"},
                   {"retry-after", "3"}}});
  const EmbedResult got = run.Run(Texts(30));
  CHECK(run.transport.requests.size() == 2);
  CHECK(got.attempt.failure.failure == FailureClass::kRateLimited);
  CHECK(got.attempt.failure.retry_after == absl::Seconds(3));
  CHECK(got.vectors.size() == 10);
  CHECK(got.attempt.usage.fresh_input == 10);
  CHECK(got.attempt.usage_source == UsageSource::kPartial);
}

TEST_CASE("a batch that says nothing of its usage is counted here, and marked",
          "[adapters][openai][embeddings][COST-1]") {
  std::string body = R"({"data":[)";
  for (int i = 0; i < 10; ++i) {
    body += std::string(i == 0 ? "" : ",") + R"({"index":)" +
            std::to_string(i) + R"(,"embedding":[1,2]})";
  }
  body += "]}";
  Embedding run{.profile = "qwen", .model = "text-embedding-v3"};
  run.transport.faults.push_back({.at = 1, .status = 200, .body = body});
  const EmbedResult got = run.Run(Texts(20));
  REQUIRE_THAT(got.attempt.status, IsOk());
  CHECK(got.vectors.size() == 20);
  CHECK(got.attempt.usage_source == UsageSource::kEstimated);
  CHECK(*got.attempt.usage.fresh_input > 10);
}

TEST_CASE("what is not one vector for each input is no answer",
          "[adapters][openai][embeddings][STR-5]") {
  const auto [body, want] = GENERATE(table<std::string, FailureClass>({
      {"nonsense", FailureClass::kBadAnswer},
      {R"({"data":[]})", FailureClass::kBadAnswer},
      {R"({"data":[{"index":0,"embedding":[1]}]})", FailureClass::kBadAnswer},
      {R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})",
       FailureClass::kBadAnswer},
      {R"({"data":[{"index":0,"embedding":[1]},{"index":9,"embedding":[1]}]})",
       FailureClass::kBadAnswer},
      {R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]})",
       FailureClass::kBadAnswer},
      {R"({"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]})",
       FailureClass::kBadAnswer},
      // NaN, as base64.
      {R"({"data":[{"embedding":"AADAfw=="},{"embedding":"AADAfw=="}]})",
       FailureClass::kBadAnswer},
      {R"({"data":[{"embedding":"AAA"},{"embedding":"AAA"}]})",
       FailureClass::kBadAnswer},
      // An error with status 200.
      {R"({"error":{"code":429,"message":"slow down"}})",
       FailureClass::kRateLimited},
  }));
  CAPTURE(body);
  Embedding run;
  run.transport.faults.push_back({.at = 0, .status = 200, .body = body});
  const EmbedResult got = run.Run(Texts(2));
  CHECK(got.attempt.failure.failure == want);
  CHECK(got.vectors.empty());
  CHECK(got.attempt.usage.empty());
}

TEST_CASE("what an unusable answer took is counted all the same",
          "[adapters][openai][embeddings][COST-1]") {
  Embedding run;
  run.transport.faults.push_back(
      {.at = 0,
       .status = 200,
       .body = R"({"data":[{"index":0,"embedding":[1]}],)"
               R"("usage":{"prompt_tokens":9,"total_tokens":9}})"});
  const EmbedResult got = run.Run(Texts(2));
  CHECK(got.attempt.failure.failure == FailureClass::kBadAnswer);
  CHECK(got.attempt.usage.fresh_input == 9);
  CHECK(got.attempt.usage_source == UsageSource::kPartial);
}

TEST_CASE("what each batch said of its usage is kept for audits",
          "[adapters][openai][embeddings][COST-1]") {
  Embedding run;
  run.profile = "qwen";
  const EmbedResult got = run.Run(Texts(21));
  CHECK(got.attempt.usage.fresh_input == 21);
  CHECK(got.attempt.raw_usage_json ==
        R"([{"prompt_tokens":10,"total_tokens":10},)"
        R"({"prompt_tokens":10,"total_tokens":10},)"
        R"({"prompt_tokens":1,"total_tokens":1}])");
}

// Does what it is given at once, or does not take it.
struct FakeBeside : Beside {
  Task<absl::Status> Run(std::function<void()> work) override {
    ++asked;
    if (answer.ok()) work();
    co_return answer;
  }
  int asked = 0;
  absl::Status answer = absl::OkStatus();
};

TEST_CASE("a large answer is read beside the loop, where somebody takes it",
          "[adapters][openai][embeddings][PRF-3]") {
  const bool taken = GENERATE(true, false);
  const size_t floats = GENERATE(size_t{10}, size_t{100'000});
  FakeBeside beside;
  if (!taken) beside.answer = absl::UnavailableError("stopped");
  std::string vector = "0.5";
  for (size_t i = 1; i < floats; ++i) vector += ",0.5";
  EmbedTransport transport;
  transport.faults.push_back(
      {.at = 0,
       .status = 200,
       .body = R"({"data":[{"embedding":[)" + vector + "]}]}"});
  FakeClock clock;
  ProviderSettings settings;
  settings.base_url = "https://upstream.test/v1";
  OpenAiProvider provider(settings, transport, clock, &beside);
  boost::asio::io_context io;
  EmbedRequest request;
  request.add_input("7");
  AttemptContext context;
  context.upstream_model.value = "embedding-1";
  const EmbedResult result = RunTask(io, provider.Embed(request, context));
  CHECK(result.attempt.status.ok());
  REQUIRE(result.vectors.size() == 1);
  CHECK(result.vectors[0] == std::vector<float>(floats, 0.5F));
  CHECK(beside.asked == (floats > 10 ? 1 : 0));
}

TEST_CASE("vectors are read from base64 and from numbers alike",
          "[adapters][openai][embeddings]") {
  // 1.0f and -2.0f, little-endian.
  const std::string body =
      GENERATE(R"({"data":[{"index":0,"embedding":"AACAPwAAAMA="}]})",
               R"({"data":[{"index":0,"embedding":[1,-2.0]}]})",
               R"({"data":[{"embedding":[1e0,-20e-1]}]})");
  CAPTURE(body);
  Embedding run;
  run.transport.faults.push_back({.at = 0, .status = 200, .body = body});
  const EmbedResult got = run.Run(Texts(1));
  REQUIRE_THAT(got.attempt.status, IsOk());
  CHECK(got.vectors == std::vector<std::vector<float>>{{1, -2}});
}

TEST_CASE("the provider's key shows in no word of a failed attempt",
          "[adapters][openai][embeddings][SEC-5]") {
  Embedding run;
  run.context.api_key = ApiKey("very-secret-key-17");
  run.transport.faults.push_back(
      {.at = 0,
       .status = 401,
       .body = R"({"error":{"message":"bad key very-secret-key-17"}})"});
  const EmbedResult got = run.Run(Texts(1));
  CHECK(got.attempt.failure.failure == FailureClass::kBadKey);
  CHECK(got.attempt.failure.message.find("secret") == std::string::npos);
  CHECK(got.attempt.status.message().find("secret") == std::string::npos);
}

}  // namespace
}  // namespace llm
