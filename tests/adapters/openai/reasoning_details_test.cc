#include "adapters/openai/reasoning_details.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/adapters/openai/exchange.h"

namespace llm::openai {
namespace {

std::string Quoted(const std::vector<std::string>& texts, size_t at) {
  return R"([{"type":"reasoning.text","index":0,"text":)" +
         JsonQuote(texts[at]) + "}]";
}

TEST_CASE("Reasoning details come as fragments or as all so far",
          "[adapters][openai][minimax]") {
  struct Row {
    std::vector<std::string> sent;
    std::string want;
  };
  const Row row = GENERATE(values<Row>({
      {{"Let", " me", " see"}, "Let me see"},
      {{"Let", "Let me", "Let me see"}, "Let me see"},
      {{"Let", "Let me", "Let me"}, "Let me"},
      // White space repeats by accident.
      {{"\n", "\n", "ha", "ha"}, "\n\nhaha"},
      {{"\n", "\n\nOh", "\n\nOh no"}, "\n\n\nOh\n\nOh no"},
      // One that goes on as fragments stays so.
      {{"a", "b", "ab", "abab"},
       "ababab"
       "ab"},
      // A cumulative server that starts anew is not swallowed.
      {{"Let", "Let me", "Next"}, "Let meNext"},
  }));
  ReasoningDetails details;
  std::string got;
  for (size_t i = 0; i < row.sent.size(); ++i) {
    const std::string text = Quoted(row.sent, i);
    const auto doc = JsonDocument::Parse(text);
    REQUIRE(doc.ok());
    got += details.Push(doc->root()).text;
  }
  CAPTURE(row.sent);
  CHECK(got == row.want);
}

TEST_CASE("Each entry is followed by its own index",
          "[adapters][openai][minimax]") {
  ReasoningDetails details;
  std::string text;
  for (const char* event :
       {R"([{"index":0,"text":"A"},{"index":1,"text":"x","id":"r"}])",
        R"([{"index":0,"text":"A1"},{"index":1,"text":"xy","id":"r"}])"}) {
    const std::string json = event;
    const auto doc = JsonDocument::Parse(json);
    const auto step = details.Push(doc->root());
    text += step.text + "|";
    if (text.size() > 4) {
      CHECK(step.list ==
            R"([{"index":0,"text":"1"},{"index":1,"text":"y","id":"r"}])");
    }
  }
  CHECK(text == "Ax|1y|");
}

TEST_CASE("A stream of cumulative details reads as one that is not",
          "[adapters][openai][minimax][STR-3]") {
  const auto event = [](const std::string& text) {
    return Delta(R"({"reasoning_details":[{"type":"reasoning.text",)"
                 R"("index":0,"text":")" +
                 text + R"("}]})");
  };
  const std::string answer = Delta(R"({"content":"Yes."})", "stop");
  const Exchange all = RunExchange({.body = Sse({event("I"), event("I think"),
                                                 event("I think so"), answer})},
                                   {.profile = "minimax"});
  const Exchange pieces = RunExchange(
      {.body = Sse({event("I"), event(" think"), event(" so"), answer})},
      {.profile = "minimax"});
  REQUIRE(all.result.status.ok());
  CHECK(all.Line() == pieces.Line());
  CHECK(all.Line().find("I think so") != std::string::npos);
}

}  // namespace
}  // namespace llm::openai
