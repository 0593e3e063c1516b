#include <catch2/catch.hpp>

#include "adapters/gemini/call_ids.h"
#include "tests/adapters/gemini/exchange.h"

namespace llm {
namespace {

// The same answer cut in every way gives the same line; the id of a call that
// came without one is "?".
std::string Decoded(const std::string& body) {
  std::string line;
  for (const Cut& cut : AllCuts()) {
    ExchangeSetting setting;
    setting.cut = cut;
    Exchange got = RunExchange({.body = body}, setting);
    REQUIRE(got.result.status.ok());
    for (auto& [index, choice] : got.choices) {
      REQUIRE(choice.finishes == 1);
      REQUIRE(choice.role == "assistant");
      for (CollectedCall& call : choice.calls) {
        if (gemini::IsMadeCallId(call.id)) call.id = "?";
      }
    }
    if (!line.empty()) REQUIRE(got.Line() == line);
    line = got.Line();
  }
  return line;
}

TEST_CASE("streams decode, however they are cut",
          "[adapters][gemini][decoder][STR-1][STR-3]") {
  const std::string hi = R"([{"text":"hi"}])";
  const auto [name, events,
              want] = GENERATE_COPY(table<std::string, std::vector<std::string>,
                                          std::string>({
      {"text",
       {Response(hi), Response(R"([{"text":" you"}])", "STOP")},
       "T:hi you F:stop N:STOP"},
      {"an extra chunk after the finish",
       {Response(hi, "STOP"), R"({"usageMetadata":{}})"},
       "T:hi F:stop N:STOP"},
      {"no parts in the last chunk",
       {Response(hi), R"({"candidates":[{"finishReason":"STOP","index":0}]})"},
       "T:hi F:stop N:STOP"},
      {"content without parts",
       {Response(hi), R"({"candidates":[{"content":{"role":"model"},)"
                      R"("finishReason":"MAX_TOKENS"}]})"},
       "T:hi F:length N:MAX_TOKENS"},
      {"thoughts",
       {Response(R"([{"text":"hm","thought":true},{"text":"a"}])", "STOP")},
       "R:hm T:a F:stop N:STOP"},
      {"a call whole, without id, finish in a later chunk",
       {Response(R"([{"functionCall":{"name":"f","args":{"b": 1}}}])"),
        Response(R"([{"text":""}])", "STOP")},
       R"(C:?/f({"b": 1}) F:tool_calls N:STOP)"},
      {"a call with id and without arguments",
       {Response(R"([{"functionCall":{"id":"x1","name":"f"}}])", "STOP")},
       "C:x1/f({}) F:tool_calls N:STOP"},
      {"two calls in one chunk",
       {Response(R"([{"functionCall":{"name":"f","args":{}}},)"
                 R"({"functionCall":{"name":"f","args":{}}}])",
                 "STOP")},
       "C:?/f({}) C:?/f({}) F:tool_calls N:STOP"},
      {"an id twice: the second is ours",
       {Response(R"([{"functionCall":{"id":"x1","name":"f"}},)"
                 R"({"functionCall":{"id":"x1","name":"g"}}])",
                 "STOP")},
       "C:x1/f({}) C:?/g({}) F:tool_calls N:STOP"},
      {"a call in pieces",
       {Response(R"([{"functionCall":{"name":"f","willContinue":true}}])"),
        Response(R"([{"functionCall":{"partialArgs":[{"jsonPath":"$.a.b[1]",)"
                 R"("stringValue":"x","willContinue":true}],)"
                 R"("willContinue":true}}])"),
        Response(R"([{"functionCall":{"partialArgs":[{"jsonPath":"$.a.b[1]",)"
                 R"("stringValue":"y"},{"jsonPath":"$['q q']",)"
                 R"("numberValue":1.5},{"jsonPath":"$.t","boolValue":true},)"
                 R"({"jsonPath":"$.n","nullValue":"NULL_VALUE"}],)"
                 R"("willContinue":true}}])"),
        Response(R"([{"functionCall":{}}])", "STOP")},
       R"(C:?/f({"a":{"b":[null,"xy"]},"q q":1.5,"t":true,"n":null}) )"
       "F:tool_calls N:STOP"},
      {"a call in pieces that only the end ends",
       {Response(R"([{"functionCall":{"name":"f","willContinue":true}}])",
                 "STOP")},
       "C:?/f({}) F:tool_calls N:STOP"},
      {"filtered after some text",
       {Response(hi), Response("[]", "SAFETY")},
       "T:hi F:content_filter N:SAFETY"},
      {"an unknown word", {Response(hi, "TIRED")}, "T:hi F:stop N:TIRED"},
      {"broken off after some text",
       {Response(hi, "MALFORMED_FUNCTION_CALL")},
       "T:hi F:stop N:MALFORMED_FUNCTION_CALL"},
      {"the prompt is blocked",
       {R"({"promptFeedback":{"blockReason":"SAFETY"},)"
        R"("usageMetadata":{"promptTokenCount":5}})"},
       "F:content_filter N:SAFETY"},
      {"halves of a character in two chunks",
       {Response(R"([{"text":"\ud83d"}])"),
        Response(R"([{"text":"\ude00"}])", "STOP")},
       "T:\xF0\x9F\x98\x80 F:stop N:STOP"},
  }));
  CAPTURE(name);
  CHECK(Decoded(Sse(events)) == want);
  std::string array = "[";
  for (const std::string& event : events) {
    array += (array.size() > 1 ? ",\n" : "") + event;
  }
  // Without alt=sse: one growing array.
  CHECK(Decoded(array + "]") == want);
}

TEST_CASE("whole answers decode", "[adapters][gemini][decoder]") {
  CHECK(Decoded(Response(R"([{"text":"hi"}])", "STOP")) ==
        "T:hi F:stop N:STOP");
  CHECK(Decoded(R"({"promptFeedback":{"blockReason":"OTHER"}})") ==
        "F:content_filter N:OTHER");
}

TEST_CASE("candidates are told apart by their index",
          "[adapters][gemini][decoder]") {
  const Exchange got = RunExchange(
      {.body = Sse({
           R"({"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}},)"
           R"({"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]})",
           R"({"candidates":[{"index":1,"content":{"parts":[{"text":"c"}]},)"
           R"("finishReason":"STOP"}]})",
       })});
  REQUIRE(got.result.status.ok());
  CHECK(got.choices.at(0).text == "a");
  CHECK(got.choices.at(1).text == "bc");
}

