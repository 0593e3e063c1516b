// What messages become on Anthropic's wire.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "adapters/anthropic/call_ids.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

// `messages` and `system` of the body, and what was dropped; or the refusal.
std::string Talk(const std::string& messages, const std::string& more = "",
                 const std::string& model = "claude-sonnet-4-5") {
  const anthropic::RenderedRequest got = RenderJson(
      R"({"model":"m","messages":)" + messages + more + "}", {model, {}});
  if (got.refusal) return "refused " + got.refusal->param;
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  std::string out;
  const JsonValue system = doc->root().Find("system");
  if (system) out = "system " + std::string(system.raw()) + " ";
  out += doc->root().Find("messages").raw();
  if (!got.dropped.empty()) out += " - " + absl::StrJoin(got.dropped, " ");
  return out;
}

std::string U(const std::string& text) {
  return R"({"role":"user","content":[{"type":"text","text":")" + text +
         R"("}]})";
}

TEST_CASE("leading system and developer messages are the system prompt",
          "[adapters][anthropic][request]") {
  CHECK(
      Talk(R"([{"role":"system","content":"A"},
                 {"role":"developer","content":[{"type":"text","text":"B",
                  "cache_control":{"type":"ephemeral"}}]},
                 {"role":"user","content":"hi"}])") ==
      R"(system [{"type":"text","text":"A"},)"
      R"({"type":"text","text":"B","cache_control":{"type":"ephemeral"}}] [)" +
          U("hi") + "]");
}

TEST_CASE("later system text is user text that says what it is, and named",
          "[adapters][anthropic][request][TRN-6]") {
  CHECK(Talk(R"([{"role":"user","content":"hi"},
                 {"role":"assistant","content":"ho"},
                 {"role":"system","content":"Be brief."},
                 {"role":"user","content":"go"}])") ==
        "[" + U("hi") +
            R"(,{"role":"assistant","content":[{"type":"text","text":"ho"}]},)"
            R"({"role":"user","content":[{"type":"text","text":"<system>"},)"
            R"({"type":"text","text":"Be brief."},)"
            R"({"type":"text","text":"</system>"},)"
            R"({"type":"text","text":"go"}]}] - messages.system)");
}

TEST_CASE("with the beta, later system text is a turn of its own",
          "[adapters][anthropic][request]") {
  CHECK(Talk(R"([{"role":"user","content":"hi"},
                 {"role":"system","content":"Be brief."}])",
             R"(,"betas":["mid-conversation-system-2026-04-07"])") ==
        "[" + U("hi") +
            R"(,{"role":"system","content":[{"type":"text",)"
            R"("text":"Be brief."}]}])");
}

TEST_CASE("results stand first, in the order of their calls, in one turn",
          "[adapters][anthropic][request][TRN-4]") {
  const std::string calls =
      R"({"role":"assistant","content":"Let me see.","tool_calls":[)"
      R"({"id":"a","type":"function","function":{"name":"f",)"
      R"("arguments":"{\"x\": 1.0}"}},)"
      R"({"id":"b","type":"function","function":{"name":"g",)"
      R"("arguments":""}}]})";
  CHECK(Talk(R"([{"role":"user","content":"hi"},)" + calls +
             R"(,{"role":"tool","tool_call_id":"b","content":"2"},
                 {"role":"tool","tool_call_id":"a","content":[
                   {"type":"text","text":"1"},
                   {"type":"image_url","image_url":
                     {"url":"data:image/png;base64,AAAA"}}]},
                 {"role":"user","content":"go on"}])") ==
        "[" + U("hi") +
            R"(,{"role":"assistant","content":[)"
            R"({"type":"text","text":"Let me see."},)"
            R"({"type":"tool_use","id":"a","name":"f","input":{"x": 1.0}},)"
            R"({"type":"tool_use","id":"b","name":"g","input":{}}]},)"
            R"({"role":"user","content":[)"
            R"({"type":"tool_result","tool_use_id":"a","content":[)"
            R"({"type":"text","text":"1"},{"type":"image","source":)"
            R"({"type":"base64","media_type":"image/png","data":"AAAA"}}]},)"
            R"({"type":"tool_result","tool_use_id":"b","content":"2"},)"
            R"({"type":"text","text":"go on"}]}])");
}

