// generationConfig, native fields, and what cannot be said.
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

std::string Config(const RenderedRequest& rendered) {
  return At(rendered.body, "generationConfig");
}

TEST_CASE("each field has its place, or is named",
          "[adapters][gemini][request][TRN-6]") {
  const auto [members, config,
              dropped] = GENERATE(table<std::string, std::string, std::string>({
      {"", "", ""},
      {R"("temperature":0.5,"top_p":0.9,"top_k":20)",
       R"({"temperature":0.5,"topP":0.9,"topK":20})", ""},
      {R"("n":1)", "", ""},
      {R"("n":3)", R"({"candidateCount":3})", ""},
      {R"("stop":"END")", R"({"stopSequences":["END"]})", ""},
      {R"("stop":["1","2","3","4","5","6"])",
       R"({"stopSequences":["1","2","3","4","5"]})", "stop"},
      {R"("stop":["","END"])", R"({"stopSequences":["END"]})", "stop"},
      {R"("stop":["1","2","3","4","5",""])",
       R"({"stopSequences":["1","2","3","4","5"]})", "stop"},
      {R"("stop":[""])", "", "stop"},
      {R"("frequency_penalty":0.5,"presence_penalty":-1)",
       R"({"frequencyPenalty":0.5,"presencePenalty":-1})", ""},
      {R"("seed":7)", R"({"seed":7})", ""},
      {R"("seed":3000000000)", "", "seed"},
      {R"("logprobs":true,"top_logprobs":2)",
       R"({"responseLogprobs":true,"logprobs":2})", ""},
      {R"("response_format":{"type":"json_object"})",
       R"({"responseMimeType":"application/json"})", ""},
      {R"("response_format":{"type":"text"})", "", ""},
      {R"("response_format":{"type":"json_schema","json_schema":)"
       R"({"name":"n","description":"d","schema":{"type":"object"}}})",
       R"({"responseMimeType":"application/json","responseJsonSchema":)"
       R"({"type":"object","description":"d"}})",
       ""},
      {R"("modalities":["text"])", "", ""},
      {R"("modalities":["text","image"])",
       R"({"responseModalities":["TEXT","IMAGE"]})", ""},
      {R"("user":"u","metadata":{"a":"b"},"store":false)", "", ""},
      {R"("logit_bias":{"1":2},"store":true,"verbosity":"low")", "",
       "logit_bias,verbosity,store"},
      {R"("prediction":{"type":"content","content":"x"})", "", "prediction"},
      {R"("service_tier":"auto")", "", ""},
      {R"("service_tier":"scale")", "", "service_tier"},
      {R"("enable_thinking":true,"min_p":0.1)", "", "enable_thinking,min_p"},
      {R"("web_search_options":{})", "", "web_search_options"},
  }));
  CAPTURE(members);
  const RenderedRequest got = Render(With(members));
  CHECK(Config(got) == config);
  CHECK(Joined(got.dropped) == dropped);
  CHECK_FALSE(got.refusal);
}

TEST_CASE("what cannot be left out is refused",
          "[adapters][gemini][request][TRN-6]") {
  const auto [members, param] = GENERATE(table<std::string, std::string>({
      {R"("modalities":["text","audio"],"audio":{"voice":"a","format":"wav"})",
       "audio"},
      {R"("modalities":["audio"])", "modalities"},
      {R"("functions":[{"name":"f","parameters":{}}])", "functions"},
      {R"("tools":[{"type":"custom","custom":{"name":"c"}}])", "tools.custom"},
      {R"("tools":[{"type":"function","function":{"name":"f"}}],)"
       R"("tool_choice":{"type":"custom","custom":{"name":"c"}})",
       "tool_choice"},
  }));
  CAPTURE(members);
  const RenderedRequest got = Render(With(members));
  REQUIRE(got.refusal);
  CHECK(got.refusal->param == param);
}

TEST_CASE("a model that speaks is told how", "[adapters][gemini][request]") {
  const RenderedRequest got = Render(
      With(R"("modalities":["audio"],"audio":{"voice":"Kore","format":"wav"})"),
      {.model = "gemini-2.5-flash-preview-tts"});
  CHECK(Config(got) ==
        R"({"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":)"
        R"({"prebuiltVoiceConfig":{"voiceName":"Kore"}}}})");
  CHECK(Joined(got.dropped) == "audio.format");
}

