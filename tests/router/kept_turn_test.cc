#include "router/kept_turn.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/router/router_fixture.h"

namespace llm {
namespace {

v1::Part Thought(std::string text, std::string signature = "",
                 std::string origin = "") {
  v1::Part part;
  part.mutable_reasoning()->set_text(std::move(text));
  part.mutable_reasoning()->set_signature(std::move(signature));
  part.mutable_reasoning()->set_origin(std::move(origin));
  return part;
}

v1::Part Text(std::string text) {
  v1::Part part;
  part.mutable_text()->set_text(std::move(text));
  return part;
}

v1::Part Call(std::string id, std::string name, std::string arguments) {
  v1::Part part;
  v1::ToolCall& call = *part.mutable_tool_call();
  call.set_id(std::move(id));
  call.set_type("function");
  call.mutable_function()->set_name(std::move(name));
  call.mutable_function()->set_arguments(std::move(arguments));
  return part;
}

v1::Message Assistant(std::vector<v1::Part> parts) {
  v1::Message message;
  message.set_role("assistant");
  for (v1::Part& part : parts) *message.add_parts() = std::move(part);
  return message;
}

ChatRequest History(v1::Message turn) {
  ChatRequest request;
  *request.message.add_messages() = std::move(turn);
  v1::Message& result = *request.message.add_messages();
  result.set_role("tool");
  result.set_tool_call_id("call-1");
  return request;
}

// The parts of a message in one line.
std::string Line(const v1::Message& message) {
  std::string line;
  for (const v1::Part& part : message.parts()) {
    if (!line.empty()) line += ' ';
    if (part.has_reasoning()) {
      line += "(" + part.reasoning().text() + "|" +
              part.reasoning().signature() + ")";
    } else if (part.has_opaque()) {
      line += part.opaque().json();
    } else if (part.has_tool_call()) {
      line += part.tool_call().function().name() + "|" +
              part.tool_call().signature();
    } else {
      line += part.text().text();
    }
  }
  return line;
}

struct Memory {
  FakeClock clock;
  std::unique_ptr<TurnMemory> turns = MakeTurnMemory(clock, {});
};

TEST_CASE("a turn that its client stripped comes back whole",
          "[router][reasoning][TRN-2][TRN-3]") {
  Memory memory;
  v1::Part opaque;
  opaque.mutable_opaque()->set_json("{\"server\":1}");
  v1::Part signed_call = Call("call-1", "look", R"({"a": 1, "b": [2.0]})");
  signed_call.mutable_tool_call()->set_signature("proof");
  KeepTurn("t",
           Assistant({Thought("one", "s1", "anthropic"), Text("first"), opaque,
                      Thought("two", "s2", "anthropic"), Text("second"),
                      signed_call}),
           *memory.turns);
  // Text in one piece, arguments written anew.
  const ChatRequest request = History(Assistant(
      {Text("firstsecond"), Call("call-1", "look", R"({"b":[2],"a":1})")}));
  const auto restored = RestoreTurns("t", request, *memory.turns);
  REQUIRE(restored);
  CHECK(Line(restored->message.messages(0)) ==
        "(one|s1) first {\"server\":1} (two|s2) second look|proof");
  CHECK(restored->IsRestored(0));
  CHECK_FALSE(restored->IsRestored(1));
  CHECK_FALSE(restored->IsRestored(2));
  // The client's own words stand.
  CHECK(restored->message.messages(0)
            .parts(5)
            .tool_call()
            .function()
            .arguments() == R"({"b":[2],"a":1})");
}

TEST_CASE("what a client says differently stays, with the reasoning before it",
          "[router][reasoning]") {
  Memory memory;
  KeepTurn(
      "t",
      Assistant({Thought("why"), Text("said"), Call("call-1", "look", "{}")}),
      *memory.turns);
  const auto restored = RestoreTurns(
      "t",
      History(Assistant({Text("edited"), Call("call-1", "look", ""),
                         Call("call-1b", "other", "")})),
      *memory.turns);
  // A call that was never made: this is another turn.
  CHECK_FALSE(restored);
  const auto edited = RestoreTurns(
      "t", History(Assistant({Text("edited"), Call("call-1", "look", "")})),
      *memory.turns);
  REQUIRE(edited);
  CHECK(Line(edited->message.messages(0)) == "(why|) edited look|");
  const auto silent = RestoreTurns(
      "t", History(Assistant({Call("call-1", "look", "{ }")})), *memory.turns);
  REQUIRE(silent);
  CHECK(Line(silent->message.messages(0)) == "(why|) look|");
}

TEST_CASE("an id alone brings nothing back", "[router][reasoning][SEC-2]") {
  Memory memory;
  KeepTurn("t",
           Assistant({Thought("secret"), Call("call-1", "look", "{\"a\":1}")}),
           *memory.turns);
  const auto [tenant, name, arguments] =
      GENERATE(table<std::string, std::string, std::string>({
          {"other", "look", "{\"a\":1}"},  // another tenant
          {"t", "peek", "{\"a\":1}"},      // another function
          {"t", "look", "{\"a\":2}"},      // other arguments
          {"t", "look", "{\"a\":1,\"b\":1}"},
          {"t", "look", "no json"},
      }));
  CAPTURE(tenant, name, arguments);
  CHECK_FALSE(RestoreTurns(
      tenant, History(Assistant({Call("call-1", name, arguments)})),
      *memory.turns));
}

TEST_CASE(
    "turns without a call, or with nothing that clients drop, are not kept",
    "[router][reasoning]") {
  CHECK_FALSE(WorthKeeping(Assistant({Thought("why"), Text("said")})));
  CHECK_FALSE(WorthKeeping(Assistant({Text("x"), Call("c", "f", "{}")})));
  CHECK(WorthKeeping(Assistant({Thought("why"), Call("c", "f", "{}")})));
  v1::Part text = Text("");
  text.mutable_text()->set_signature("proof");
  CHECK(WorthKeeping(Assistant({text, Call("c", "f", "{}")})));
}

TEST_CASE("what is kept is bounded in bytes, per tenant and in age",
          "[router][reasoning]") {
  FakeClock clock;
  TurnMemoryLimits limits;
  limits.max_bytes = 70'000;
  limits.max_tenant_bytes = 30'000;
  limits.max_turn_bytes = 20'000;
  limits.max_age = absl::Minutes(10);
  const auto turns = MakeTurnMemory(clock, limits);
  const auto keep = [&](const std::string& tenant, const std::string& id,
                        size_t size) {
    turns->Keep(tenant, {id}, Assistant({Thought(std::string(size, 'x'))}));
  };
  keep("a", "big", 30'000);
  CHECK(turns->Find("a", "big") == nullptr);
  for (int i = 0; i < 4; ++i) keep("a", std::to_string(i), 10'000);
  // Two of 10,000 and some fit into a tenant's 30,000; the oldest went.
  CHECK(turns->Find("a", "0") == nullptr);
  CHECK(turns->Find("a", "1") == nullptr);
  CHECK(turns->Find("a", "2") != nullptr);
  CHECK(turns->Find("a", "3") != nullptr);
  // Others push out the least recently used of all.
  keep("b", "0", 10'000);
  keep("b", "1", 10'000);
  keep("c", "0", 10'000);
  keep("c", "1", 10'000);
  keep("d", "0", 10'000);
  CHECK(turns->Find("a", "2") == nullptr);
  CHECK(turns->Find("d", "0") != nullptr);
  clock.Advance(absl::Minutes(11));
  CHECK(turns->Find("d", "0") == nullptr);
}

TEST_CASE("a proof of no maker is no reason to leave a turn as it came",
          "[router][reasoning]") {
  Memory memory;
  const v1::Part call = Call("call-1", "look", "{}");
  KeepTurn("t", Assistant({Thought("because", "s", "anthropic"), call}),
           *memory.turns);
  v1::Part nobodys;
  nobodys.mutable_reasoning()->set_redacted_data("s");
  const auto restored =
      RestoreTurns("t", History(Assistant({nobodys, call})), *memory.turns);
  REQUIRE(restored);
  CHECK(Line(restored->message.messages(0)) == "(because|s) look|");
}

TEST_CASE("a stream's turn is put together as a whole answer's is",
          "[router][reasoning][STR-3]") {
  TurnRecorder recorder(1'000);
  recorder.Add(ReasoningChunk("be"));
  recorder.Add(ReasoningChunk("cause"));
  v1::ChatCompletionChunk proof = ReasoningChunk("");
  proof.mutable_choices(0)
      ->mutable_delta()
      ->mutable_parts(0)
      ->mutable_reasoning()
      ->set_signature("s");
  recorder.Add(proof);
  recorder.Add(TextChunk("Hel"));
  recorder.Add(TextChunk(""));
  recorder.Add(TextChunk("lo"));
  recorder.Add(TextChunk("other choice", 1));
  recorder.Add(ToolChunk(0, "call-1", "look", "{\"a\""));
  recorder.Add(ToolChunk(0, "", "", ":1}"));
  const auto turn = recorder.Take();
  REQUIRE(turn);
  CHECK(Line(*turn) == "(because|s) Hello look|");
  CHECK(turn->parts(2).tool_call().function().arguments() == "{\"a\":1}");

  TurnRecorder small(10);
  small.Add(ReasoningChunk("more than ten bytes"));
  small.Add(ToolChunk(0, "call-1", "look", "{}"));
  CHECK_FALSE(small.Take());
}

TEST_CASE("a tool loop's reasoning reaches the next attempt, streamed or not",
          "[router][reasoning][TRN-3]") {
  const bool stream = GENERATE(false, true);
  CAPTURE(stream);
  RouterFixture fixture;
  ScriptedAttempt thinking = Answer("", 5, 5);
  thinking.chunks = {ReasoningChunk("because"),
                     ToolChunk(0, "call-1", "look", "{}"),
                     FinishChunk("tool_calls")};
  fixture.a->Play(thinking);
  v1::ChatCompletionRequest message = Ask("alpha", "look it up");
  message.add_tools()->mutable_function()->set_name("look");
  if (stream) {
    RecordingSink sink;
    REQUIRE(fixture.Stream(message, sink).status.ok());
  } else {
    REQUIRE(fixture.Unary(message).status.ok());
  }
  *message.add_messages() = Assistant({Call("call-1", "look", "{}")});
  v1::Message& result = *message.add_messages();
  result.set_role("tool");
  result.set_tool_call_id("call-1");
  std::string seen;
  fixture.a->on_request = [&](const ChatRequest& request) {
    seen = Line(request.message.messages(1));
  };
  fixture.a->Play(Answer("done", 5, 5));
  REQUIRE(fixture.Unary(message).status.ok());
  CHECK(seen == "(because|) look|");
}

}  // namespace
}  // namespace llm