TEST_CASE("a missing result is made up, and said so",
          "[adapters][anthropic][request][TRN-4]") {
  const std::string call =
      R"({"role":"assistant","tool_calls":[{"id":"a","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]})";
  const std::string want =
      R"(,{"role":"assistant","content":[{"type":"tool_use","id":"a",)"
      R"("name":"f","input":{}}]},{"role":"user","content":[)"
      R"({"type":"tool_result","tool_use_id":"a","content":)"
      R"("No result was recorded for this call.","is_error":true})";
  CHECK(Talk(R"([{"role":"user","content":"hi"},)" + call +
             R"(,{"role":"user","content":"go"}])") ==
        "[" + U("hi") + want +
            R"(,{"type":"text","text":"go"}]}] - messages.tool_calls.result)");
  CHECK(Talk(R"([{"role":"user","content":"hi"},)" + call + "]") ==
        "[" + U("hi") + want + "]}] - messages.tool_calls.result");
}

TEST_CASE("what Anthropic cannot say at all is refused",
          "[adapters][anthropic][request]") {
  const auto [messages, more, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {R"([{"role":"user","content":"a"},
               {"role":"tool","tool_call_id":"x","content":"1"}])",
           "", "refused messages.tool_call_id"},
          {R"([{"role":"user","content":[{"type":"input_audio",
               "input_audio":{"data":"AAAA","format":"wav"}}]}])",
           "", "refused messages.content"},
          {R"([{"role":"user","content":[{"type":"image_url","image_url":
               {"url":"data:image/tiff;base64,AAAA"}}]}])",
           "", "refused messages.content"},
          {R"([{"role":"user","content":"a"}])", R"(,"n":2)", "refused n"},
          {R"([{"role":"user","content":"a"}])",
           R"(,"modalities":["text","audio"])", "refused modalities"},
          {R"([{"role":"user","content":"a"}])",
           R"(,"functions":[{"name":"f"}])", "refused functions"},
          {R"([{"role":"user","content":"a"}])",
           R"(,"tools":[{"type":"custom","custom":{"name":"f"}}])",
           "refused tools"},
          {R"([{"role":"user","content":"a"}])",
           R"(,"tools":[{"type":"file_search"}])", "refused tools"},
      }));
  CHECK(Talk(messages, more) == want);
}

TEST_CASE("foreign ids are spelled in Anthropic's letters and found again",
          "[adapters][anthropic][request][TRN-4]") {
  anthropic::CallIds ids;
  for (const std::string id :
       {"toolu_1", "call:x/1", "", "ünï", "llmid-a", "a_n1", "a b"}) {
    const std::string written = ids.ForCall(id);
    CAPTURE(id, written);
    CHECK(!written.empty());
    CHECK(written.find_first_not_of(
              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
              "0123456789_-") == std::string::npos);
    CHECK(anthropic::DecodeCallId(written) == id);
    const std::string again = ids.ForCall(id);
    CHECK(again != written);
    CHECK(anthropic::DecodeCallId(again) == id);
  }
}