TEST_CASE("penalties are not sent where they are refused",
          "[adapters][gemini][request]") {
  const RenderedRequest got =
      Render(With(R"("presence_penalty":1,"frequency_penalty":0)"),
             {.model = "gemini-2.5-pro"});
  CHECK(Config(got) == "");
  CHECK(Joined(got.dropped) == "presence_penalty");
}

TEST_CASE("Gemini's own members go along, in either spelling",
          "[adapters][gemini][request][TRN-6]") {
  const RenderedRequest got = Render(
      With(R"("temperature":1,"generation_config":{"temperature":0.25,)"
           R"("media_resolution":"LOW"},"safety_settings":[{"category":"C"}],)"
           R"("cachedContent":"cachedContents/a","service_tier":"flex",)"
           R"("labels":{"a":"b"},"topK":null)"));
  CHECK(Config(got) == R"({"temperature":0.25,"mediaResolution":"LOW"})");
  CHECK(At(got.body, "safetySettings") == R"([{"category":"C"}])");
  CHECK(At(got.body, "cachedContent") == R"("cachedContents/a")");
  CHECK(At(got.body, "serviceTier") == R"("flex")");
  // Vertex alone knows labels.
  CHECK(Joined(got.dropped) == "labels,temperature");
  const RenderedRequest vertex = Render(
      With(R"("labels":{"a":"b"},"service_tier":"flex")"), {.vertex = true});
  CHECK(At(vertex.body, "labels") == R"({"a":"b"})");
  CHECK(Joined(vertex.dropped) == "service_tier");
}

TEST_CASE("a field that Gemini's own member outranks is named",
          "[adapters][gemini][request][TRN-6]") {
  const auto [members, config,
              dropped] = GENERATE(table<std::string, std::string, std::string>({
      {R"("top_p":0.5,"generationConfig":{"topP":0.25})", R"({"topP":0.25})",
       "top_p"},
      {R"("stop":"a","seed":1,"generation_config":)"
       R"({"stop_sequences":["b"],"seed":2})",
       R"({"stopSequences":["b"],"seed":2})", "stop,seed"},
      {R"("max_tokens":9,"generationConfig":{"maxOutputTokens":8})",
       R"({"maxOutputTokens":8})", "max_tokens"},
      {R"("response_format":{"type":"json_schema","json_schema":)"
       R"({"name":"n","schema":{"type":"object"}}},)"
       R"("generationConfig":{"responseSchema":{"type":"OBJECT"}})",
       R"({"responseMimeType":"application/json",)"
       R"("responseSchema":{"type":"OBJECT"}})",
       "response_format.json_schema"},
      // Both say the same: nothing is lost.
      {R"("seed":1,"generationConfig":{"seed":1})", R"({"seed":1})", ""},
      // Of two spellings the last counts.
      {R"("topK":1,"generationConfig":{"top_k":2})", R"({"topK":2})", "topK"},
  }));
  CAPTURE(members);
  const RenderedRequest got = Render(With(members));
  CHECK(Config(got) == config);
  CHECK(Joined(got.dropped) == dropped);
}

TEST_CASE("a member of the request is written once, however often it is said",
          "[adapters][gemini][request][TRN-6]") {
  const RenderedRequest got =
      Render(With(R"("safetySettings":[{"category":"A"}],)"
                  R"("safety_settings":[{"category":"B"}],)"
                  R"("service_tier":"flex","serviceTier":"priority")"));
  const size_t first = got.body.find("\"safetySettings\"");
  CHECK(got.body.find("\"safetySettings\"", first + 1) == std::string::npos);
  CHECK(At(got.body, "safetySettings") == R"([{"category":"B"}])");
  CHECK(At(got.body, "serviceTier") == R"("priority")");
  CHECK(Joined(got.dropped) == "safetySettings,service_tier");
}

