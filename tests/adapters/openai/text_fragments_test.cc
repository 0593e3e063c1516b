#include "adapters/dialect/text_fragments.h"

#include <catch2/catch.hpp>

#include "adapters/openai/message_writer.h"

namespace llm::openai {
namespace {

TEST_CASE("think tags are found at every cut",
          "[adapters][openai][decoder][STR-1]") {
  const auto [text, reasoning, answer] =
      GENERATE(table<std::string, std::string, std::string>({
          {"<think>a b</think>c", "a b", "c"},
          {" \n<think>\na\n</think>\n\nc</think>", "a\n", "c</think>"},
          {"<think>a<b</thin>", "a<b</thin>", ""},
          {"<think></think>c", "", "c"},
          {"say <think>a</think>", "", "say <think>a</think>"},
          {"<thin", "", "<thin"},
          {"  ", "", "  "},
      }));
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(text, cut);
    ThinkSplitter splitter;
    std::string got_reasoning;
    std::string got_answer;
    const auto take = [&](ThinkSplitter::Pieces pieces) {
      got_reasoning += pieces.reasoning;
      got_answer += pieces.text;
    };
    take(splitter.Push(text.substr(0, cut)));
    take(splitter.Push(text.substr(cut)));
    take(splitter.Flush());
    CHECK(got_reasoning == reasoning);
    CHECK(got_answer == answer);
  }
}

TEST_CASE("halves of a character meet, lone ones stay",
          "[adapters][openai][decoder]") {
  const std::string high = "\xED\xA0\xBD";
  const std::string low = "\xED\xB8\x80";
  SurrogateJoiner joiner;
  CHECK(joiner.Push("a" + high) == "a");
  CHECK(joiner.Push(low + "b") ==
        "\xF0\x9F\x98\x80"
        "b");
  CHECK(joiner.Push(high).empty());
  CHECK(joiner.Push("c") == high + "c");
  CHECK(joiner.Push(high).empty());
  CHECK(joiner.Flush() == high);
  CHECK(joiner.Flush().empty());
}

TEST_CASE("short call ids are stable and well formed",
          "[adapters][openai][request]") {
  const std::string id = ShortCallId("call_1234567890");
  CHECK(id.size() == 9);
  CHECK(id == ShortCallId("call_1234567890"));
  CHECK(id != ShortCallId("call_1234567891"));
  CHECK(id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
        std::string::npos);
}

}  // namespace
}  // namespace llm::openai