std::vector<v1::Part> Parts(const Exchange& exchange) {
  std::vector<v1::Part> out;
  for (const v1::ChatCompletionChunk& chunk : exchange.chunks) {
    for (const v1::Part& part : chunk.choices(0).delta().parts()) {
      out.push_back(part);
    }
  }
  return out;
}

TEST_CASE("a signature stays on its part",
          "[adapters][gemini][decoder][TRN-2]") {
  ExchangeSetting setting;
  setting.context.upstream_model.value = "gemini-3-x";
  const Exchange got = RunExchange(
      {.body = Sse({Response(
           R"([{"text":"h","thought":true,"thoughtSignature":"S0"},)"
           R"({"text":"a"},{"text":"b","thoughtSignature":"S1"},{"text":"c"},)"
           R"({"functionCall":{"name":"f"},"thoughtSignature":"S2"},)"
           R"({"text":"","thoughtSignature":"S3"},{"thoughtSignature":"S4"}])",
           "STOP")})},
      setting);
  const std::vector<v1::Part> parts = Parts(got);
  REQUIRE(parts.size() == 7);
  CHECK(parts[0].reasoning().signature() == "S0");
  CHECK(parts[0].reasoning().origin() == "gemini");
  CHECK(parts[0].reasoning().origin_model() == "gemini-3-x");
  CHECK(parts[1].text().text() == "a");
  CHECK(parts[2].text().text() == "b");
  CHECK(parts[2].text().signature() == "S1");
  CHECK(parts[2].text().signature_origin() == "gemini");
  CHECK(parts[2].text().origin_model() == "gemini-3-x");
  CHECK(parts[3].text().text() == "c");
  CHECK(parts[4].tool_call().signature() == "S2");
  CHECK(parts[4].tool_call().signature_origin() == "gemini");
  CHECK(parts[4].tool_call().origin_model() == "gemini-3-x");
  CHECK(parts[5].text().signature() == "S3");
  CHECK(parts[6].text().signature() == "S4");
}

