#include "server/http/parse_message.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "server/http/parse_chat_request.h"
#include "server/http/render_message.h"

namespace llm::server {
namespace {

v1::Message OneMessage(std::string_view json) {
  const auto request = ParseChatRequest(std::make_shared<const std::string>(
      R"({"messages":[)" + std::string(json) + "]}"));
  INFO(request.status().ToString());
  REQUIRE(request.ok());
  return request->message.messages(0);
}

v1::Part OnePart(std::string_view json) {
  v1::Message message =
      OneMessage(R"({"role":"user","content":[)" + std::string(json) + "]}");
  REQUIRE(message.parts_size() == 1);
  return message.parts(0);
}

TEST_CASE("an assistant message becomes reasoning, text, refusal, calls",
          "[server][http][parse]") {
  const v1::Message message = OneMessage(R"({
      "tool_calls":[{"id":"c1","type":"function","function":{"name":"f",
         "arguments":"{\"a\":1}"},"extra_content":{"g":1}},
        {"id":"c2","type":"custom","custom":{"name":"g","input":"free"}}],
      "refusal":"no","content":"text","reasoning_content":"because",
      "role":"assistant","prefix":true,"annotations":[1],
      "audio":{"id":"a"},"function_call":{"name":"old"},"name":"bob"})");
  REQUIRE(message.parts_size() == 5);
  CHECK(message.parts(0).reasoning().text() == "because");
  CHECK(message.parts(1).text().text() == "text");
  CHECK(message.parts(2).refusal().text() == "no");
  const v1::ToolCall& call = message.parts(3).tool_call();
  CHECK(call.id() == "c1");
  CHECK(call.type() == "function");
  CHECK(call.function().name() == "f");
  CHECK(call.function().arguments() == R"({"a":1})");
  CHECK(call.extra_json() == R"({"extra_content":{"g":1}})");
  CHECK(message.parts(4).tool_call().index() == 1);
  CHECK(message.parts(4).tool_call().custom().input() == "free");
  CHECK(message.extra_json() == R"({"prefix":true})");
  CHECK(message.annotations() == "[1]");
  CHECK(message.audio() == R"({"id":"a"})");
  CHECK(message.function_call() == R"({"name":"old"})");
  CHECK(message.name() == "bob");
  // The flat view is clear behind the door.
  CHECK_FALSE(message.has_content());
  CHECK_FALSE(message.has_reasoning_content());
  CHECK_FALSE(message.has_refusal());
  CHECK(message.tool_calls_size() == 0);
}

TEST_CASE("tool-call arguments that are not text keep their JSON",
          "[server][http][parse]") {
  const auto [json, want] = GENERATE(table<const char*, const char*>({
      {R"("")", ""},
      {"null", ""},
      {R"({"b":1,"a":0.70})", R"({"b":1,"a":0.70})"},
      {R"("not json")", "not json"},
  }));
  const v1::Message message = OneMessage(
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c",
          "function":{"name":"f","arguments":)" +
      std::string(json) + "}}]}");
  REQUIRE(message.parts_size() == 1);
  CHECK(message.parts(0).tool_call().function().arguments() == want);
  CHECK(message.parts(0).tool_call().type() == "function");
}

TEST_CASE("reasoning details give signatures and stay as they came",
          "[server][http][parse]") {
  const v1::Message message = OneMessage(
      R"({"role":"assistant","content":"x","reasoning":"t","reasoning_details":[
      {"type":"reasoning.text","text":"t","signature":"sig","format":
       "anthropic-claude-v1"},
      {"type":"reasoning.encrypted","data":"blob","format":"google-gemini-v1"},
      {"type":"reasoning.summary","summary":"s"},{"type":"new.kind"}]})");
  REQUIRE(message.parts_size() == 4);
  CHECK(message.parts(0).reasoning().text() == "t");
  CHECK(message.parts(0).reasoning().signature() == "sig");
  CHECK(message.parts(0).reasoning().origin() == "anthropic");
  CHECK(message.parts(1).reasoning().redacted_data() == "blob");
  CHECK(message.parts(1).reasoning().origin() == "gemini");
  CHECK(message.parts(2).reasoning().summary());
  CHECK(message.parts(3).text().text() == "x");
  CHECK(message.extra_json().find("new.kind") != std::string::npos);
}

TEST_CASE("reasoning text comes before redacted details",
          "[server][http][parse]") {
  const v1::Message message = OneMessage(
      R"({"role":"assistant","reasoning":"t","content":"x",
      "reasoning_details":[{"type":"reasoning.encrypted","data":"b"}]})");
  REQUIRE(message.parts_size() == 3);
  CHECK(message.parts(0).reasoning().text() == "t");
  CHECK(message.parts(1).reasoning().redacted_data() == "b");
  CHECK(message.parts(2).text().text() == "x");
}

