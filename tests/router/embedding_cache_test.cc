#include "router/embedding_cache.h"

#include <catch2/catch.hpp>
#include <deque>
#include <type_traits>

#include "router/router.h"
#include "tests/support/fake_clock.h"

namespace llm {
namespace {

using Space = EmbeddingCache::Space;

// Nobody can make a place for vectors without saying whose they are.
static_assert(!std::is_default_constructible_v<Space>);
static_assert(!std::is_constructible_v<Space, Digest>);

v1::CreateEmbeddingsRequest Text(const std::string& text) {
  v1::CreateEmbeddingsRequest request;
  request.add_input(text);
  return request;
}

Caller Tenant(std::string name) {
  Caller caller;
  caller.tenant = std::move(name);
  return caller;
}

// Lives as long as the test's process: targets borrow.
RouteTarget Target(std::string model, std::string upstream) {
  static std::deque<PublicModel> models;
  PublicModel& made = models.emplace_back();
  made.id.value = std::move(model);
  made.deployments.emplace_back().upstream_model.value = std::move(upstream);
  RouteTarget target;
  target.model = &made;
  target.deployment = &made.deployments.front();
  return target;
}

const EmbeddingCache::Limits kRoomy{int64_t{1} << 20, absl::Hours(1)};

TEST_CASE("a vector is found by exactly what it was made of",
          "[router][embeddings][SEC-2]") {
  FakeClock clock;
  EmbeddingCache cache(clock, kRoomy);
  v1::CreateEmbeddingsRequest request = Text("hello");
  const Space mine = *Space::Of(Tenant("a"), Target("m", "u"), request);
  cache.Keep(mine, request, 0, {1, 2});
  REQUIRE(cache.Find(mine, request, 0) != nullptr);
  CHECK(*cache.Find(mine, request, 0) == std::vector<float>{1, 2});
  CHECK(cache.Find(mine, Text("hello "), 0) == nullptr);

  const auto misses = [&](const Caller& caller, const RouteTarget& target,
                          const v1::CreateEmbeddingsRequest& asked) {
    return cache.Find(*Space::Of(caller, target, asked), asked, 0) == nullptr;
  };
  CHECK(misses(Tenant("b"), Target("m", "u"), request));
  CHECK(misses(Tenant("a"), Target("other", "u"), request));
  CHECK(misses(Tenant("a"), Target("m", "other"), request));
  v1::CreateEmbeddingsRequest shorter = request;
  shorter.set_dimensions(2);
  CHECK(misses(Tenant("a"), Target("m", "u"), shorter));
  v1::CreateEmbeddingsRequest purpose = request;
  purpose.set_extra_json(R"({"input_type":"query"})");
  CHECK(misses(Tenant("a"), Target("m", "u"), purpose));
  CHECK_FALSE(misses(Tenant("a"), Target("m", "u"), request));
}

TEST_CASE("tokens are no text", "[router][embeddings]") {
  FakeClock clock;
  EmbeddingCache cache(clock, kRoomy);
  // The bytes of the one are the other's.
  v1::CreateEmbeddingsRequest tokens;
  tokens.add_token_inputs()->add_tokens(0x64636261);
  const Space space = *Space::Of(Tenant("a"), Target("m", "u"), tokens);
  cache.Keep(space, tokens, 0, {1});
  CHECK(cache.Find(space, tokens, 0) != nullptr);
  CHECK(cache.Find(space, Text("abcd"), 0) == nullptr);
}

TEST_CASE("for a caller without a tenant nothing is remembered",
          "[router][embeddings][SEC-2]") {
  CHECK_FALSE(Space::Of(Tenant(""), Target("m", "u"), Text("x")).has_value());
}

TEST_CASE("a vector is forgotten at its age, however often it was used",
          "[router][embeddings]") {
  FakeClock clock;
  EmbeddingCache cache(clock, {int64_t{1} << 20, absl::Minutes(10)});
  const auto request = Text("x");
  const Space space = *Space::Of(Tenant("a"), Target("m", "u"), request);
  cache.Keep(space, request, 0, {1});
  clock.Advance(absl::Minutes(9));
  CHECK(cache.Find(space, request, 0) != nullptr);
  clock.Advance(absl::Minutes(1));
  CHECK(cache.Find(space, request, 0) == nullptr);
  CHECK(cache.bytes() == 0);
  CHECK(cache.hits() == 1);
  CHECK(cache.misses() == 1);
}

TEST_CASE("when it is full the vector that was not used for longest goes",
          "[router][embeddings]") {
  FakeClock clock;
  // Room for two vectors of 100 floats, with what an entry takes beside them.
  EmbeddingCache cache(clock, {1300, absl::Hours(1)});
  v1::CreateEmbeddingsRequest request;
  for (const char* text : {"a", "b", "c"}) request.add_input(text);
  const Space space = *Space::Of(Tenant("t"), Target("m", "u"), request);
  const std::vector<float> vector(100, 0.5F);
  cache.Keep(space, request, 0, vector);
  cache.Keep(space, request, 1, vector);
  CHECK(cache.Find(space, request, 0) != nullptr);
  cache.Keep(space, request, 2, vector);
  CHECK(cache.Find(space, request, 0) != nullptr);
  CHECK(cache.Find(space, request, 1) == nullptr);
  CHECK(cache.Find(space, request, 2) != nullptr);
  CHECK(cache.bytes() <= 1300);
  // One that would not fit at all leaves the others alone.
  cache.Keep(space, request, 1, std::vector<float>(1000, 0.5F));
  CHECK(cache.Find(space, request, 0) != nullptr);
}

}  // namespace
}  // namespace llm
