#include "server/http/parse_chat_request.h"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>

#include "router/call_error.h"

namespace llm::server {
namespace {

using Request = v1::ChatCompletionRequest;

absl::StatusOr<ChatRequest> Parse(std::string text) {
  return ParseChatRequest(std::make_shared<const std::string>(std::move(text)));
}

// A request that is whole but for `members`.
std::string With(std::string_view members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" +
         std::string(members) + "}";
}

Request Message(std::string text) {
  auto request = Parse(std::move(text));
  INFO(request.status());
  REQUIRE(request.ok());
  return request->message;
}

struct FieldCase {
  const char* member;
  std::function<bool(const Request&)> holds;
};

TEST_CASE("every plain field of a chat request finds its place",
          "[server][http][parse]") {
  const auto test = GENERATE(values<FieldCase>({
      {R"("parallel_tool_calls":false)",
       [](auto& r) {
         return r.has_parallel_tool_calls() && !r.parallel_tool_calls();
       }},
      {R"("max_completion_tokens":4096)",
       [](auto& r) { return r.max_completion_tokens() == 4096; }},
      {R"("strict":true)", [](auto& r) { return r.strict(); }},
      {R"("max_tokens":7)", [](auto& r) { return r.max_tokens() == 7; }},
      {R"("temperature":0.7)", [](auto& r) { return r.temperature() == 0.7; }},
      {R"("temperature":0)",
       [](auto& r) { return r.has_temperature() && r.temperature() == 0; }},
      {R"("top_p":0.25)", [](auto& r) { return r.top_p() == 0.25; }},
      {R"("frequency_penalty":-1.5)",
       [](auto& r) { return r.frequency_penalty() == -1.5; }},
      {R"("presence_penalty":1)",
       [](auto& r) { return r.presence_penalty() == 1; }},
      {R"("logit_bias":{"50256":-100,"1":2.5})",
       [](auto& r) {
         return r.logit_bias().at("50256") == -100 &&
                r.logit_bias().at("1") == 2.5;
       }},
      {R"("logprobs":true)", [](auto& r) { return r.logprobs(); }},
      {R"("top_logprobs":5)", [](auto& r) { return r.top_logprobs() == 5; }},
      {R"("n":2)", [](auto& r) { return r.n() == 2; }},
      {R"("seed":9007199254740993)",
       [](auto& r) { return r.seed() == 9007199254740993; }},
      {R"("stop":"END")",
       [](auto& r) { return r.stop_size() == 1 && r.stop(0) == "END"; }},
      {R"("stop":["a","b"])",
       [](auto& r) { return r.stop_size() == 2 && r.stop(1) == "b"; }},
      {R"("reasoning_effort":"none")",
       [](auto& r) { return r.reasoning_effort() == "none"; }},
      {R"("verbosity":"low")", [](auto& r) { return r.verbosity() == "low"; }},
      {R"("modalities":["text","audio"])",
       [](auto& r) {
         return r.modalities_size() == 2 && r.modalities(1) == "audio";
       }},
      {R"("audio":{"voice":{"id":"v"},"format":"wav"})",
       [](auto& r) {
         return r.audio().voice() == R"({"id":"v"})" &&
                r.audio().format() == "wav";
       }},
      {R"("prediction":{"type":"content","content":[{"type":"text"}]})",
       [](auto& r) {
         return r.prediction().type() == "content" &&
                r.prediction().content() == R"([{"type":"text"}])";
       }},
      {R"("service_tier":"flex")",
       [](auto& r) { return r.service_tier() == "flex"; }},
      {R"("store":false)", [](auto& r) { return r.has_store() && !r.store(); }},
      {R"("metadata":{"k":"v"})",
       [](auto& r) { return r.metadata().at("k") == "v"; }},
      {R"("user":"u-1")", [](auto& r) { return r.user() == "u-1"; }},
      {R"("safety_identifier":"s")",
       [](auto& r) { return r.safety_identifier() == "s"; }},
      {R"("prompt_cache_key":"k")",
       [](auto& r) { return r.prompt_cache_key() == "k"; }},
      {R"("prompt_cache_retention":"24h")",
       [](auto& r) { return r.prompt_cache_retention() == "24h"; }},
      {R"("prompt_cache_options":{"mode":"explicit"})",
       [](auto& r) {
         return r.prompt_cache_options() == R"({"mode":"explicit"})";
       }},
      {R"("web_search_options":{})",
       [](auto& r) { return r.web_search_options() == "{}"; }},
      {R"("moderation":{"model":"o"})",
       [](auto& r) { return r.moderation() == R"({"model":"o"})"; }},
      {R"("functions":[{"name":"f"}])",
       [](auto& r) { return r.functions() == R"([{"name":"f"}])"; }},
      {R"("function_call":"auto")",
       [](auto& r) { return r.function_call() == R"("auto")"; }},
      {R"("stream_options":{"include_usage":true,"x":1})",
       [](auto& r) { return r.stream_options().include_usage(); }},
      {R"("task_type":"t","run_id":"r","agent":"a")",
       [](auto& r) {
         return r.task_type() == "t" && r.run_id() == "r" && r.agent() == "a";
       }},
      {R"("thinking":{"type":"x"},"top_k":1.50)",
       [](auto& r) {
         return r.extra_json() == R"({"thinking":{"type":"x"},"top_k":1.50})";
       }},
  }));
  CAPTURE(test.member);
  CHECK(test.holds(Message(With(test.member))));
}

TEST_CASE("a deadline in the body is seconds or a text with its unit",
          "[server][http][parse]") {
  const auto [member, milliseconds] = GENERATE(table<std::string, int64_t>({
      {R"("timeout":5)", 5'000},
      {R"("timeout":0.25)", 250},
      {R"("timeout":"5s")", 5'000},
      {R"("timeout":"1.5s")", 1'500},
      {R"("timeout":"2m")", 120'000},
  }));
  CAPTURE(member);
  const Request request = Message(With(member));
  CHECK(request.timeout().seconds() * 1'000 +
            request.timeout().nanos() / 1'000'000 ==
        milliseconds);
  CHECK(request.extra_json().empty());
}

TEST_CASE("a deadline that is none is refused by name",
          "[server][http][parse]") {
  const auto* member =
      GENERATE(R"("timeout":0)", R"("timeout":-1)", R"("timeout":"soon")",
               R"("timeout":"5")", R"("timeout":"inf")", R"("timeout":1e300)",
               R"("timeout":{})", R"("timeout":true)", R"("strict":"yes")",
               R"("strict":1)");
  CAPTURE(member);
  const auto request = Parse(With(member));
  REQUIRE_FALSE(request.ok());
  const std::string param = CallErrorDetail(request.status()).param();
  CHECK((param == "timeout" || param == "strict"));
}

TEST_CASE("null means not set for every optional member",
          "[server][http][parse]") {
  const Request request = Message(With(
      R"("tools":null,"tool_choice":null,"temperature":null,"stop":null,
         "metadata":null,"audio":null,"stream":null,"response_format":null,
         "seed":null,"logit_bias":null,"user":null,"stream_options":null,
         "functions":null,"prediction":null,"modalities":null)"));
  Request bare = Message(R"({"model":"m","messages":[
      {"role":"user","content":"hi"}]})");
  CHECK(request.SerializeAsString() == bare.SerializeAsString());
}

TEST_CASE("an unknown member that is null is still an unknown member",
          "[server][http][parse]") {
  CHECK(Message(With(R"("top_k":null)")).extra_json() == R"({"top_k":null})");
}

TEST_CASE("metadata does not become tags here: the path's tags come before it",
          "[server][http][parse]") {
  const Request request = Message(
      With(R"("run_id":"body","metadata":{"run_id":"meta","agent":"meta"})"));
  CHECK(request.run_id() == "body");
  CHECK(request.agent().empty());
  CHECK(request.metadata().at("agent") == "meta");
  CHECK(request.task_type().empty());
}

TEST_CASE("tools keep their schemas as text", "[server][http][parse]") {
  const Request request = Message(With(
      R"("tools":[{"type":"function","function":{"name":"f","description":"d",
      "parameters":{"z":1,"a":0.70},"strict":true,"x":1},"cache_control":{}},
      {"type":"custom","custom":{"name":"g","format":{"type":"text"}}},
      {"type":"web_search","limit":3},{"function":{"name":"h"}}])"));
  REQUIRE(request.tools_size() == 4);
  const v1::FunctionTool& function = request.tools(0).function();
  CHECK(function.name() == "f");
  CHECK(function.description() == "d");
  CHECK(function.parameters() == R"({"z":1,"a":0.70})");
  CHECK(function.strict());
  CHECK(function.extra_json() == R"({"x":1})");
  CHECK(request.tools(0).extra_json() == R"({"cache_control":{}})");
  CHECK(request.tools(1).custom().format() == R"({"type":"text"})");
  CHECK(request.tools(2).other_json() == R"({"type":"web_search","limit":3})");
  CHECK(request.tools(3).type() == "function");
  CHECK(request.tools(3).function().parameters().empty());
}

TEST_CASE("each form of tool_choice is told apart", "[server][http][parse]") {
  const auto [json, kind, text] =
      GENERATE(table<const char*, v1::ToolChoice::KindCase, const char*>({
          {R"("required")", v1::ToolChoice::kMode, "required"},
          {R"({"type":"function","function":{"name":"f"}})",
           v1::ToolChoice::kFunction, "f"},
          {R"({"type":"custom","custom":{"name":"g"}})",
           v1::ToolChoice::kCustom, "g"},
          {R"({"type":"allowed_tools"})", v1::ToolChoice::kOtherJson,
           R"({"type":"allowed_tools"})"},
      }));
  const Request request =
      Message(With(R"("tool_choice":)" + std::string(json)));
  const v1::ToolChoice& choice = request.tool_choice();
  REQUIRE(choice.kind_case() == kind);
  CHECK(choice.mode() + choice.function() + choice.custom() +
            choice.other_json() ==
        text);
}

TEST_CASE("a response format keeps its schema as text",
          "[server][http][parse]") {
  const Request request = Message(With(
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n",
      "description":"d","strict":true,"schema":{"b":1,"a":2}},"x":1})"));
  const v1::ResponseFormat& format = request.response_format();
  CHECK(format.type() == "json_schema");
  CHECK(format.json_schema().name() == "n");
  CHECK(format.json_schema().schema() == R"({"b":1,"a":2})");
  CHECK(format.json_schema().strict());
  CHECK(format.extra_json() == R"({"x":1})");
}

TEST_CASE("spans give back the exact bytes of messages, tools and members",
          "[server][http][parse][spans]") {
  auto request = Parse(
      R"( { "temperature" : 0.70 , "messages":[ {"role":"user","content":"é"},
      {"content" : null,"role":"assistant"} ],"stream":true,
      "tools":[ {"type":"function","function":{"name":"f"}} ],"top_k":1e2} )");
  REQUIRE(request.ok());
  const RequestSource& source = request->source;
  CHECK(source.dialect == "openai");
  REQUIRE(source.messages.size() == 2);
  CHECK(source.View(source.messages[0]) == R"({"role":"user","content":"é"})");
  CHECK(source.View(source.messages[1]) ==
        R"({"content" : null,"role":"assistant"})");
  REQUIRE(source.tools.size() == 1);
  CHECK(source.View(source.tools[0]) ==
        R"({"type":"function","function":{"name":"f"}})");
  CHECK(source.Member("temperature") == "0.70");
  CHECK(source.Member("top_k") == "1e2");
  CHECK(source.Member("messages").empty());
  CHECK(source.Member("tools").empty());
  REQUIRE(source.members.size() == 3);
  CHECK(source.members[0].first == "temperature");
  CHECK(WantsStream(*request));
}

