// Which of the caller's cache marks go out.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

TEST_CASE("marks of the cache stay where the caller put them, four at most",
          "[adapters][anthropic][request]") {
  const std::string mark = R"("cache_control":{"type":"ephemeral"})";
  const std::string user = R"({"role":"user",)" + mark + R"(,"content":"u"})";
  const std::string assistant = R"({"role":"assistant","content":"a"})";
  const auto got = RenderJson(
      R"({"model":"m","tools":[{"type":"function",)" + mark +
      R"(,"function":{"name":"f"}}],"messages":[{"role":"system","content":)"
      R"([{"type":"text","text":"s",)" +
      mark + "}]}," + user + "," + assistant + "," + user + "," + assistant +
      "," + user + "]}");
  CHECK(absl::StrJoin(got.dropped, " ") == "cache_control");
  size_t marks = 0;
  for (size_t at = got.body.find(mark); at != std::string::npos;
       at = got.body.find(mark, at + 1)) {
    ++marks;
  }
  CHECK(marks == 4);
  // The oldest message lost its own.
  CHECK(got.body.find(R"([{"type":"text","text":"u"}])") != std::string::npos);
}

TEST_CASE("a native block's own mark can be taken away",
          "[adapters][anthropic][request]") {
  const std::string mark = R"("cache_control":{"type":"ephemeral"})";
  const std::string page = R"({"type":"search_result",)" + mark +
                           R"(,"source":"s","title":"t","content":[]})";
  const auto got = RenderJson(
      R"({"model":"m","tools":[{"name":"f",)" + mark +
      R"(,"input_schema":{"type":"object"}}],"messages":[{"role":"user",)"
      R"("content":[)" +
      page + "," + page + "," + page + "," + page + "]}]}");
  const std::string bare =
      R"({"type":"search_result","source":"s","title":"t","content":[])";
  const std::string kept = bare + "," + mark + "}";
  CHECK(got.body.find("[" + bare + "}," + kept + "," + kept + "," + kept +
                      "]") != std::string::npos);
  CHECK(got.body.find(R"([{"name":"f","input_schema":{"type":"object"},)" +
                      mark + "}]") != std::string::npos);
  CHECK(absl::StrJoin(got.dropped, " ") == "cache_control");
}

TEST_CASE("marks inside a tool's result count, too",
          "[adapters][anthropic][request]") {
  const std::string mark = R"("cache_control":{"type":"ephemeral"})";
  const std::string text = R"({"type":"text","text":"r",)" + mark + "}";
  const auto got = RenderJson(
      R"({"model":"m","messages":[{"role":"user","content":"u"},)"
      R"({"role":"assistant","tool_calls":[{"id":"a","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool",)"
      R"("tool_call_id":"a","is_error":true,"content":[)" +
      text + "," + text + "," + text + R"(]},{"role":"user",)" + mark +
      R"(,"content":"u"},{"role":"user","content":[{"type":"document",)"
      R"("source":{"type":"content","content":[)" +
      text + "]}}]}]}");
  const std::string kept = R"({"type":"text","text":"r"},)" + text + "," + text;
  CAPTURE(got.body);
  CHECK(got.body.find(R"({"type":"tool_result","tool_use_id":"a",)"
                      R"("is_error":true,"content":[)" +
                      kept + "]}") != std::string::npos);
  CHECK(absl::StrJoin(got.dropped, " ") == "cache_control");
}

}  // namespace
}  // namespace llm