// As a caller echoes what it was given.
v1::Message Echo(const v1::Message& message) {
  std::string json;
  JsonWriter writer(&json);
  writer.BeginObject();
  FlatEnd end;
  WriteMessage(message, MessageForm::kWhole, end, writer);
  writer.EndObject();
  return OneMessage(json);
}

// As a caller joins a stream's deltas, one a part, and echoes them: texts and
// lists are put behind each other, calls by their index.
std::string JoinDeltas(const v1::Message& message) {
  std::string content, reasoning, details, opaque, calls;
  const auto add = [](JsonValue list, std::string* to) {
    for (JsonValue v = list.First(); v; v = v.Next()) {
      *to += (to->empty() ? "" : ",") + std::string(v.raw());
    }
  };
  FlatEnd end;
  for (const v1::Part& part : message.parts()) {
    v1::Message delta;
    *delta.add_parts() = part;
    std::string json;
    JsonWriter writer(&json);
    writer.BeginObject();
    WriteMessage(delta, MessageForm::kDelta, end, writer);
    writer.EndObject();
    const auto doc = JsonDocument::Parse(json);
    REQUIRE(doc.ok());
    content += doc->root().Find("content").StringOr();
    reasoning += doc->root().Find("reasoning_content").StringOr();
    add(doc->root().Find("reasoning_details"), &details);
    add(doc->root().Find("opaque_parts"), &opaque);
    add(doc->root().Find("tool_calls"), &calls);
  }
  return R"({"role":"assistant","content":)" + JsonQuote(content) +
         R"(,"reasoning_content":)" + JsonQuote(reasoning) +
         R"(,"reasoning_details":[)" + details + R"(],"opaque_parts":[)" +
         opaque + R"(],"tool_calls":[)" + calls + "]}";
}

void AddSigned(const std::string& text, const std::string& signature,
               v1::Message& message) {
  v1::ReasoningPart& part = *message.add_parts()->mutable_reasoning();
  part.set_text(text);
  part.set_signature(signature);
  part.set_origin("anthropic");
}

void AddOpaque(const std::string& type, v1::Message& message) {
  v1::OpaquePart& part = *message.add_parts()->mutable_opaque();
  part.set_origin("anthropic");
  part.set_json(R"({"type":")" + type + "\"}");
}

void AddCall(int index, v1::Message& message) {
  v1::ToolCall& call = *message.add_parts()->mutable_tool_call();
  call.set_index(index);
  call.set_id("c" + std::to_string(index));
  call.set_type("function");
  call.mutable_function()->set_name("look");
  call.mutable_function()->set_arguments("{}");
}

// Thoughts, words, blocks of the maker's own and calls by turns.
v1::Message Interleaved() {
  v1::Message message;
  message.set_role("assistant");
  AddSigned("Erst \u00fcberlegen.", "s1", message);
  message.add_parts()->mutable_text()->set_text("Gr\u00fc\u00dfe");
  AddOpaque("server_tool_use", message);
  AddOpaque("web_search_tool_result", message);
  AddSigned("", "s2", message);
  message.add_parts()->mutable_text()->set_text(" und mehr");
  AddCall(0, message);
  AddSigned("weiter", "s3", message);
  AddCall(1, message);
  AddOpaque("compaction", message);
  message.add_parts()->mutable_reasoning()->set_text("unsigned");
  message.add_parts()->mutable_text()->set_text("Ende");
  return message;
}

TEST_CASE("every part finds its place again when a caller sends it back",
          "[server][http][parse][TRN-1][TRN-2]") {
  v1::Message echoed = Echo(Interleaved());
  echoed.clear_extra_json();  // reasoning_details, for a maker of that dialect
  CHECK(echoed.ShortDebugString() == Interleaved().ShortDebugString());
}

TEST_CASE("every part finds its place again after a stream was joined",
          "[server][http][parse][TRN-1][TRN-2][STR-3]") {
  v1::Message parts = Interleaved();
  // A stream brings a signature without its text, which came before it.
  v1::Message deltas;
  for (const v1::Part& part : parts.parts()) {
    if (part.reasoning().signature().empty()) {
      *deltas.add_parts() = part;
      continue;
    }
    deltas.add_parts()->mutable_reasoning()->set_text(part.reasoning().text());
    *deltas.add_parts() = part;
    deltas.mutable_parts(deltas.parts_size() - 1)
        ->mutable_reasoning()
        ->clear_text();
  }
  v1::Message echoed = OneMessage(JoinDeltas(deltas));
  echoed.clear_extra_json();
  CHECK(echoed.ShortDebugString() == parts.ShortDebugString());
}

