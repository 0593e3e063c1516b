#include "adapters/openai/usage_decoder.h"

#include <catch2/catch.hpp>

#include "tests/adapters/openai/exchange.h"

namespace llm::openai {
namespace {

// The buckets in one line: fresh/read/write5m/write1h -> output(reasoning);
// "-" is not reported.
std::string Line(const std::string& json) {
  const auto doc = JsonDocument::Parse(json);
  REQUIRE(doc.ok());
  const auto usage = DecodeUsage(doc->root());
  if (!usage) return "none";
  const auto text = [](const std::optional<TokenCount>& count) {
    return count ? std::to_string(*count) : std::string("-");
  };
  return text(usage->fresh_input) + "/" + text(usage->cache_read) + "/" +
         text(usage->cache_write_5m) + "/" + text(usage->cache_write_1h) + " " +
         text(usage->output) + "(" + text(usage->reasoning) + ")" +
         (usage->cache_read_explicit ? " explicit" : "");
}

TEST_CASE("every provider's usage becomes disjoint buckets",
          "[adapters][openai][usage][COST-1]") {
  const auto [json, line] = GENERATE(table<std::string, std::string>({
      {R"({"prompt_tokens":10,"completion_tokens":4,"total_tokens":14})",
       "10/-/-/- 4(-)"},
      // OpenAI: everything inside.
      {R"({"prompt_tokens":10000,"completion_tokens":1500,"total_tokens":11500,
          "prompt_tokens_details":{"cached_tokens":6000,
                                   "cache_write_tokens":2000},
          "completion_tokens_details":{"reasoning_tokens":900}})",
       "2000/6000/2000/- 1500(900)"},
      // DeepSeek.
      {R"({"prompt_tokens":80,"completion_tokens":4,
          "prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":16})",
       "16/64/-/- 4(-)"},
      // Qwen, explicit cache.
      {R"({"prompt_tokens":20000,"completion_tokens":3000,
          "prompt_tokens_details":{"cached_tokens":8000,
            "cache_creation_input_tokens":4000,"cache_type":"ephemeral"},
          "completion_tokens_details":{"reasoning_tokens":2200}})",
       "8000/8000/4000/- 3000(2200) explicit"},
      {R"({"prompt_tokens":100,"completion_tokens":1,
          "prompt_tokens_details":{"cache_creation":
            {"ephemeral_5m_input_tokens":30,"ephemeral_1h_input_tokens":20}}})",
       "50/-/30/20 1(-)"},
      // xAI: reasoning outside, by arithmetic.
      {R"({"prompt_tokens":8000,"completion_tokens":400,"total_tokens":9500,
          "prompt_tokens_details":{"cached_tokens":3000},
          "completion_tokens_details":{"reasoning_tokens":1100}})",
       "5000/3000/-/- 1500(1100)"},
      // xAI: cached outside.
      {R"({"prompt_tokens":10,"completion_tokens":2,
          "prompt_tokens_details":{"cached_tokens":30}})",
       "10/30/-/- 2(-)"},
      // xAI: both.
      {R"({"prompt_tokens":10,"completion_tokens":2,"total_tokens":17,
          "prompt_tokens_details":{"cached_tokens":30},
          "completion_tokens_details":{"reasoning_tokens":5}})",
       "10/30/-/- 7(5)"},
      // Cached outside the prompt and inside the total: reasoning is inside.
      {R"({"prompt_tokens":10,"completion_tokens":7,"total_tokens":47,
          "prompt_tokens_details":{"cached_tokens":30},
          "completion_tokens_details":{"reasoning_tokens":5}})",
       "10/30/-/- 7(5)"},
      // Gemini's compatible endpoint: reasoning that nobody counted.
      {R"({"prompt_tokens":35,"completion_tokens":12,"total_tokens":109})",
       "35/-/-/- 74(62)"},
      // Moonshot and Mistral.
      {R"({"prompt_tokens":20,"completion_tokens":30,"cached_tokens":10})",
       "10/10/-/- 30(-)"},
      {R"({"prompt_tokens":20,"completion_tokens":3,"num_cached_tokens":5})",
       "15/5/-/- 3(-)"},
      // Inconsistent servers: no bucket below zero.
      {R"({"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,
          "completion_tokens_details":{"reasoning_tokens":11}})",
       "10/-/-/- 10(10)"},
      {R"({"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":
          {"cached_tokens":8,"cache_write_tokens":9}})",
       "0/8/2/- 1(-)"},
      {R"({"prompt_tokens":-3,"completion_tokens":1})", "-/-/-/- 1(-)"},
      {R"({"total_tokens":10,"completion_tokens":4})", "6/-/-/- 4(-)"},
      {R"({"prompt_tokens":1,"completion_tokens":1,
          "prompt_tokens_details":null})",
       "1/-/-/- 1(-)"},
      {"{}", "none"},
      {"null", "none"},
  }));
  CAPTURE(json);
  CHECK(Line(json) == line);
}

