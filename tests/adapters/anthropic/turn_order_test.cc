// Whose turn it is, where messages hold nothing or stand in another order.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

// Each turn as its role and what its blocks say; then what was dropped.
std::string Turns(const std::string& messages, const std::string& more = "",
                  const std::string& model = "claude-sonnet-4-5") {
  const anthropic::RenderedRequest got =
      RenderJson(R"({"model":"m","messages":[)" + messages + "]" + more + "}",
                 {model, {}});
  if (got.refusal) return "refused " + got.refusal->param;
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  std::string out;
  const JsonValue turns = doc->root().Find("messages");
  for (JsonValue turn = turns.First(); turn; turn = turn.Next()) {
    std::vector<std::string> blocks;
    const JsonValue content = turn.Find("content");
    for (JsonValue v = content.First(); v; v = v.Next()) {
      blocks.push_back(v.Find("text").StringOr(v.Find("type").StringOr()));
    }
    out +=
        turn.Find("role").StringOr() + "[" + absl::StrJoin(blocks, "|") + "] ";
  }
  if (doc->root().Find("thinking")) out += "thinks ";
  return out + "- " + absl::StrJoin(got.dropped, " ");
}

std::string Said(const std::string& role, const std::string& text) {
  return R"({"role":")" + role + R"(","content":")" + text + "\"}";
}

// It thought, said something and called.
const char kCalled[] =
    R"({"role":"assistant","content":"B","reasoning_content":"I see.",)"
    R"("reasoning_details":[{"type":"reasoning.text","text":"",)"
    R"("signature":"S=","format":"anthropic-claude-v1"}],"tool_calls":[)"
    R"({"id":"a","type":"function","function":{"name":"f",)"
    R"("arguments":"{}"}}]},{"role":"tool","tool_call_id":"a",)"
    R"("content":"1"})";

TEST_CASE("a user's message that holds nothing is still the user's turn",
          "[adapters][anthropic][request][TRN-6]") {
  const std::string start = Said("user", "hi") + "," + Said("assistant", "A");
  const std::string blank = "," + Said("user", " ");
  const std::string want =
      "user[hi] assistant[A] user[(This message was empty.)] - "
      "messages.content";
  // Not a prefill, nor refused as one.
  CHECK(Turns(start + blank) == want);
  CHECK(Turns(start + blank, "", "claude-opus-4-6") == want);
  // Beside other words of the user's it is nothing.
  CHECK(Turns(start + blank + "," + Said("user", "go")) ==
        "user[hi] assistant[A] user[go] - ");
  CHECK(Turns(Said("user", "hi") + "," + Said("assistant", " ") + blank) ==
        "user[hi] - ");
  // Alone it is the first turn, which nobody made up.
  CHECK(Turns(Said("user", " ")) ==
        "user[(This message was empty.)] - messages.content");
  CHECK(Turns(Said("user", "") + "," + Said("assistant", "A") + "," +
              Said("user", "go")) ==
        "user[(This message was empty.)] assistant[A] user[go] - "
        "messages.content");
  // A system message that says nothing is no user's.
  CHECK(Turns(start + "," + Said("system", " ")) == "user[hi] assistant[A] - ");
}

TEST_CASE("thinking stands first where turns of the assistant are joined",
          "[adapters][anthropic][request][TRN-3]") {
  const std::string start =
      Said("user", "hi") + "," + Said("assistant", "A") + ",";
  const std::string effort = R"(,"reasoning_effort":"low")";
  CHECK(Turns(start + Said("user", " ") + "," + kCalled, effort) ==
        "user[hi] assistant[A] user[(This message was empty.)] "
        "assistant[thinking|B|tool_use] user[tool_result] thinks - "
        "messages.content");
  CHECK(Turns(start + Said("system", " ") + "," + kCalled, effort) ==
        "user[hi] assistant[thinking|A|B|tool_use] user[tool_result] thinks "
        "- ");
}

TEST_CASE("a loop whose first word is not thinking has thought all the same",
          "[adapters][anthropic][request][TRN-3]") {
  // A server's tool keeps Anthropic's own order.
  std::string called(kCalled);
  called.replace(called.find(R"("content":"B")"), 13,
                 R"("content":"B","opaque_parts":[{"origin":"anthropic",)"
                 R"("part":{"type":"compaction","content":"C"}}])");
  const std::string got =
      Turns(Said("user", "hi") + "," + Said("assistant", "A") + "," + called,
            R"(,"reasoning_effort":"low")", "claude-opus-4-6");
  CAPTURE(got);
  CHECK(got.starts_with("user[hi] assistant[A|"));
  CHECK(got.ends_with("thinks - "));
}

TEST_CASE("system text that a user's words overtake is named",
          "[adapters][anthropic][request][TRN-6]") {
  const std::string beta = R"(,"betas":["mid-conversation-system-2026-04-07"])";
  CHECK(Turns(Said("user", "FIRST") + "," + Said("system", "T") + "," +
                  Said("user", "SECOND"),
              beta) == "user[FIRST|SECOND] system[T] - messages.system");
  CHECK(Turns(Said("user", "FIRST") + "," + Said("system", "T") + "," +
                  Said("user", " ") + "," + Said("system", "U"),
              beta) == "user[FIRST] system[T|U] - ");
  CHECK(Turns(Said("user", "FIRST") + "," + Said("system", " ") + "," +
                  Said("user", "SECOND"),
              beta) == "user[FIRST|SECOND] - ");
  CHECK(Turns(Said("user", "hi") + "," + Said("assistant", "A") + "," +
                  Said("system", "T") + "," + Said("user", " "),
              beta) ==
        "user[hi] assistant[A] user[(This message was empty.)] system[T] - "
        "messages.content");
}

TEST_CASE("names of system messages are named, wherever they stand",
          "[adapters][anthropic][request][TRN-6]") {
  const std::string system = R"({"role":"system","name":"ops","content":"T"})";
  const std::string user = Said("user", "hi");
  const auto beta =
      GENERATE(as<std::string>(), "",
               R"(,"betas":["mid-conversation-system-2026-04-07"])");
  CHECK(Turns(system + "," + user, beta) == "user[hi] - messages.name");
  const std::string mid = Turns(user + "," + system, beta);
  CAPTURE(mid);
  CHECK(mid.find("messages.name") != std::string::npos);
}

}  // namespace
}  // namespace llm
