// Usage records that are larger than most.
#include "adapters/anthropic/usage_decoder.h"

#include <catch2/catch.hpp>
#include <string>

namespace llm::anthropic {
namespace {

TokenUsage Read(const std::string& usage) {
  const auto doc = JsonDocument::Parse(usage);
  REQUIRE(doc.ok());
  UsageDecoder decoder;
  decoder.Push(doc->root());
  return decoder.usage().value_or(TokenUsage());
}

std::string Round(const std::string& type, int input, int output) {
  return R"({"type":")" + type + R"(","input_tokens":)" +
         std::to_string(input) + R"(,"output_tokens":)" +
         std::to_string(output) +
         R"(,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,)"
         R"("cache_creation":{"ephemeral_5m_input_tokens":0,)"
         R"("ephemeral_1h_input_tokens":0}})";
}

TEST_CASE("usage: compaction among many rounds is added",
          "[adapters][anthropic][usage][COST-1]") {
  std::string rounds = Round("compaction", 1000, 10);
  for (int i = 0; i < 50; ++i) rounds += "," + Round("message", 10, 1);
  const TokenUsage got =
      Read(R"({"input_tokens":500,"output_tokens":50,"iterations":[)" + rounds +
           "]}");
  CHECK(got.fresh_input == 1500);
  CHECK(got.output == 60);
}

TEST_CASE("usage: rounds beyond any server's are not read",
          "[adapters][anthropic][usage]") {
  std::string rounds = Round("compaction", 1000, 10);
  while (rounds.size() < 100'000) rounds += "," + Round("message", 10, 1);
  const TokenUsage got =
      Read(R"({"input_tokens":500,"output_tokens":50,"iterations":[)" + rounds +
           "]}");
  CHECK(got.fresh_input == 500);
}

}  // namespace
}  // namespace llm::anthropic