TEST_CASE("pictures are media, what only Gemini understands stays whole",
          "[adapters][gemini][decoder][TRN-2]") {
  const std::string code = R"({"executableCode": {"language":"PYTHON"}})";
  const std::string dream =
      R"({"inlineData":{"mimeType":"image/png","data":"QUJD"},"thought":true})";
  const Exchange got = RunExchange(
      {.body = Sse({Response("[" + code + "," + dream +
                                 R"(,{"inlineData":{"mimeType":"image/png",)"
                                 R"("data":"QUJD"},"thoughtSignature":"S"}])",
                             "STOP")})});
  const std::vector<v1::Part> parts = Parts(got);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].opaque().origin() == "gemini");
  CHECK(parts[0].opaque().json() == code);
  CHECK(parts[1].opaque().json() == dream);
  CHECK(parts[2].media().kind() == v1::MediaPart::IMAGE);
  CHECK(parts[2].media().data() == "ABC");
  CHECK(parts[2].extra_json() ==
        R"({"google":{"thought_signature":"S","model":"gemini-2.5-flash"}})");
}

TEST_CASE("what stands beside the text is passed on",
          "[adapters][gemini][decoder]") {
  const Exchange got = RunExchange(
      {.body = Sse({
           R"({"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":)"
           R"("STOP","groundingMetadata":{"a":1},"safetyRatings":[],)"
           R"("logprobsResult":{"chosenCandidates":[{"token":"x",)"
           R"("logProbability":-0.5}],"topCandidates":[{"candidates":[)"
           R"({"token":"y","logProbability":-1}]}]}}],)"
           R"("createTime":"2026-05-27T16:53:45.443719Z","responseId":"r",)"
           R"("modelVersion":"m"})",
       })});
  REQUIRE(got.result.status.ok());
  CHECK(got.choices.at(0).extra ==
        R"({"groundingMetadata":{"a":1},"safetyRatings":[]})");
  CHECK(got.choices.at(0).logprobs ==
        R"({"content":[{"token":"x","logprob":-0.5,"bytes":[120],)"
        R"("top_logprobs":[{"token":"y","logprob":-1,"bytes":[121]}]}]})");
  CHECK(got.result.served_model.value == "m");
  CHECK(got.result.provider_request_id == "r");
}

TEST_CASE("the caller hears its own name of a function",
          "[adapters][gemini][decoder][TRN-4]") {
  ExchangeSetting setting;
  setting.request.message.add_tools()->mutable_function()->set_name("1a");
  setting.request.message.add_tools()->mutable_function()->set_name("b");
  Exchange got = RunExchange(
      {.body = Sse(
           {Response(R"([{"functionCall":{"id":"i","name":"_1a","args":{}}},)"
                     R"({"functionCall":{"id":"j","name":"b","args":{}}}])",
                     "STOP")})},
      setting);
  CHECK(got.Line() == "C:i/1a({}) C:j/b({}) F:tool_calls N:STOP");
}

// The buckets that are set, in one line.
std::string Buckets(const TokenUsage& usage) {
  std::string out;
  const auto add = [&out](const char* name, std::optional<TokenCount> count) {
    if (count) out += std::string(name) + std::to_string(*count) + " ";
  };
  add("fresh:", usage.fresh_input);
  add("read:", usage.cache_read);
  add("out:", usage.output);
  add("thought:", usage.reasoning);
  add("audio:", usage.audio_input);
  add("audio-read:", usage.audio_cache_read);
  add("audio-out:", usage.audio_output);
  add("image:", usage.image_input);
  add("video:", usage.video_input);
  add("image-read:", usage.image_cache_read);
  return out + usage.service_tier;
}

struct UsageRow {
  std::string name;
  std::vector<std::string> usages;
  std::string want;
};