TEST_CASE("both sides of a call carry the same rewritten id",
          "[adapters][anthropic][request][TRN-4]") {
  CHECK(Talk(R"([{"role":"user","content":"hi"},
        {"role":"assistant","tool_calls":[{"id":"f:0","type":"function",
         "function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"f:0","content":"1"},
        {"role":"assistant","tool_calls":[{"id":"f:0","type":"function",
         "function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"f:0","content":"2"}])") ==
        "[" + U("hi") +
            R"(,{"role":"assistant","content":[{"type":"tool_use",)"
            R"("id":"llmid-f_3a0","name":"f","input":{}}]},)"
            R"({"role":"user","content":[{"type":"tool_result",)"
            R"("tool_use_id":"llmid-f_3a0","content":"1"}]},)"
            R"({"role":"assistant","content":[{"type":"tool_use",)"
            R"("id":"llmid-f_3a0_n1","name":"f","input":{}}]},)"
            R"({"role":"user","content":[{"type":"tool_result",)"
            R"("tool_use_id":"llmid-f_3a0_n1","content":"2"}]}])");
}

TEST_CASE("blank text makes no block, and an empty message no turn",
          "[adapters][anthropic][request]") {
  CHECK(Talk(R"([{"role":"user","content":"hi"},
                 {"role":"assistant","content":" \n"},
                 {"role":"user","content":[{"type":"text","text":""},
                  {"type":"text","text":"go"}]}])") ==
        R"([{"role":"user","content":[{"type":"text","text":"hi"},)"
        R"({"type":"text","text":"go"}]}])");
}

TEST_CASE("a history that begins with the assistant gets a first word, named",
          "[adapters][anthropic][request][TRN-6]") {
  CHECK(
      Talk(R"([{"role":"assistant","content":"ho"},
                 {"role":"user","content":"hi"}])") ==
      "[" + U("(The conversation begins with your own words.)") +
          R"(,{"role":"assistant","content":[{"type":"text","text":"ho"}]},)" +
          U("hi") + "] - messages.role");
}

TEST_CASE("a prefill goes to models that take one, without space at its end",
          "[adapters][anthropic][request]") {
  const std::string prefill = R"([{"role":"user","content":"hi"},
                                  {"role":"assistant","content":"So: "}])";
  CHECK(Talk(prefill) ==
        "[" + U("hi") +
            R"(,{"role":"assistant","content":[{"type":"text",)"
            R"("text":"So:"}]}])");
  CHECK(Talk(prefill, "", "claude-sonnet-5") == "refused messages");
}

TEST_CASE("pictures and files go as Anthropic's sources",
          "[adapters][anthropic][request]") {
  const auto [part, want] = GENERATE(table<std::string, std::string>({
      {R"({"type":"image_url","image_url":{"url":"https://a/b.png"}})",
       R"({"type":"image","source":{"type":"url","url":"https://a/b.png"}})"},
      {R"({"type":"image_url","image_url":{"url":"data:image/jpg;base64,QQ==",
           "detail":"auto"},"cache_control":{"type":"ephemeral"}})",
       R"({"type":"image","source":{"type":"base64","media_type":"image/jpeg",)"
       R"("data":"QQ=="},"cache_control":{"type":"ephemeral"}})"},
      {R"({"type":"file","file":{"filename":"a.pdf",
           "file_data":"data:application/pdf;base64,QQ=="}})",
       R"({"type":"document","source":{"type":"base64",)"
       R"("media_type":"application/pdf","data":"QQ=="},"title":"a.pdf"})"},
      {R"({"type":"file","file":{"file_data":"data:text/plain;base64,QUI="}})",
       R"({"type":"document","source":{"type":"text",)"
       R"("media_type":"text/plain","data":"AB"}})"},
      {R"({"type":"file","file":{"file_data":"data:text/plain,a%20b"}})",
       R"({"type":"document","source":{"type":"text",)"
       R"("media_type":"text/plain","data":"a b"}})"},
      {R"({"type":"file","file":{"file_id":"file_1"}})",
       R"({"type":"document","source":{"type":"file","file_id":"file_1"}})"},
      // Anthropic's own, as a caller may write it at OpenAI's door.
      {R"({"type":"search_result","source":"s","title":"t","content":[]})",
       R"({"type":"search_result","source":"s","title":"t","content":[]})"},
  }));
  CHECK(Talk(R"([{"role":"user","content":[)" + part + "]}]") ==
        R"([{"role":"user","content":[)" + want + "]}]");
}

TEST_CASE("a picture or file that holds nothing is refused",
          "[adapters][anthropic][request]") {
  const auto part = GENERATE(
      as<std::string>(),
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,"}})",
      R"({"type":"image_url","image_url":{"url":"data:image/png"}})",
      R"({"type":"file","file":{"file_data":"data:text/plain,"}})");
  CAPTURE(part);
  CHECK(Talk(R"([{"role":"user","content":[)" + part + "]}]") ==
        "refused messages.content");
}

TEST_CASE("a text file in another encoding than UTF-8 is refused",
          "[adapters][anthropic][request]") {
  const auto file = [](const std::string& data) {
    return Talk(R"([{"role":"user","content":[{"type":"file","file":)"
                R"({"file_data":"data:text/plain)" +
                data + R"("}}]}])");
  };
  // Two ideographs in GBK, and the same in UTF-8.
  CHECK(file(";charset=gbk;base64,xOO6ww==") == "refused messages.content");
  CHECK(file(";base64,xOO6ww==") == "refused messages.content");
  CHECK(file(";charset=utf-8;base64,5L2g5aW9") ==
        R"([{"role":"user","content":[{"type":"document","source":)"
        R"({"type":"text","media_type":"text/plain","data":"你好"}}]}])");
}

TEST_CASE("a file named by id brings the beta of the files API along",
          "[adapters][anthropic][request]") {
  const auto got = RenderJson(
      R"({"model":"m","betas":"a-1, b-2\r\nx: y","messages":[{"role":"user",
          "content":[{"type":"file","file":{"file_id":"file_1"}}]}]})");
  CHECK(absl::StrJoin(got.betas, ",") == "a-1,files-api-2025-04-14");
}

