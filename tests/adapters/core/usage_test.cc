#include "adapters/core/usage.h"

#include <catch2/catch.hpp>
#include <limits>
#include <optional>
#include <vector>

#include "adapters/core/http_transport.h"

namespace llm {
namespace {

TEST_CASE("The whole prompt is the sum of the input buckets that were reported",
          "[adapters][core][usage]") {
  TokenUsage usage;
  CHECK(usage.TotalInput() == std::nullopt);
  CHECK(usage.empty());

  usage.cache_read = 0;
  CHECK(usage.TotalInput() == 0);
  CHECK_FALSE(usage.empty());

  usage.fresh_input = 1;
  usage.cache_read = 20;
  usage.cache_write_5m = 300;
  usage.cache_write_1h = 4000;
  CHECK(usage.TotalInput() == 4321);
}

TEST_CASE("Parts of a bucket do not add to the prompt",
          "[adapters][core][usage]") {
  TokenUsage usage;
  usage.fresh_input = 10;
  usage.audio_input = 4;
  usage.image_input = 3;
  usage.output = 7;
  usage.reasoning = 5;
  CHECK(usage.TotalInput() == 10);
}

TEST_CASE("Counts that cannot be true do not overflow the prompt",
          "[adapters][core][usage]") {
  constexpr TokenCount kMost = std::numeric_limits<TokenCount>::max();
  TokenUsage usage;
  usage.fresh_input = kMost;
  usage.cache_read = kMost;
  usage.cache_write_5m = kMost;
  usage.cache_write_1h = kMost;
  CHECK(usage.TotalInput() == TokenCount{1} << 62);
  usage.cache_read = std::numeric_limits<TokenCount>::min();
  CHECK(usage.TotalInput() == TokenCount{1} << 61);
}

TEST_CASE("Output alone is usage without a prompt", "[adapters][core][usage]") {
  TokenUsage usage;
  usage.output = 0;
  CHECK_FALSE(usage.empty());
  CHECK(usage.TotalInput() == std::nullopt);
}

TEST_CASE("A header is found whatever its case", "[adapters][core][http]") {
  const std::vector<HttpHeader> headers = {
      {"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  REQUIRE(FindHeader(headers, "content-type") != nullptr);
  CHECK(*FindHeader(headers, "CONTENT-TYPE") == "text/plain");
  CHECK(*FindHeader(headers, "x-a") == "1");
  CHECK(FindHeader(headers, "content") == nullptr);
}

}  // namespace
}  // namespace llm