TEST_CASE("a text that was changed has no places any more",
          "[server][http][parse][TRN-1]") {
  v1::Message message;
  message.set_role("assistant");
  message.add_parts()->mutable_text()->set_text("ab");
  AddOpaque("t", message);
  message.add_parts()->mutable_text()->set_text("cd");
  std::string json = JoinDeltas(message);
  REQUIRE(OneMessage(json).parts_size() == 3);
  json.replace(json.find("abcd"), 4, "Zabcd");
  const v1::Message edited = OneMessage(json);
  // Before the text, behind reasoning that says nothing.
  REQUIRE(edited.parts_size() == 3);
  CHECK(edited.parts(1).has_opaque());
  CHECK(edited.parts(2).text().text() == "Zabcd");
}

TEST_CASE("reasoning with a place is not doubled, signed or not",
          "[server][http][parse][TRN-2]") {
  const std::string at =
      R"("at":{"content":0,"calls":0,"check":2166136261,"order":)";
  const v1::Message message = OneMessage(
      R"({"role":"assistant","reasoning_content":"abcdef","content":"x",)"
      R"("reasoning_details":[{"type":"reasoning.text","text":"abc",)" +
      at + R"(0,"reasoning":3}},{"type":"reasoning.text","signature":"s",)" +
      at + R"(1,"reasoning":6}}]})");
  REQUIRE(message.parts_size() == 3);
  CHECK(message.parts(0).reasoning().text() == "abc");
  CHECK(message.parts(1).reasoning().text() == "def");
  CHECK(message.parts(1).reasoning().signature() == "s");
  CHECK(message.parts(2).text().text() == "x");
}

TEST_CASE("places that no longer fit are no places",
          "[server][http][parse][TRN-1]") {
  const std::string at = GENERATE(
      R"({"content":9,"reasoning":0,"calls":0,"order":0,"check":2166136261})",
      R"({"content":-1,"reasoning":0,"calls":0,"order":0,"check":2166136261})",
      R"({"content":2,"reasoning":0,"calls":0,"order":0,"check":2166136261})",
      R"({"content":0,"reasoning":1,"calls":0,"order":0,"check":2166136261})",
      R"({"content":0,"reasoning":0,"calls":1,"order":0,"check":2166136261})",
      // Behind another text.
      R"({"content":1,"reasoning":0,"calls":0,"order":0,"check":2166136261})",
      R"({"content":0,"reasoning":0,"calls":0,"check":2166136261})",
      R"("here")");
  const v1::Message message = OneMessage(
      R"({"role":"assistant","content":"x\u00e9","opaque_parts":[{"origin":)"
      R"("anthropic","part":{"type":"t"},"at":)" +
      at + "}]}");
  REQUIRE(message.parts_size() == 2);
  CHECK(message.parts(0).has_opaque());
  CHECK(message.parts(1).text().text() == "x\u00e9");
}

TEST_CASE("what its maker wants back survives the way through a caller",
          "[server][http][parse][TRN-1][TRN-2]") {
  v1::Message message;
  message.set_role("assistant");
  v1::ReasoningPart& thought = *message.add_parts()->mutable_reasoning();
  thought.set_text("why");
  thought.set_signature("sig");
  thought.set_origin("anthropic");
  v1::ReasoningPart& hidden = *message.add_parts()->mutable_reasoning();
  hidden.set_redacted_data("blob");
  hidden.set_origin("gemini");
  hidden.set_origin_model("gemini-3-pro");
  v1::OpaquePart& opaque = *message.add_parts()->mutable_opaque();
  opaque.set_origin("anthropic");
  opaque.set_json(R"({"type":"server_tool_use","id":"s1"})");
  message.add_parts()->mutable_text()->set_text("said");
  v1::ToolCall& call = *message.add_parts()->mutable_tool_call();
  call.set_id("c1");
  call.set_type("function");
  call.mutable_function()->set_name("look");
  call.mutable_function()->set_arguments("{}");
  call.set_signature("proof");
  call.set_signature_origin("gemini");
  call.set_origin_model("gemini-3-pro");

  v1::Message echoed = Echo(message);
  CHECK(echoed.extra_json().find("extra_content") == std::string::npos);
  CHECK(echoed.parts(4).tool_call().extra_json().empty());
  echoed.clear_extra_json();  // reasoning_details, for a maker of that dialect
  CHECK(echoed.SerializeAsString() == message.SerializeAsString());
}

TEST_CASE("a signature from Google's own endpoint is read, and stays its own",
          "[server][http][parse]") {
  const v1::Message message = OneMessage(
      R"({"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"f",
      "arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]})");
  const v1::ToolCall& call = message.parts(0).tool_call();
  CHECK(call.signature() == "s");
  CHECK(call.signature_origin() == "gemini");
  CHECK(call.extra_json() ==
        R"({"extra_content":{"google":{"thought_signature":"s"}}})");
}

