// Thought signatures: byte for byte, on the same part, to their maker alone.
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

constexpr char kModel[] = "gemini-3-flash-preview";
constexpr char kStandIn[] =
    R"("thoughtSignature":"skip_thought_signature_validator")";

v1::Message* Say(ChatRequest& request, const std::string& role,
                 const std::string& text) {
  v1::Message* message = request.message.add_messages();
  message->set_role(role);
  if (!text.empty()) {
    message->add_parts()->mutable_text()->set_text(text);
  }
  return message;
}

v1::ToolCall* AddCall(v1::Message* message, const std::string& id) {
  v1::ToolCall* call = message->add_parts()->mutable_tool_call();
  call->set_id(id);
  call->mutable_function()->set_name("f");
  return call;
}

void Answer(ChatRequest& request, const std::string& id) {
  Say(request, "tool", "ok")->set_tool_call_id(id);
}

size_t Count(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("a signature goes back to the model that made it, and to no other",
          "[adapters][gemini][signature][TRN-2]") {
  const auto [origin, maker, sent] =
      GENERATE(table<std::string, std::string, bool>({
          {"gemini", kModel, true},
          {"gemini", "", true},
          {"gemini", "gemini-2.5-pro", false},
          {"anthropic", "", false},
          {"", "", false},
      }));
  CAPTURE(origin, maker);
  ChatRequest request;
  Say(request, "user", "hi");
  v1::Message* message = Say(request, "assistant", "");
  v1::ReasoningPart* thought = message->add_parts()->mutable_reasoning();
  thought->set_text("hm");
  thought->set_signature("S+1/");
  thought->set_origin(origin);
  thought->set_origin_model(maker);
  v1::TextPart* text = message->add_parts()->mutable_text();
  text->set_text("well");
  text->set_signature("UzI=");
  text->set_signature_origin(origin);
  text->set_origin_model(maker);
  v1::ToolCall* call = AddCall(message, "a1");
  call->set_signature("UzM=");
  call->set_signature_origin(origin);
  call->set_origin_model(maker);
  Answer(request, "a1");
  const RenderedRequest got = Render(request, {.model = kModel});
  const std::string body = Contents(got);
  CHECK((body.find(R"({"text":"hm","thought":true,)"
                   R"("thoughtSignature":"S+1/"})") != std::string::npos) ==
        sent);
  CHECK((body.find(R"({"text":"well","thoughtSignature":"UzI="})") !=
         std::string::npos) == sent);
  CHECK((body.find(R"("args":{}},"thoughtSignature":"UzM="})") !=
         std::string::npos) == sent);
  CHECK(Count(body, kStandIn) == (sent ? 0u : 1u));
  CHECK(Joined(got.dropped) ==
        (sent ? ""
              : "messages.reasoning,messages.content.signature,"
                "messages.tool_calls.signature"));
}

TEST_CASE("an empty text carries its signature",
          "[adapters][gemini][signature][TRN-2]") {
  ChatRequest request;
  Say(request, "user", "hi");
  v1::Message* message = Say(request, "assistant", "yes");
  v1::TextPart* text = message->add_parts()->mutable_text();
  text->set_signature("Uw==");
  text->set_signature_origin("gemini");
  v1::ReasoningPart* redacted = message->add_parts()->mutable_reasoning();
  redacted->set_redacted_data("Ug==");
  redacted->set_origin("gemini");
  CHECK(Contents(Render(request)) ==
        R"([{"role":"user","parts":[{"text":"hi"}]},)"
        R"({"role":"model","parts":[{"text":"yes"},)"
        R"({"text":"","thoughtSignature":"Uw=="},)"
        R"({"text":"","thoughtSignature":"Ug=="}]}])");
}

// As Google's own OpenAI endpoint and many clients have it: the maker unsaid.
ChatRequest Carried(const std::string& signature) {
  return Talk(R"({"role":"user","content":"hi"},{"role":"assistant",)"
              R"("tool_calls":[{"id":"a1","type":"function",)"
              R"("function":{"name":"f","arguments":"{}"},"extra_content":)"
              R"({"google":{"thought_signature":")" +
              signature +
              R"("}}}]},{"role":"tool","tool_call_id":"a1","content":"x"})");
}