TEST_CASE("before the third generation JSON and tools exclude each other",
          "[adapters][gemini][request]") {
  const ChatRequest request =
      With(R"("tools":[{"type":"function","function":{"name":"f"}}],)"
           R"("response_format":{"type":"json_schema","json_schema":)"
           R"({"name":"n","schema":{"type":"object"}}})");
  const RenderedRequest older = Render(request);
  CHECK(Config(older) == "");
  CHECK(At(older.body, "systemInstruction").find("JSON schema (n)") !=
        std::string::npos);
  CHECK(Joined(older.dropped) == "response_format.json_schema");
  const RenderedRequest newer =
      Render(request, {.model = "gemini-3-flash-preview"});
  CHECK(At(newer.body, "generationConfig.responseJsonSchema") ==
        R"({"type":"object"})");
  CHECK(Joined(newer.dropped) == "");
}

TEST_CASE("a history of calls does not keep an answer in JSON away",
          "[adapters][gemini][request][TRN-4]") {
  const auto [model, format,
              asked] = GENERATE(table<std::string, std::string, std::string>({
      {"gemini-2.5-flash",
       R"("response_format":{"type":"json_schema","json_schema":)"
       R"({"name":"n","schema":{"type":"object"}}})",
       R"({"responseMimeType":"application/json",)"
       R"("responseJsonSchema":{"type":"object"}})"},
      {"gemini-2.5-flash", R"("response_format":{"type":"json_object"})",
       R"({"responseMimeType":"application/json"})"},
      {"gemini-2.5-flash",
       R"("generationConfig":{"responseMimeType":"application/json"})",
       R"({"responseMimeType":"application/json"})"},
      // These may have both, or no JSON.
      {"gemini-3-flash-preview", R"("response_format":{"type":"json_object"})",
       R"({"responseMimeType":"application/json"})"},
      {"gemini-2.5-flash", R"("response_format":{"type":"text"})", ""},
  }));
  CAPTURE(model, format);
  const RenderedRequest got = Render(
      Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"},)"
            R"({"role":"assistant","tool_calls":[{"id":"a1","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"a1","content":"x"}],)" +
            format + "}"),
      {.model = model});
  CHECK(Config(got) == asked);
  const bool declared = asked.empty() || model != "gemini-2.5-flash";
  CHECK(At(got.body, "tools") ==
        (declared ? R"([{"functionDeclarations":[{"name":"f"}]}])" : ""));
  CHECK(At(got.body, "toolConfig") ==
        (declared ? R"({"functionCallingConfig":{"mode":"NONE"}})" : ""));
  CHECK(At(got.body, "systemInstruction") == "");
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("Google's newer word for an answer in JSON counts as one",
          "[adapters][gemini][request][TRN-6]") {
  const std::string own =
      R"({"text":{"mimeType":"application/json","schema":{"type":"object"}}})";
  const RenderedRequest got = Render(
      Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"},)"
            R"({"role":"assistant","tool_calls":[{"id":"a1","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"a1","content":"x"}],)"
            R"("response_format":{"type":"json_object"},)"
            R"("generation_config":{"response_format":)" +
            own + "}}"),
      {.model = "gemini-2.5-flash"});
  CHECK(Config(got) == R"({"responseFormat":)" + own + "}");
  CHECK(At(got.body, "tools") == "");
  CHECK(Joined(got.dropped) == "response_format");
}

TEST_CASE("of many members of a generationConfig the first are taken",
          "[adapters][gemini][request][TRN-6]") {
  // To compare each with all the others is quadratic.
  std::string members;
  for (int i = 0; i < 190'000; ++i) {
    members += "\"m" + std::to_string(i) + "\":1,";
  }
  const RenderedRequest got =
      Render(With("\"generation_config\":{" + members + "\"m0\":2}"));
  const std::string config = Config(got);
  const auto doc = JsonDocument::Parse(config);
  REQUIRE(doc.ok());
  CHECK(doc->root().size() == 64);
  // One that is taken can still be said again.
  CHECK(At(config, "m0") == "2");
  CHECK(Joined(got.dropped) == "generation_config.*,generation_config.m0");
}

TEST_CASE("the same request gives the same bytes",
          "[adapters][gemini][request][TRN-7]") {
  const ChatRequest request =
      With(R"("temperature":0.5,"safety_settings":[],"tools":)"
           R"([{"type":"function","function":{"name":"f"}}])");
  CHECK(Render(request).body == Render(request).body);
}

}  // namespace
}  // namespace llm::gemini
