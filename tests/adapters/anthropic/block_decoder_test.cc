// Blocks that nobody knows, as large as they come.
#include <catch2/catch.hpp>
#include <string>

#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

std::string Members(int from, int to, const std::string& value) {
  std::string out;
  for (int i = from; i < to; ++i) {
    out += ",\"m" + std::to_string(i) + "\":" + value;
  }
  return out;
}

// Each member looked for among all others would take minutes.
TEST_CASE("an unknown block may have members without end, none is lost",
          "[adapters][anthropic][stream][TRN-1]") {
  constexpr int kMembers = 200'000;
  ScriptedTransport::Script script;
  script.body = Sse(
      {Start(), BlockStart(0, R"({"type":"new")" + Members(0, 2, "1") + "}"),
       BlockDelta(
           0, R"({"type":"new_delta")" + Members(1, kMembers, R"("a")") + "}"),
       BlockDelta(0, R"({"type":"new_delta")" + Members(1, 3, R"("b")") + "}"),
       BlockStop(0), Stop("end_turn"), End()});
  const Exchange got = RunExchange(script);
  CHECK(got.result.status.ok());
  std::string opaque;
  for (const v1::ChatCompletionChunk& chunk : got.chunks) {
    for (const v1::Part& part : chunk.choices(0).delta().parts()) {
      if (part.has_opaque()) opaque = part.opaque().json();
    }
  }
  CHECK(opaque.starts_with(
      R"({"type":"new","m0":1,"m1":"ab","m2":"ab","m3":"a","m4":"a",)"));
  CHECK(opaque.ends_with(",\"m" + std::to_string(kMembers - 1) + R"(":"a"})"));
}

}  // namespace
}  // namespace llm