TEST_CASE("OpenAI's callers bring a signature back beside the call",
          "[adapters][gemini][signature][TRN-2]") {
  const std::string signature =
      GENERATE(as<std::string>(), "UzE=", "skip_thought_signature_validator");
  const RenderedRequest got = Render(Carried(signature), {.model = kModel});
  CHECK(Contents(got).find(R"("args":{}},"thoughtSignature":")" + signature +
                           "\"}") != std::string::npos);
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("what cannot be a signature goes to no model",
          "[adapters][gemini][signature][TRN-2]") {
  const std::string signature = GENERATE(as<std::string>(), "S", "rs_1 {}");
  const RenderedRequest newer = Render(Carried(signature), {.model = kModel});
  CHECK(Count(Contents(newer), kStandIn) == 1);
  CHECK(Count(Contents(newer), "thoughtSignature") == 1);
  CHECK(Joined(newer.dropped) == "messages.tool_calls.signature");
  const RenderedRequest older = Render(Carried(signature));
  CHECK(Count(Contents(older), "thoughtSignature") == 0);
  CHECK(Joined(older.dropped) == "messages.tool_calls.signature");
}

// Two steps of the turn, two calls each, no signature anywhere.
ChatRequest Steps() {
  ChatRequest request;
  Say(request, "user", "hi");
  for (const char* step : {"a", "b"}) {
    v1::Message* message = Say(request, "assistant", "");
    AddCall(message, step + std::string("1"));
    AddCall(message, step + std::string("2"));
    Answer(request, step + std::string("1"));
    Answer(request, step + std::string("2"));
  }
  return request;
}

TEST_CASE("the first call of each step of the turn gets the stand-in",
          "[adapters][gemini][signature][TRN-2]") {
  ChatRequest request = Steps();
  std::string body = Contents(Render(request, {.model = kModel}));
  CHECK(Count(body, kStandIn) == 2);
  CHECK(body.find(R"("id":"a1","name":"f","args":{}},)" +
                  std::string(kStandIn)) != std::string::npos);
  CHECK(body.find(R"("id":"b1","name":"f","args":{}},)" +
                  std::string(kStandIn)) != std::string::npos);
  SECTION("not where nobody asks for it") {
    CHECK(Count(Contents(Render(request)), kStandIn) == 0);
  }
  SECTION("not in a turn that is over") {
    Say(request, "assistant", "done");
    Say(request, "user", "and?");
    CHECK(Count(Contents(Render(request, {.model = kModel})), kStandIn) == 0);
  }
}

TEST_CASE("what only Gemini understands goes back as it came",
          "[adapters][gemini][signature][TRN-2]") {
  ChatRequest request;
  Say(request, "user", "hi");
  v1::Message* message = Say(request, "assistant", "a");
  const std::string json =
      R"({"executableCode": {"code":"1"},"thoughtSignature":"S"})";
  v1::Part* part = message->add_parts();
  part->mutable_opaque()->set_origin("gemini");
  part->mutable_opaque()->set_json(json);
  message->add_parts()->mutable_text()->set_text("b");
  SECTION("at its place") {
    CHECK(Contents(Render(request))
              .find(R"({"text":"a"},)" + json + R"(,{"text":"b"})") !=
          std::string::npos);
  }
  SECTION("without another model's signature") {
    part->set_extra_json(R"({"google":{"model":"gemini-2.5-pro"}})");
    const RenderedRequest got = Render(request);
    CHECK(Contents(got).find(
              R"({"text":"a"},{"executableCode":{"code":"1"}},)") !=
          std::string::npos);
    CHECK(Joined(got.dropped) == "messages.content.signature");
  }
  SECTION("another maker's part is named, and what is no JSON object") {
    if (GENERATE(true, false)) {
      part->mutable_opaque()->set_origin("anthropic");
    } else {
      part->mutable_opaque()->set_json(R"({"executableCode":1}],"x":[)");
    }
    const RenderedRequest got = Render(request);
    CHECK(Contents(got).find("executableCode") == std::string::npos);
    CHECK(Joined(got.dropped) == "messages.content");
  }
}

}  // namespace
}  // namespace llm::gemini
