#include "tests/simulator/fault_mix.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace llm::simulator {
namespace {

constexpr char kMix[] =
    R"({"rate":0.05,"seed":7,"faults":[{"status":500},{"before_head":"reset"}]})";

// One letter for each request: what struck it, or nothing.
std::string Days(FaultMix mix, int requests) {
  std::string out;
  for (int i = 0; i < requests; ++i) {
    const auto fault = mix.Next();
    out += !fault ? '.' : fault->status == 500 ? 's' : 'r';
  }
  return out;
}

TEST_CASE("the same seed strikes the same requests", "[simulator][mix]") {
  const auto one = FaultMix::Parse(kMix);
  const auto two = FaultMix::Parse(kMix);
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  CHECK(Days(*one, 500) == Days(*two, 500));
}

TEST_CASE("about its rate of requests is struck, by each of its faults",
          "[simulator][mix]") {
  const auto mix = FaultMix::Parse(kMix);
  REQUIRE(mix.ok());
  const std::string days = Days(*mix, 20'000);
  const auto resets = std::count(days.begin(), days.end(), 'r');
  const auto spared = std::count(days.begin(), days.end(), '.');
  CHECK(spared > 18'800);
  CHECK(spared < 19'200);
  CHECK(resets > 400);
  CHECK(resets < 600);
}

TEST_CASE("a rate of nothing spares everybody", "[simulator][mix]") {
  const auto mix = FaultMix::Parse(R"({"rate":0})");
  REQUIRE(mix.ok());
  CHECK(Days(*mix, 100) == std::string(100, '.'));
}

TEST_CASE("a mix that cannot be meant is refused", "[simulator][mix]") {
  const auto [json, word] = GENERATE(table<std::string, std::string>({
      {R"([])", "not an object"},
      {R"({"rate":1.5,"faults":[{}]})", "rate"},
      {R"({"seed":1})", "rate"},
      {R"({"rate":0.1})", "faults"},
      {R"({"rate":0.1,"faults":[{"statsu":500}]})", "statsu"},
      {R"({"rate":0.1,"fault":[{}]})", "fault: unknown member"},
  }));
  CAPTURE(json);
  const auto mix = FaultMix::Parse(json);
  REQUIRE_FALSE(mix.ok());
  CHECK(mix.status().message().find(word) != std::string::npos);
}

TEST_CASE("what comes before the head is close, reset or stall",
          "[simulator][script]") {
  CHECK(ParseScript(R"({"before_head":"stall"})")->before_head == Fate::kStall);
  CHECK_FALSE(ParseScript(R"({"before_head":"explode"})").ok());
}

}  // namespace
}  // namespace llm::simulator