TEST_CASE("reasoning goes back to its maker with its proof, byte for byte",
          "[adapters][anthropic][request][TRN-2]") {
  const std::string loop =
      R"(,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",)"
      R"("arguments":"{}"}}]},{"role":"tool","tool_call_id":"a",)"
      R"("content":"1"}])";
  const std::string start =
      R"([{"role":"user","content":"hi"},{"role":"assistant",)";
  const std::string end =
      R"({"type":"tool_use","id":"a","name":"f","input":{}}]},)"
      R"({"role":"user","content":[{"type":"tool_result",)"
      R"("tool_use_id":"a","content":"1"}]}])";
  const auto [reasoning, want] = GENERATE(table<std::string, std::string>({
      // As a client of the OpenAI door puts a stream together.
      {R"("reasoning_content":"I see.","reasoning_details":[{"type":)"
       R"("reasoning.text","text":"","signature":"S=","format":)"
       R"("anthropic-claude-v1"}])",
       R"({"type":"thinking","thinking":"I see.","signature":"S="},)"},
      {R"("reasoning_details":[{"type":"reasoning.text","text":"",)"
       R"("signature":"S1","format":"anthropic-claude-v1"},)"
       R"({"type":"reasoning.encrypted","data":"D+/=",)"
       R"("format":"anthropic-claude-v1"}])",
       R"({"type":"thinking","thinking":"","signature":"S1"},)"
       R"({"type":"redacted_thinking","data":"D+/="},)"},
      // Another's proof, and none at all.
      {R"("reasoning_details":[{"type":"reasoning.text","text":"I",)"
       R"("signature":"S1","format":"google-gemini-v1"}])",
       ""},
      {R"("reasoning_content":"I see.")", ""},
  }));
  CHECK(Talk(start + reasoning + loop) ==
        "[" + U("hi") + R"(,{"role":"assistant","content":[)" + want + end);
}

TEST_CASE("what the model said and thought stands before its calls",
          "[adapters][anthropic][request]") {
  ChatRequest request;
  v1::Message* user = request.message.add_messages();
  user->set_role("user");
  user->add_parts()->mutable_text()->set_text("hi");
  v1::Message* said = request.message.add_messages();
  said->set_role("assistant");
  v1::ToolCall* call = said->add_parts()->mutable_tool_call();
  call->set_id("a");
  call->mutable_function()->set_name("f");
  said->add_parts()->mutable_text()->set_text("after");
  AttemptContext context;
  context.upstream_model.value = "claude-sonnet-4-5";
  const auto got = anthropic::RenderRequest(request, context);
  CHECK(got.body.find("after") < got.body.find("tool_use"));
}

TEST_CASE("parts that only Anthropic understands go back as they were",
          "[adapters][anthropic][request][TRN-1]") {
  ChatRequest request;
  v1::Message* user = request.message.add_messages();
  user->set_role("user");
  user->add_parts()->mutable_text()->set_text("hi");
  v1::Message* said = request.message.add_messages();
  said->set_role("assistant");
  const auto opaque = [&](const std::string& origin, const std::string& json) {
    v1::OpaquePart* part = said->add_parts()->mutable_opaque();
    part->set_origin(origin);
    part->set_json(json);
  };
  const std::string use =
      R"({"type":"server_tool_use","id":"s1","input":{"q": 1.0}})";
  opaque("anthropic", use);
  said->add_parts()->mutable_text()->set_text("one");
  opaque("anthropic", R"({"citations":[{"url":"u"}]})");
  said->add_parts()->mutable_text()->set_text("two");
  opaque("anthropic", R"({"citations":[]})");
  opaque("gemini", R"({"type":"executableCode"})");
  AttemptContext context;
  context.upstream_model.value = "claude-sonnet-5";
  const auto got = anthropic::RenderRequest(request, context);
  // A paused turn of server tools is no prefill.
  CHECK_FALSE(got.refusal);
  CHECK(got.body.find("[" + use +
                      R"(,{"type":"text","text":"one","citations":)"
                      R"([{"url":"u"}]},{"type":"text","text":"two"}])") !=
        std::string::npos);
  CHECK(absl::StrJoin(got.dropped, " ") == "messages.content");
}

}  // namespace
}  // namespace llm
