// Citations that come back apart from their text.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

std::string User(const std::string& text) {
  return R"({"role":"user","content":[{"type":"text","text":")" + text +
         R"("}]})";
}

// What a client of the OpenAI door sends back: `opaque` before all text.
std::string Cited(const std::string& opaque, const std::string& content) {
  const auto got =
      RenderJson(R"({"model":"m","messages":[{"role":"user","content":"hi"},)"
                 R"({"role":"assistant","opaque_parts":[)" +
                 opaque + R"(],"content":)" + content +
                 R"(},{"role":"user","content":"go"}]})");
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  std::string out(doc->root().Find("messages").raw());
  if (!got.dropped.empty()) out += " - " + absl::StrJoin(got.dropped, " ");
  return out;
}

std::string Mark(const std::string& citations, int start, int end) {
  return R"({"origin":"anthropic","part":{"citations":)" + citations +
         R"(,"start_index":)" + std::to_string(start) + R"(,"end_index":)" +
         std::to_string(end) + "}}";
}

TEST_CASE("citations find their place in a text that comes back as one",
          "[adapters][anthropic][request][TRN-1]") {
  const auto want = [](const std::string& blocks) {
    return "[" + User("hi") + R"(,{"role":"assistant","content":[)" + blocks +
           "]}," + User("go") + "]";
  };
  const std::string both = R"({"origin":"anthropic","part":{"type":)"
                           R"("web_search_tool_result","content":[]}},)" +
                           Mark(R"([{"url":"u"}])", 3, 5) + "," +
                           Mark(R"([{"url":"v"}])", 5, 6);
  CHECK(Cited(both, R"("één, ja")") ==
        want(R"({"type":"web_search_tool_result","content":[]},)"
             R"({"type":"text","text":"één"},)"
             R"({"type":"text","text":", ","citations":[{"url":"u"}]},)"
             R"({"type":"text","text":"j","citations":[{"url":"v"}]},)"
             R"({"type":"text","text":"a"})"));
  // The text in two parts, and a mark of the cache on the last.
  CHECK(Cited(Mark(R"([{"url":"u"}])", 3, 5),
              R"([{"type":"text","text":"one"},{"type":"text","text":"tw",)"
              R"("cache_control":{"type":"ephemeral"}}])") ==
        want(R"({"type":"text","text":"one"},{"type":"text","text":"tw",)"
             R"("citations":[{"url":"u"}],)"
             R"("cache_control":{"type":"ephemeral"}})"));
  // The client has shortened the text.
  CHECK(Cited(Mark(R"([{"url":"u"}])", 3, 50), R"("one two")") ==
        want(R"({"type":"text","text":"one two"})") + " - messages.content");
  // The empty list of a text that only ends is nothing to find a place for.
  CHECK(Cited(R"({"origin":"anthropic","part":{"citations":[]}})",
              R"("one")") == want(R"({"type":"text","text":"one"})"));
}

}  // namespace
}  // namespace llm