TEST_CASE("usage is the last value above zero of each field",
          "[adapters][gemini][usage][COST-1]") {
  const UsageRow row = GENERATE(values<UsageRow>({
      {"plain",
       {R"({"promptTokenCount":10,"candidatesTokenCount":4,)"
        R"("totalTokenCount":14})"},
       "fresh:10 out:4 "},
      {"cached tokens are inside, thoughts outside, tool prompts beside",
       {R"({"promptTokenCount":10,"cachedContentTokenCount":6,)"
        R"("candidatesTokenCount":4,"thoughtsTokenCount":3,)"
        R"("toolUsePromptTokenCount":5})"},
       "fresh:9 read:6 out:7 thought:3 "},
      {"a later chunk lacks a field, and totals are never added up",
       {R"({"promptTokenCount":10,"cachedContentTokenCount":6,)"
        R"("candidatesTokenCount":1})",
        R"({"promptTokenCount":10,"candidatesTokenCount":4})",
        R"({"trafficType":"ON_DEMAND"})"},
       "fresh:4 read:6 out:4 "},
      {"only thoughts",
       {R"({"promptTokenCount":10,"thoughtsTokenCount":3})"},
       "fresh:10 out:3 thought:3 "},
      {"nothing but a prompt: the rest is none",
       {R"({"promptTokenCount":10})"},
       "fresh:10 out:0 "},
      {"kinds",
       {R"({"promptTokenCount":100,"cachedContentTokenCount":30,)"
        R"("promptTokensDetails":[{"modality":"TEXT","tokenCount":10},)"
        R"({"modality":"AUDIO","tokenCount":50},)"
        R"({"modality":"IMAGE","tokenCount":20},)"
        R"({"modality":"VIDEO","tokenCount":20}],)"
        R"("cacheTokensDetails":[{"modality":"AUDIO","tokenCount":30}],)"
        R"("candidatesTokenCount":8,)"
        R"("candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":8}]})"},
       "fresh:70 read:30 out:8 audio:20 audio-read:30 audio-out:8 image:20 "
       "video:20 "},
      {"pictures from the cache",
       {R"({"promptTokenCount":1200,"cachedContentTokenCount":1000,)"
        R"("promptTokensDetails":[{"modality":"IMAGE","tokenCount":700},)"
        R"({"modality":"VIDEO","tokenCount":350},)"
        R"({"modality":"DOCUMENT","tokenCount":100}],)"
        R"("cacheTokensDetails":[{"modality":"IMAGE","tokenCount":700},)"
        R"({"modality":"VIDEO","tokenCount":300}]})"},
       "fresh:200 read:1000 out:0 image:100 video:50 image-read:1000 "},
      {"pictures from the cache that only the whole tells of",
       {R"({"promptTokenCount":1000,"cachedContentTokenCount":1000,)"
        R"("promptTokensDetails":[{"modality":"IMAGE","tokenCount":700},)"
        R"({"modality":"VIDEO","tokenCount":300}]})"},
       "fresh:0 read:1000 out:0 image:0 video:0 image-read:1000 "},
      {"no more pictures than were cached beside the sound",
       {R"({"promptTokenCount":1000,"cachedContentTokenCount":500,)"
        R"("cacheTokensDetails":[{"modality":"AUDIO","tokenCount":200},)"
        R"({"modality":"IMAGE","tokenCount":900}]})"},
       "fresh:500 read:500 out:0 audio-read:200 image-read:300 "},
      {"more cached than asked, and nonsense, is bent",
       {R"({"promptTokenCount":10,"cachedContentTokenCount":60,)"
        R"("candidatesTokenCount":-4})"},
       "fresh:0 read:10 out:0 "},
      {"a tier with a price of its own",
       {R"({"promptTokenCount":10,"serviceTier":"flex"})"},
       "fresh:10 out:0 flex"},
      {"Vertex's word for it",
       {R"({"promptTokenCount":10,"trafficType":"ON_DEMAND_PRIORITY"})"},
       "fresh:10 out:0 priority"},
  }));
  CAPTURE(row.name);
  std::vector<std::string> events;
  for (const std::string& usage : row.usages) {
    const bool last = events.size() + 1 == row.usages.size();
    events.push_back(Response(R"([{"text":"x"}])", last ? "STOP" : "",
                              ",\"usageMetadata\":" + usage));
  }
  const Exchange got = RunExchange({.body = Sse(events)});
  REQUIRE(got.result.status.ok());
  CHECK(Buckets(got.result.usage) == row.want);
  CHECK(got.result.usage_source == UsageSource::kProvider);
  CHECK_FALSE(got.result.raw_usage_json.empty());
}

}  // namespace
}  // namespace llm