TEST_CASE("a malformed request names the member at fault",
          "[server][http][parse][ERR-1]") {
  const auto [body, param] = GENERATE(table<std::string, const char*>({
      {"", ""},
      {"[]", ""},
      {"{", ""},
      {"{}", "messages"},
      {R"({"messages":null})", "messages"},
      {R"({"messages":[]})", "messages"},
      {R"({"messages":{}})", "messages"},
      {R"({"messages":[1]})", "messages[0]"},
      {R"({"messages":[{"content":"x"}]})", "messages[0].role"},
      {R"({"messages":[{"role":1}]})", "messages[0].role"},
      {R"({"messages":[{"role":"user"},{"role":"user","content":1}]})",
       "messages[1].content"},
      {R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})",
       "messages[0].content[0].text"},
      {R"({"messages":[{"role":"user","content":[{"text":"a"}]}]})",
       "messages[0].content[0].type"},
      {R"({"messages":[{"role":"user","content":[{"type":"input_audio",
         "input_audio":{"data":"***"}}]}]})",
       "messages[0].content[0].input_audio.data"},
      {R"({"messages":[{"role":"user","content":[{"type":"image_url",
         "image_url":{}}]}]})",
       "messages[0].content[0].image_url.url"},
      {R"({"messages":[{"role":"assistant","tool_calls":[{"function":1}]}]})",
       "messages[0].tool_calls[0].function"},
      {R"({"messages":[{"role":"assistant","tool_calls":{}}]})",
       "messages[0].tool_calls"},
      {R"({"messages":[{"role":"assistant","reasoning_content":1}]})",
       "messages[0].reasoning_content"},
      {R"({"model":7,"messages":[{"role":"user"}]})", "model"},
      {With(R"("stream":"yes")"), "stream"},
      {With(R"("temperature":"hot")"), "temperature"},
      {With(R"("max_tokens":1.5)"), "max_tokens"},
      {With(R"("n":3000000000)"), "n"},
      {With(R"("stop":[1])"), "stop[0]"},
      {With(R"("tools":[{"type":"function"}])"), "tools[0].function"},
      {With(R"("tools":[{"type":"function","function":{}}])"),
       "tools[0].function.name"},
      {With(R"("response_format":"json")"), "response_format"},
      {With(R"("metadata":{"a":1})"), "metadata.a"},
      {With(R"("stream_options":{"include_usage":1})"),
       "stream_options.include_usage"},
      {With(R"("top_p":1,"top_p":0)"), "top_p"},
      {With(R"("top_p":null,"top_p":0)"), "top_p"},
      {R"({"messages":[{"role":"user","content":"a","role":"system"}]})",
       "messages[0].role"},
      {R"({"messages":[{"role":"user","content":[{"type":"text","text":"a",
         "text":"b"}]}]})",
       "messages[0].content[0].text"},
      {With(R"("tools":[{"type":"function","function":{"name":"a",
         "name":"b"}}])"),
       "tools[0].function.name"},
      {With(R"("tools":[{"type":"x","type":"y"}])"), "tools[0]"},
      {With(R"("tool_choice":{"type":"function","type":"custom"})"),
       "tool_choice"},
      {With(R"("tool_choice":{"type":"function","function":{"name":"a",
         "name":"b"}})"),
       "tool_choice.function"},
      {R"({"messages":[{"role":"user","content":[{"type":"x","type":"y"}]}]})",
       "messages[0].content[0]"},
      {With(R"("run_id":")" + std::string(257, 'r') + "\""), "run_id"},
  }));
  CAPTURE(body);
  const auto request = Parse(body);
  REQUIRE(request.status().code() == absl::StatusCode::kInvalidArgument);
  const v1::UpstreamError detail = CallErrorDetail(request.status());
  CHECK(detail.code() == "invalid_request");
  CHECK(detail.source() == "client");
  CHECK(detail.param() == param);
}

TEST_CASE("a body of too many values is too large, however few its bytes",
          "[server][http][parse][PRF-5]") {
  std::string stop = "\"stop\":[\"\"";
  for (int i = 0; i < 200'000; ++i) stop += ",\"\"";
  const auto request = Parse(With(stop + "]"));
  const v1::UpstreamError detail = CallErrorDetail(request.status());
  CHECK(detail.code() == "body_too_large");
  CHECK(detail.message().find("200000 values") != std::string::npos);
}

TEST_CASE("an error never repeats what the caller wrote",
          "[server][http][parse][SEC-5]") {
  const auto request = Parse(With(R"("temperature":"canary-secret")"));
  REQUIRE_FALSE(request.ok());
  CHECK(request.status().ToString().find("canary") == std::string::npos);
}

}  // namespace
}  // namespace llm::server
