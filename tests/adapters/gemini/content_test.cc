// The conversation: contents, systemInstruction, results, media.
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

// An assistant's message with one call, and its result.
std::string Called(const std::string& id, const std::string& args = "{}") {
  return R"({"role":"assistant","content":null,"tool_calls":[{"id":")" + id +
         R"(","type":"function","function":{"name":"f","arguments":)" +
         JsonQuote(args) + "}}]}";
}
std::string Result(const std::string& id, const std::string& content) {
  return R"({"role":"tool","tool_call_id":")" + id + R"(","content":)" +
         content + "}";
}
constexpr char kUser[] = R"({"role":"user","content":"hi"})";
constexpr char kHi[] = R"({"role":"user","parts":[{"text":"hi"}]})";

std::string Response(const std::string& response,
                     const std::string& id = "a1") {
  return R"({"role":"user","parts":[{"functionResponse":{"id":")" + id +
         R"(","name":"f","response":)" + response + "}}]}";
}
std::string Call(const std::string& args, const std::string& id = "a1") {
  return R"({"role":"model","parts":[{"functionCall":{"id":")" + id +
         R"(","name":"f","args":)" + args + "}}]}";
}

TEST_CASE("messages become contents", "[adapters][gemini][request][TRN-1]") {
  const auto [name, messages, contents] =
      GENERATE(table<std::string, std::string, std::string>({
          {"text", kUser, kHi},
          {"parts",
           R"({"role":"user","content":[{"type":"text","text":"a"},)"
           R"({"type":"text","text":"b"}]})",
           R"({"role":"user","parts":[{"text":"a"},{"text":"b"}]})"},
          {"neighbours of one role are one content",
           std::string(kUser) + R"(,{"role":"user","content":"you"})",
           R"({"role":"user","parts":[{"text":"hi"},{"text":"you"}]})"},
          {"an answer",
           std::string(kUser) + R"(,{"role":"assistant","content":"yes"})",
           std::string(kHi) + R"(,{"role":"model","parts":[{"text":"yes"}]})"},
          {"a refusal is what was said",
           std::string(kUser) +
               R"(,{"role":"assistant","content":null,"refusal":"no"})",
           std::string(kHi) + R"(,{"role":"model","parts":[{"text":"no"}]})"},
          {"what is empty would be refused",
           std::string(kUser) + R"(,{"role":"assistant","content":""},)" +
               R"({"role":"user","content":"b"})",
           R"({"role":"user","parts":[{"text":"hi"},{"text":"b"}]})"},
          {"plain thoughts are left out",
           std::string(kUser) + R"(,{"role":"assistant","content":"yes",)"
                                R"("reasoning_content":"hm"})",
           std::string(kHi) + R"(,{"role":"model","parts":[{"text":"yes"}]})"},
      }));
  CAPTURE(name);
  const RenderedRequest got = Render(Talk(messages));
  CHECK(Contents(got) == "[" + contents + "]");
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("each call is answered once, in the content after it",
          "[adapters][gemini][request][TRN-4]") {
  const std::string call = Called("a1", R"({"x": 1.0})");
  const std::string head = std::string(kHi) + "," + Call(R"({"x": 1.0})") + ",";
  const auto [name, messages, contents] =
      GENERATE_COPY(table<std::string, std::string, std::string>({
          {"text is wrapped", call + "," + Result("a1", "\"ok\""),
           head + Response(R"({"output":"ok"})")},
          {"an object is the result",
           call + "," + Result("a1", R"("{\"n\": 1}")"),
           head + Response(R"({"n": 1})")},
          {"other JSON is text", call + "," + Result("a1", R"("[1]")"),
           head + Response(R"({"output":"[1]"})")},
          {"an error says so",
           call + R"(,{"role":"tool","tool_call_id":"a1","content":"bad",)"
                  R"("is_error":true})",
           head + Response(R"({"error":"bad"})")},
          {"parts of text are lines",
           call + "," +
               Result("a1", R"([{"type":"text","text":"a"},)"
                            R"({"type":"text","text":"b"}])"),
           head + Response(R"({"output":"a\nb"})")},
          {"no result at all", call,
           head + Response(R"({"error":"no result was given for this call"})")},
          {"a result that comes late",
           call + R"(,{"role":"user","content":"b"},)" + Result("a1", "\"ok\""),
           head + R"({"role":"user","parts":[{"functionResponse":{"id":"a1",)"
                  R"("name":"f","response":{"output":"ok"}}},{"text":"b"}]})"},
          {"in call order",
           R"({"role":"assistant","tool_calls":[)"
           R"({"id":"a1","type":"function","function":{"name":"f",)"
           R"("arguments":""}},{"id":"a2","type":"function",)"
           R"("function":{"name":"g","arguments":"{}"}}]},)" +
               Result("a2", "\"2\"") + "," + Result("a1", "\"1\""),
           std::string(kHi) +
               R"(,{"role":"model","parts":[)"
               R"({"functionCall":{"id":"a1","name":"f","args":{}}},)"
               R"({"functionCall":{"id":"a2","name":"g","args":{}}}]},)"
               R"({"role":"user","parts":[)"
               R"({"functionResponse":{"id":"a1","name":"f",)"
               R"("response":{"output":"1"}}},)"
               R"({"functionResponse":{"id":"a2","name":"g",)"
               R"("response":{"output":"2"}}}]})"},
          {"an id twice: the nearer call",
           Called("a1") + "," + Result("a1", "\"1\"") + "," + Called("a1") +
               "," + Result("a1", "\"2\""),
           std::string(kHi) + "," + Call("{}") + "," +
               Response(R"({"output":"1"})") + "," + Call("{}") + "," +
               Response(R"({"output":"2"})")},
      }));
  CAPTURE(name);
  const RenderedRequest got = Render(Talk(std::string(kUser) + "," + messages));
  CHECK(Contents(got) == "[" + contents + "]");
  CHECK_FALSE(got.refusal);
}

TEST_CASE("calls of one message that share an id are answered in their order",
          "[adapters][gemini][request][TRN-4]") {
  const std::string id = GENERATE(as<std::string>(), "a1", "");
  CAPTURE(id);
  const std::string calls =
      R"({"role":"assistant","tool_calls":[{"id":")" + id +
      R"(","type":"function","function":{"name":"f","arguments":"{\"n\":1}"}},)"
      R"({"id":")" +
      id +
      R"(","type":"function","function":{"name":"f","arguments":"{\"n\":2}"}}]})";
  const std::string body = Contents(Render(
      Talk(std::string(kUser) + "," + calls + "," + Result(id, "\"ONE\"") +
           "," + Result(id, "\"TWO\"") + "," + calls + "," +
           Result(id, "\"THREE\"") + "," + Result(id, "\"FOUR\""))));
  size_t at = 0;
  for (const char* word : {"ONE", "TWO", "THREE", "FOUR"}) {
    CAPTURE(word, body);
    at = body.find(word, at);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("many calls find their results in their number's time",
          "[adapters][gemini][request][TRN-4]") {
  // To look through all calls for each is quadratic.
  constexpr int kCalls = 12'000;
  std::string calls;
  std::string results;
  for (int i = 0; i < kCalls; ++i) {
    const std::string id = "a" + std::to_string(i);
    calls += (i == 0 ? "" : ",") + (R"({"id":")" + id) +
             R"(","type":"function","function":{"name":"f)" +
             std::to_string(i) + R"(","arguments":"{}"}})";
    results += "," + Result(id, "\"r\"");
  }
  const RenderedRequest got = Render(
      Talk(std::string(kUser) + R"(,{"role":"assistant","tool_calls":[)" +
           calls + "]}" + results));
  CHECK_FALSE(got.refusal);
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("a result without a call is refused",
          "[adapters][gemini][request][TRN-4]") {
  const RenderedRequest got =
      Render(Talk(std::string(kUser) + "," + Result("nobody", "\"x\"")));
  REQUIRE(got.refusal);
  CHECK(got.refusal->param == "messages.tool_call_id");
}