TEST_CASE("audio is split as the prices want it",
          "[adapters][openai][usage][COST-1]") {
  const auto doc = JsonDocument::Parse(
      R"({"prompt_tokens":100,"completion_tokens":20,
          "prompt_tokens_details":{"audio_tokens":70,"cached_tokens":50,
                                   "image_tokens":5},
          "completion_tokens_details":{"audio_tokens":15,
            "accepted_prediction_tokens":1,"rejected_prediction_tokens":2}})");
  REQUIRE(doc.ok());
  const auto usage = DecodeUsage(doc->root());
  REQUIRE(usage);
  CHECK(usage->audio_input == 50);
  CHECK(usage->audio_cache_read == 20);
  CHECK(usage->audio_output == 15);
  CHECK(usage->image_input == 5);
  CHECK(usage->accepted_prediction == 1);
  CHECK(usage->rejected_prediction == 2);
}

TEST_CASE("a reported cost is plain decimal text",
          "[adapters][openai][usage]") {
  const auto [number, text] = GENERATE(table<std::string, std::string>({
      {"0.00085", "0.00085"},
      {"8.5e-05", "0.000085"},
      {"1.25E+2", "125"},
      {"1.2345e2", "123.45"},
      {"3", "3"},
      {"-1", ""},
      {"1e99", ""},
  }));
  CHECK(PlainDecimal(number) == text);
}

TEST_CASE("usage is found wherever it stands, and the last one wins",
          "[adapters][openai][usage][STR-2]") {
  const std::string chunk = R"({"choices":[{"index":0,"delta":{"content":"a"},)"
                            R"("finish_reason":"stop")";
  const std::string last =
      R"({"prompt_tokens":7,"completion_tokens":3,"total_tokens":10})";
  const std::string early = R"({"prompt_tokens":7,"completion_tokens":1})";
  const auto body = GENERATE_COPY(
      Sse({chunk + "}]}", R"({"choices":[],"usage":)" + last + "}"}),
      Sse({chunk + R"(}],"usage":)" + last + "}"}),
      Sse({chunk + R"(,"usage":)" + last + "}]}"}),
      Sse({chunk + R"(}],"x_groq":{"usage":)" + last + "}}"}),
      Sse({chunk + R"(}],"usage":)" + early + "}",
           R"({"choices":[],"usage":)" + last + "}",
           R"({"choices":[],"usage":null})"}),
      Sse({chunk + R"(}],"usage":)" + last + "}", R"({"usage":{}})"}));
  CAPTURE(body);
  const Exchange got = RunExchange({.body = body});
  CHECK(got.result.usage.fresh_input == 7);
  CHECK(got.result.usage.output == 3);
  CHECK(got.result.usage_source == UsageSource::kProvider);
  CHECK(got.result.raw_usage_json == last);
}

TEST_CASE("the served tier goes with the usage", "[adapters][openai][usage]") {
  const Exchange got = RunExchange(
      {.body = Whole(R"({"content":"a"})", "\"stop\"",
                     R"(,"service_tier":"flex","usage":{"prompt_tokens":1,)"
                     R"("completion_tokens":1,"cost":1e-3})")});
  CHECK(got.result.usage.service_tier == "flex");
  CHECK(got.result.usage.reported_cost == "0.001");
}

}  // namespace
}  // namespace llm::openai
