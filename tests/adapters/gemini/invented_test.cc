// What is said that nobody said, because Google refuses to do without: each
// has a name among the dropped.
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

constexpr char kSaysHi[] = R"({"role":"user","content":"hi"})";
constexpr char kSaysYes[] = R"({"role":"assistant","content":"yes"})";
constexpr char kCalls[] =
    R"({"role":"assistant","tool_calls":[{"id":"a1","type":"function",)"
    R"("function":{"name":"f","arguments":"{}"}}]})";
constexpr char kAnswers[] =
    R"({"role":"tool","tool_call_id":"a1","content":"{}"})";

// As they are sent.
constexpr char kSentHi[] = R"({"role":"user","parts":[{"text":"hi"}]})";
constexpr char kSentYes[] = R"({"role":"model","parts":[{"text":"yes"}]})";
constexpr char kSentCall[] =
    R"({"role":"model","parts":[{"functionCall":{"id":"a1","name":"f",)"
    R"("args":{}}}]})";
constexpr char kGoOn[] = R"({"role":"user","parts":[{"text":"Go on."}]})";

std::string SaysUser(const std::string& content) {
  return R"({"role":"user","content":)" + content + "}";
}

std::string SentResult(const std::string& response) {
  return R"({"role":"user","parts":[{"functionResponse":{"id":"a1",)"
         R"("name":"f","response":)" +
         response + "}}]}";
}

struct InventedRow {
  std::string name;
  std::vector<std::string> messages;
  std::vector<std::string> contents;
  std::string dropped;
};

TEST_CASE("a user who says nothing at the end still has the last word",
          "[adapters][gemini][request][TRN-6]") {
  const InventedRow row = GENERATE(values<InventedRow>({
      {"nothing", {SaysUser("\"\"")}, {kGoOn}, "messages.content"},
      {"white space", {SaysUser(R"(" \n\t")")}, {kGoOn}, "messages.content"},
      {"empty parts",
       {SaysUser(R"([{"type":"text","text":""},{"type":"text","text":" "}])")},
       {kGoOn},
       "messages.content"},
      {"after an answer",
       {kSaysHi, kSaysYes, SaysUser("\"\"")},
       {kSentHi, kSentYes, kGoOn},
       "messages.content"},
      {"with an answer that says nothing behind it",
       {kSaysHi, kSaysYes, SaysUser("\"\""),
        R"({"role":"assistant","content":""})"},
       {kSentHi, kSentYes, kGoOn},
       "messages.content"},
      {"with instructions behind it",
       {kSaysHi, kSaysYes, SaysUser("\"\""),
        R"({"role":"system","content":""})"},
       {kSentHi, kSentYes, kGoOn},
       "messages.content"},
      {"at the beginning",
       {SaysUser("\" \""), kSaysYes, kSaysHi},
       {kGoOn, kSentYes, kSentHi},
       "messages.content"},
      // Somebody has spoken for the user.
      {"behind the user's own words",
       {kSaysHi, SaysUser("\"\"")},
       {kSentHi},
       ""},
      {"behind results",
       {kSaysHi, kCalls, kAnswers, SaysUser("\"\"")},
       {kSentHi, kSentCall, SentResult("{}")},
       ""},
  }));
  CAPTURE(row.name);
  const RenderedRequest got = Render(Talk(Joined(row.messages)));
  CHECK(Contents(got) == "[" + Joined(row.contents) + "]");
  CHECK(Joined(got.dropped) == row.dropped);
  CHECK_FALSE(got.refusal);
}

TEST_CASE("instructions beside a user who says nothing are the user's words",
          "[adapters][gemini][request]") {
  const RenderedRequest got =
      Render(Talk(R"({"role":"system","content":"A"},)" + SaysUser("\"\"")));
  CHECK(Contents(got) == R"([{"role":"user","parts":[{"text":"A"}]}])");
  CHECK(At(got.body, "systemInstruction").empty());
}

TEST_CASE("a conversation opens with the user",
          "[adapters][gemini][request][TRN-6]") {
  const InventedRow row = GENERATE(values<InventedRow>({
      {"not with a call",
       {kCalls, kAnswers},
       {kGoOn, kSentCall, SentResult("{}")},
       "messages.role"},
      {"nor with an answer",
       {kSaysYes, kSaysHi},
       {kGoOn, kSentYes, kSentHi},
       "messages.role"},
      {"nor with nothing",
       {R"({"role":"assistant","content":""})"},
       {kGoOn},
       "messages.role"},
  }));
  CAPTURE(row.name);
  const RenderedRequest got = Render(Talk(Joined(row.messages)));
  CHECK(Contents(got) == "[" + Joined(row.contents) + "]");
  CHECK(Joined(got.dropped) == row.dropped);
  // Where instructions are the user's words, they open it.
  const RenderedRequest gemma =
      Render(Talk(R"({"role":"system","content":"A"},)" + Joined(row.messages)),
             {.model = "gemma-3-27b-it"});
  CHECK(Contents(gemma).starts_with(
      R"([{"role":"user","parts":[{"text":"A"}]})"));
  CHECK(Joined(gemma.dropped) == "");
}

TEST_CASE("a result that nobody gave is named",
          "[adapters][gemini][request][TRN-4][TRN-6]") {
  const RenderedRequest got = Render(Talk(Joined({kSaysHi, kCalls})));
  CHECK(Contents(got) ==
        "[" +
            Joined({kSentHi, kSentCall,
                    SentResult(
                        R"({"error":"no result was given for this call"})")}) +
            "]");
  CHECK(Joined(got.dropped) == "messages.tool_calls.result");
}

}  // namespace
}  // namespace llm::gemini