TEST_CASE("ids that were made up here, and all on Vertex, are not sent",
          "[adapters][gemini][request][TRN-4]") {
  const std::string made = "call_g0123456789abcdef01234567";
  const bool vertex = GENERATE(true, false);
  const std::string id = vertex ? "a1" : made;
  const std::string body = Contents(Render(
      Talk(std::string(kUser) + "," + Called(id) + "," + Result(id, "\"x\"")),
      {.vertex = vertex}));
  CHECK(body.find(id) == std::string::npos);
  CHECK(body.find(R"("functionCall":{"name":"f")") != std::string::npos);
  CHECK(body.find(R"("functionResponse":{"name":"f")") != std::string::npos);
}

TEST_CASE("arguments go as the JSON object they are",
          "[adapters][gemini][request][TRN-4]") {
  const auto [arguments, args, dropped] =
      GENERATE(table<std::string, std::string, std::string>({
          {"", "{}", ""},
          {"null", "{}", ""},
          {R"({ "b":1.50, "a":[] })", R"({ "b":1.50, "a":[] })", ""},
          {"{oops", R"({"arguments":"{oops"})",
           "messages.tool_calls.function.arguments"},
          {"[1]", R"({"arguments":"[1]"})",
           "messages.tool_calls.function.arguments"},
      }));
  const RenderedRequest got =
      Render(Talk(std::string(kUser) + "," + Called("a1", arguments) + "," +
                  Result("a1", "\"x\"")));
  CHECK(Contents(got).find("\"args\":" + args + "}") != std::string::npos);
  CHECK(Joined(got.dropped) == dropped);
}

TEST_CASE("what instructs stands apart, where the model can be told so",
          "[adapters][gemini][request]") {
  const std::string talk = std::string(R"({"role":"system","content":"A"},)") +
                           kUser + R"(,{"role":"developer","content":"B"})";
  const RenderedRequest got = Render(Talk(talk));
  CHECK(At(got.body, "systemInstruction") ==
        R"({"parts":[{"text":"A"},{"text":"B"}]})");
  CHECK(Contents(got) == "[" + std::string(kHi) + "]");
  const RenderedRequest gemma = Render(Talk(talk), {.model = "gemma-3-27b-it"});
  CHECK(At(gemma.body, "systemInstruction").empty());
  CHECK(Contents(gemma) ==
        R"([{"role":"user","parts":[{"text":"A"},{"text":"B"},)"
        R"({"text":"hi"}]}])");
  const RenderedRequest alone =
      Render(Talk(R"({"role":"system","content":"A"})"));
  CHECK(Contents(alone) == R"([{"role":"user","parts":[{"text":"A"}]}])");
}

TEST_CASE("media go along, or by an address that Google serves",
          "[adapters][gemini][request][SEC-2]") {
  const auto [part, want] = GENERATE(table<std::string, std::string>({
      {R"({"type":"image_url","image_url":)"
       R"({"url":"data:image/webp;base64,QUJD"}})",
       R"({"inlineData":{"mimeType":"image/webp","data":"QUJD"}})"},
      {R"({"type":"image_url","image_url":{"url":"data:text/plain,a%20b"}})",
       R"({"inlineData":{"mimeType":"text/plain","data":"YSBi"}})"},
      {R"({"type":"input_audio","input_audio":)"
       R"({"data":"QUJD","format":"mp3"}})",
       R"({"inlineData":{"mimeType":"audio/mp3","data":"QUJD"}})"},
      {R"({"type":"file","file":{"filename":"a.pdf",)"
       R"("file_data":"data:application/pdf;base64,QUJD"}})",
       R"({"inlineData":{"mimeType":"application/pdf","data":"QUJD"}})"},
      {R"({"type":"file","file":{"file_id":"files/abc"}})",
       R"({"fileData":{"fileUri":"https://generativelanguage.googleapis.com/)"
       R"(v1beta/files/abc"}})"},
      {R"({"type":"video_url","video_url":{"url":"https://youtu.be/x"}})",
       R"({"fileData":{"fileUri":"https://youtu.be/x"}})"},
      // Refused, and never fetched.
      {R"({"type":"image_url","image_url":{"url":"https://a.test/x.png"}})",
       ""},
      {R"({"type":"image_url","image_url":)"
       R"({"url":"https://generativelanguage.googleapis.com.evil.test/files/"}})",
       ""},
      {R"({"type":"image_url","image_url":{"url":"gs://bucket/x.png"}})", ""},
      {R"({"type":"file","file":{"file_id":"file-openai"}})", ""},
      {R"({"type":"image_url","image_url":{"url":"data:oops"}})", ""},
  }));
  CAPTURE(part);
  const RenderedRequest got =
      Render(Talk(R"({"role":"user","content":[)" + part + "]}"));
  CHECK(got.refusal.has_value() == want.empty());
  if (want.empty()) {
    CHECK(got.refusal->param.starts_with("messages.content."));
  } else {
    CHECK(Contents(got) == R"([{"role":"user","parts":[)" + want + "]}]");
  }
}

TEST_CASE("Vertex also fetches from its own storage and from the web",
          "[adapters][gemini][request]") {
  const auto [url, type] = GENERATE(table<std::string, std::string>({
      {"gs://b/x.png", "image/png"},
      {"https://a.test/x.JPG?v=1", "image/jpeg"},
      {"https://a.test/picture", "image/png"},
  }));
  CAPTURE(url);
  const RenderedRequest got = Render(
      Talk(R"({"role":"user","content":[{"type":"image_url","image_url":)"
           R"({"url":")" +
           url + R"("}}]})"),
      {.vertex = true});
  CHECK_FALSE(got.refusal.has_value());
  CHECK(Contents(got).find(R"({"fileData":{"mimeType":")" + type +
                           R"(","fileUri":")" + url + "\"}}") !=
        std::string::npos);
}

