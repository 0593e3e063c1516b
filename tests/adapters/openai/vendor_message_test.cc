// What each of the vendors that are on by configuration is sent as messages
// and tools: one row per quirk of its page (profiles.cc names page and date).
#include <catch2/catch.hpp>

#include "tests/adapters/openai/vendor_request.h"

namespace llm::openai {
namespace {

TEST_CASE("messages are written as each vendor takes them",
          "[adapters][openai][request][vendors][TRN-3]") {
  const std::string call =
      R"("tool_calls":[{"id":"call_1","type":"function","function":)"
      R"({"name":"f","arguments":"{}"}}])";
  const std::string turn =
      R"({"role":"assistant","content":null,"reasoning_content":"why",)" +
      call + "}";
  struct Message {
    std::string profile;
    std::string model;
    std::string sent;
    std::string want;
  };
  const Message row = GENERATE_COPY(values<Message>({
      {"groq", "m", R"({"role":"user","content":"x","name":"n"})",
       R"({"role":"user","content":"x"})"},
      {"moonshot", "kimi-k2.6", turn, turn},
      {"moonshot", "kimi-k2.6",
       R"({"role":"assistant","content":null,)" + call + "}",
       R"({"role":"assistant","content":null,"reasoning_content":"",)" + call +
           "}"},
      {"moonshot", "moonshot-v1-8k", turn,
       R"({"role":"assistant","content":null,)" + call + "}"},
      // What is there already, or is cut, leaves the rest as it was spelt.
      {"moonshot", "kimi-k2.6",
       R"({ "reasoning_content":"r" , "content":null,"role":"assistant",)" +
           call + " }",
       R"({ "reasoning_content":"r" , "content":null,"role":"assistant",)" +
           call + " }"},
      {"moonshot", "kimi-k2.6",
       R"({"role":"assistant","reasoning":"r","content":null,)" + call + "}",
       R"({"role":"assistant","content":null,"reasoning_content":"r",)" + call +
           "}"},
      {"moonshot", "moonshot-v1-8k",
       R"({ "reasoning_content":"r" , "role" : "assistant", "content":"\u00e9" })",
       R"({"role" : "assistant", "content":"\u00e9" })"},
      {"moonshot", "moonshot-v1-8k",
       "{\n \"role\":\"assistant\",\n \"content\":\"x\","
       "\n \"reasoning_content\":\"r\"\n}",
       "{\n \"role\":\"assistant\",\n \"content\":\"x\"\n}"},
      // What held nothing else has a content all the same.
      {"moonshot", "moonshot-v1-8k",
       R"({"role":"assistant","content":null,"reasoning_content":"r"})",
       R"({"role":"assistant","content":""})"},
      {"moonshot", "kimi-k2.6",
       R"({"role":"assistant","content":null,"reasoning_content":"r"})",
       R"({"role":"assistant","content":"","reasoning_content":"r"})"},
      // One text, whatever of another maker's stood in it.
      {"openai", "gpt-4o",
       R"({"role":"assistant","content":"abcd","opaque_parts":[{"origin":)"
       R"("anthropic","part":{"type":"t"},"at":{"content":2,"reasoning":0,)"
       R"("calls":0,"order":0,"check":1294271946}}]})",
       R"({"role":"assistant","content":"abcd"})"},
      {"deepseek", "deepseek-chat",
       R"({"role":"assistant","content":"abcd","opaque_parts":[{"origin":)"
       R"("anthropic","part":{"type":"t"},"at":{"content":2,"reasoning":0,)"
       R"("calls":0,"order":0,"check":1294271946}}]})",
       R"({"role":"assistant","content":"abcd"})"},
      {"moonshot", "moonshot-v1-8k",
       R"({"role":"assistant", "reasoning_content":"r", "reasoning":"r" ,)"
       R"( "content":"\/"})",
       R"({"role":"assistant" , "content":"\/"})"},
      {"moonshot", "moonshot-v1-8k",
       R"({"role":"assistant","content":"a,b", "reasoning_content":"r" })",
       R"({"role":"assistant","content":"a,b" })"},
      {"zhipu", "glm-5", turn, turn},
      {"openrouter", "m", turn,
       R"({"role":"assistant","content":null,)" + call + "}"},
      {"openrouter", "m",
       R"({"role":"assistant","content":"t","reasoning_details":[{"a":1}]})",
       R"({"role":"assistant","content":"t","reasoning_details":[{"a":1}]})"},
      {"minimax", "m",
       R"({"role":"assistant","content":"t","reasoning_content":"why"})",
       R"({"role":"assistant","content":"<think>why</think>\n\nt"})"},
      {"minimax", "m",
       R"({"role":"assistant","content":"t","reasoning_details":[{"a":1}]})",
       R"({"role":"assistant","content":"t","reasoning_details":[{"a":1}]})"},
      {"mistral", "m", R"({"role":"developer","content":"d"})",
       R"({"role":"system","content":"d"})"},
      {"mistral", "m",
       R"({"role":"user","content":[{"type":"file","file":)"
       R"({"file_data":"data:application/pdf;base64,QQ=="}}]})",
       R"({"role":"user","content":[{"type":"document_url","document_url":)"
       R"("data:application/pdf;base64,QQ=="}]})"},
      // The model goes on with it.
      {"mistral", "m", R"({"role":"assistant","content":"And"})",
       R"({"role":"assistant","content":"And","prefix":true})"},
      {"mistral", "m", R"({"role":"assistant","content":"And","prefix":false})",
       R"({"role":"assistant","content":"And","prefix":false})"},
      {"mistral", "m", R"({"role":"assistant","content":null,"refusal":"No."})",
       R"({"role":"assistant","content":"No.","prefix":true})"},
  }));
  CAPTURE(row.profile, row.sent);
  const RenderedRequest got =
      Render(Parse(R"({"model":"x","messages":[)" + row.sent + "]}"),
             {row.profile, row.model});
  CHECK(Member(got, "messages") == "[" + row.want + "]");
}

TEST_CASE("Mistral's call ids have nine characters, and results a name",
          "[adapters][openai][request][vendors][TRN-4]") {
  const auto id = GENERATE("call_long_one", "abcDEF123");
  const std::string quoted = JsonQuote(id);
  const RenderedRequest got = Render(
      Parse(
          R"({"model":"x","messages":[{"role":"assistant","content":null,)"
          R"("tool_calls":[{"id":)" +
          quoted +
          R"(,"index":0,"type":"function","function":{"name":"get","arguments":)"
          R"("{}"}}]},{"role":"tool","tool_call_id":)" +
          quoted + R"(,"content":"r"}]})"),
      {"mistral"});
  const auto doc = JsonDocument::Parse(got.body);
  REQUIRE(doc.ok());
  const JsonValue asked = doc->root().Find("messages").First();
  const JsonValue result = asked.Next();
  const JsonValue call = asked.Find("tool_calls").First();
  const std::string sent = call.Find("id").StringOr();
  CHECK(sent.size() == 9);
  CHECK((sent == id) == (std::string(id).size() == 9));
  CHECK(result.Find("tool_call_id").StringOr() == sent);
  CHECK(result.Find("name").Equals("get"));
  CHECK_FALSE(call.Find("index"));
}

TEST_CASE("Moonshot's schemas say nothing of their own address",
          "[adapters][openai][request][vendors][TRN-5]") {
  const std::string tool =
      R"({"type":"function","function":{"name":"f","parameters":)"
      R"({"$schema":"http://json-schema.org/draft-07/schema#",)"
      R"("type":"object","properties":{"a":{"maximum":1.0}}}}})";
  const RenderedRequest got =
      Render(With(R"("tools":[)" + tool + "]"), {"moonshot", "kimi-k2.6"});
  CHECK(Member(got, "tools") ==
        R"([{"type":"function","function":{"name":"f","parameters":)"
        R"({"type":"object","properties":{"a":{"maximum":1.0}}}}}])");
  CHECK(got.dropped.empty());
  const RenderedRequest others =
      Render(With(R"("tools":[)" + tool + "]"), {"openai"});
  CHECK(Member(others, "tools") == "[" + tool + "]");
}

}  // namespace
}  // namespace llm::openai
