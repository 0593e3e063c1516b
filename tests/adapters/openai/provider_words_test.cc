#include "adapters/dialect/provider_words.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "adapters/openai/error_table.h"
#include "tests/support/run_task.h"

namespace llm::openai {
namespace {

const ApiKey kKey("dk-planted-key-0001");

class Kept : public EventSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    chunks.push_back(std::move(chunk));
    co_return absl::OkStatus();
  }
  std::vector<v1::ChatCompletionChunk> chunks;
};

TEST_CASE("a sentence where a provider's word should be is not kept",
          "[adapters][openai][SEC-10]") {
  CHECK(OneWord("fp_44709d6fcb", 64) == "fp_44709d6fcb");
  CHECK(OneWord("you said: hello", 64).empty());
  CHECK(OneWord("a\tb", 64).empty());
  CHECK(OneWord("caf\xc3\xa9", 64).empty());
  CHECK(OneWord("abc", 2).empty());
}

TEST_CASE("a code that is a sentence is none, and classifies all the same",
          "[adapters][openai][errors][SEC-10]") {
  ErrorWords words;
  words.code = "you said: hello";
  words.type = "insufficient_quota";
  const UpstreamFailure failure = DescribeError(FindProfile(""), 429, words);
  CHECK(failure.code.empty());
  CHECK(failure.type == "insufficient_quota");
  CHECK(failure.failure == FailureClass::kOutOfMoney);
}

TEST_CASE("the usage object is kept as it came, but for sentences",
          "[adapters][openai][usage][SEC-10]") {
  const auto audited = [](std::string_view text) {
    const auto doc = JsonDocument::Parse(text);
    REQUIRE(doc.ok());
    return AuditedUsage(doc->root());
  };
  const std::string plain =
      R"({"prompt_tokens": 7, "d": {"cache_type":"ephemeral","n":[1]}})";
  CHECK(audited(plain) == plain);
  CHECK(
      audited(R"({"prompt_tokens":7,"note":"you said hello","d":{"x y":1}})") ==
      R"({"prompt_tokens":7})");
  CHECK(audited("{\"n\":" + std::string(5000, '1') + "}").empty());
}

TEST_CASE("our key is hidden wherever a provider quotes it beside the content",
          "[adapters][openai][SEC-5]") {
  const std::string& key = kKey.Reveal();
  AttemptResult result;
  result.failure.message = "bad key " + key;
  result.status = absl::UnavailableError(result.failure.message);
  result.provider_request_id = result.served_model.value = key;
  result.raw_usage_json = "{\"k\":\"" + key + "\"}";
  result.usage.service_tier = key;
  HideKey(kKey, &result);
  CHECK(result.failure.message == "bad key ***");
  CHECK(result.status == absl::UnavailableError("bad key ***"));
  CHECK(result.provider_request_id == "***");
  CHECK(result.served_model.value == "***");
  CHECK(result.raw_usage_json == R"({"k":"***"})");
  CHECK(result.usage.service_tier == "***");

  Kept kept;
  KeyHidingSink sink(kKey, kept);
  v1::ChatCompletionChunk chunk;
  chunk.set_system_fingerprint(key);
  chunk.set_extra_json("{\"a\":\"" + key + "\"}");
  chunk.add_choices()->mutable_delta()->set_extra_json("{\"" + key + "\":1}");
  boost::asio::io_context loop;
  REQUIRE(RunTask(loop, sink.Write(std::move(chunk))).ok());
  REQUIRE(kept.chunks.size() == 1);
  CHECK(kept.chunks[0].DebugString().find(key) == std::string::npos);
}

TEST_CASE("a key is hidden where a text was cut in it, or escapes it",
          "[adapters][openai][SEC-5]") {
  const ApiKey key("gsk/0123456789/abcdefghij");
  AttemptResult result;
  result.failure.message = "no such key gsk/0123456789";
  result.status = absl::UnavailableError(result.failure.message);
  result.raw_usage_json = R"({"k":"gsk\/0123456789\/abcdefghij"})";
  HideKey(key, &result);
  CHECK(result.failure.message == "no such key ***");
  CHECK(result.status == absl::UnavailableError("no such key ***"));
  CHECK(result.raw_usage_json == R"({"k":"***"})");

  ErrorWords words;
  words.message = std::string(500, 'x') + " " + key.Reveal();
  words.code = std::string(60, 'c') + key.Reveal();
  const UpstreamFailure failure =
      DescribeError(FindProfile("groq"), 401, WithoutKey(words, key));
  CHECK(failure.message.find("gsk") == std::string::npos);
  CHECK(failure.code.find("gsk") == std::string::npos);
}

TEST_CASE("an attempt without a key hides nothing",
          "[adapters][openai][SEC-5]") {
  AttemptResult result;
  result.failure.message = "as it came";
  HideKey(ApiKey(), &result);
  CHECK(result.failure.message == "as it came");
}

}  // namespace
}  // namespace llm::openai