TEST_CASE("pictures of a result stand inside it, where the model takes them",
          "[adapters][gemini][request]") {
  const std::string picture =
      R"({"inlineData":{"mimeType":"image/png","data":"QUJD"}})";
  const ChatRequest request = Talk(
      std::string(kUser) + "," + Called("a1") + "," +
      Result("a1", R"([{"type":"text","text":"see"},{"type":"image_url",)"
                   R"("image_url":{"url":"data:image/png;base64,QUJD"}}])"));
  const std::string newer =
      Contents(Render(request, {.model = "gemini-3-flash-preview"}));
  CHECK(newer.find(R"("response":{"output":"see"},"parts":[)" + picture +
                   "]}") != std::string::npos);
  const std::string older = Contents(Render(request));
  CHECK(older.find(R"("response":{"output":"see"}}},)" + picture + "]}") !=
        std::string::npos);
}

TEST_CASE("what has no place beside a message is named",
          "[adapters][gemini][request][TRN-6]") {
  const auto [messages, dropped] = GENERATE(table<std::string, std::string>({
      {R"({"role":"user","name":"bob","content":"x"})", "messages.name"},
      {R"({"role":"user","content":[{"type":"text","text":"x",)"
       R"("cache_control":{"type":"ephemeral"}}]})",
       "messages.content.cache_control"},
      {R"({"role":"user","content":"x","weight":1})", "messages.weight"},
      {R"({"role":"system","content":[{"type":"text","text":"x",)"
       R"("cache_control":{"type":"ephemeral"},"mine":1,"none":null}]},)" +
           std::string(kUser),
       "messages.content.cache_control,messages.content.mine"},
      {std::string(kUser) + "," + Called("a1") + "," +
           Result("a1", R"([{"type":"text","text":"x",)"
                        R"("cache_control":{"type":"ephemeral"},"mine":1}])"),
       "messages.content.cache_control,messages.content.mine"},
      {R"({"role":"user","content":[{"type":"image_url","image_url":)"
       R"({"url":"data:image/png;base64,QUJD","detail":"high"}}]})",
       "messages.content.image_url.detail"},
  }));
  CAPTURE(messages);
  CHECK(Joined(Render(Talk(messages)).dropped) == dropped);
}

}  // namespace
}  // namespace llm::gemini