TEST_CASE("a stream's signature finds the text it proves, if there is one",
          "[server][http][parse]") {
  const std::string one =
      R"({"type":"reasoning.text","text":"","signature":"s1"})";
  const std::string rest = R"(],"reasoning_content":"ab","content":"x"})";
  const std::string start = R"({"role":"assistant","reasoning_details":[)";
  const v1::Message single = OneMessage(start + one + rest);
  REQUIRE(single.parts_size() == 2);
  CHECK(single.parts(0).reasoning().text() == "ab");
  CHECK(single.parts(0).reasoning().signature() == "s1");
  const v1::Message twice = OneMessage(start + one + "," + one + rest);
  // Which proves what is not known: each dialect names them as left out.
  REQUIRE(twice.parts_size() == 4);
  CHECK(twice.parts(0).reasoning().text() == "ab");
  for (int i = 1; i < 3; ++i) {
    CHECK(twice.parts(i).reasoning().redacted_data() == "s1");
    CHECK(twice.parts(i).reasoning().signature().empty());
    CHECK(twice.parts(i).reasoning().origin().empty());
  }
}

TEST_CASE("opaque parts are an array of origin and part",
          "[server][http][parse]") {
  const char* wrong =
      GENERATE(R"({"origin":"anthropic"})", R"([1])",
               R"([{"origin":"anthropic","part":"text"}])", R"([{"part":{}}])");
  const auto request = ParseChatRequest(std::make_shared<const std::string>(
      R"({"messages":[{"role":"assistant","content":"x","opaque_parts":)" +
      std::string(wrong) + "}]}"));
  CHECK(request.status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a tool message may hold text or an array of parts",
          "[server][http][parse]") {
  const char* content = GENERATE(R"("42")", R"([{"type":"text","text":"42"}])");
  const v1::Message message =
      OneMessage(R"({"role":"tool","tool_call_id":"c1","content":)" +
                 std::string(content) + "}");
  CHECK(message.tool_call_id() == "c1");
  REQUIRE(message.parts_size() == 1);
  CHECK(message.parts(0).text().text() == "42");
}

TEST_CASE("content parts of every kind keep what they carry",
          "[server][http][parse]") {
  SECTION("text with a cache mark") {
    const v1::Part part = OnePart(
        R"({"type":"text","text":"a","cache_control":{"type":"ephemeral"}})");
    CHECK(part.text().text() == "a");
    CHECK(part.extra_json() == R"({"cache_control":{"type":"ephemeral"}})");
  }
  SECTION("an image by URL") {
    const v1::Part part = OnePart(
        R"({"type":"image_url","image_url":{"url":"https://x/y",
            "detail":"low"}})");
    CHECK(part.media().kind() == v1::MediaPart::IMAGE);
    CHECK(part.media().url() == "https://x/y");
    CHECK(part.media().detail() == "low");
  }
  SECTION("an image as a bare string") {
    const v1::Part part =
        OnePart(R"({"type":"image_url","image_url":"data:image/png;base64,"})");
    CHECK(part.media().url() == "data:image/png;base64,");
  }
  SECTION("audio bytes") {
    const v1::Part part = OnePart(
        R"({"type":"input_audio","input_audio":{"data":"AAEC",
            "format":"wav"}})");
    CHECK(part.media().kind() == v1::MediaPart::AUDIO);
    CHECK(part.media().data() == std::string("\0\1\2", 3));
    CHECK(part.media().mime_type() == "wav");
  }
  SECTION("a file by id") {
    const v1::Part part =
        OnePart(R"({"type":"file","file":{"file_id":"file-1"}})");
    CHECK(part.media().kind() == v1::MediaPart::FILE);
    CHECK(part.media().file_id() == "file-1");
  }
  SECTION("a file by content") {
    const v1::Part part = OnePart(
        R"({"type":"file","file":{"filename":"a.pdf",
            "file_data":"data:application/pdf;base64,AAEC"}})");
    CHECK(part.media().filename() == "a.pdf");
    CHECK(part.media().url() == "data:application/pdf;base64,AAEC");
  }
  SECTION("a refusal") {
    CHECK(OnePart(R"({"type":"refusal","refusal":"no"})").refusal().text() ==
          "no");
  }
  SECTION("a kind we do not know") {
    const v1::Part part = OnePart(R"({"type":"hologram","z":1.0})");
    CHECK(part.opaque().origin() == "openai");
    CHECK(part.opaque().json() == R"({"type":"hologram","z":1.0})");
  }
}

}  // namespace
}  // namespace llm::server
