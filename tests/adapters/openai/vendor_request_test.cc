// What each of the vendors that are on by configuration is told: one row per
// quirk of its page (profiles.cc names page and date).
#include <catch2/catch.hpp>
#include <memory>

#include "adapters/core/json.h"
#include "adapters/openai/openai_request.h"
#include "server/http/parse_chat_request.h"

namespace llm::openai {
namespace {

ChatRequest Parse(const std::string& json) {
  auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(json));
  REQUIRE(request.ok());
  return *std::move(request);
}

ChatRequest With(const std::string& members) {
  return Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"}])" +
               (members.empty() ? "" : "," + members) + "}");
}

struct Asked {
  std::string profile;
  std::string model = "m";
  bool stream = false;
};

RenderedRequest Render(const ChatRequest& request, const Asked& asked) {
  AttemptContext context;
  context.provider.value = "acme";
  context.upstream_model.value = asked.model;
  context.stream = asked.stream;
  return RenderRequest(request, context, FindProfile(asked.profile));
}

std::string Member(const RenderedRequest& rendered, const std::string& name) {
  const auto doc = JsonDocument::Parse(rendered.body);
  REQUIRE(doc.ok());
  return std::string(doc->root().Find(name).raw());
}

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

struct Row {
  std::string profile;
  std::string model;
  std::string sent;
  std::string member;
  std::string value;  // empty: must be absent
  std::string dropped;
};

void Check(const Row& row) {
  CAPTURE(row.profile, row.model, row.sent, row.member);
  const RenderedRequest got = Render(With(row.sent), {row.profile, row.model});
  CHECK(Member(got, row.member) == row.value);
  CHECK(Joined(got.dropped) == row.dropped);
}

constexpr char kTool[] =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{}}}])";
constexpr char kSchema[] =
    R"("response_format":{"type":"json_schema","json_schema":)"
    R"({"name":"n","schema":{}}})";

std::string Effort(const std::string& level) {
  return R"("reasoning_effort":")" + level + "\"";
}

TEST_CASE("each vendor's switch for reasoning is found by model",
          "[adapters][openai][request][vendors]") {
  Check(GENERATE(values<Row>({
      {"moonshot", "kimi-k2.6", Effort("low"), "thinking",
       R"({"type":"enabled"})", ""},
      {"moonshot", "kimi-k2.6", Effort("none"), "thinking",
       R"({"type":"disabled"})", ""},
      {"moonshot", "kimi-k2.6", Effort("low"), "reasoning_effort", "", ""},
      {"moonshot", "kimi-k3", Effort("medium"), "reasoning_effort", "\"high\"",
       ""},
      {"moonshot", "kimi-k3", Effort("minimal"), "reasoning_effort", "\"low\"",
       ""},
      {"moonshot", "kimi-k3", Effort("xhigh"), "reasoning_effort", "\"max\"",
       ""},
      {"moonshot", "kimi-k3", Effort("none"), "reasoning_effort", "",
       "reasoning_effort"},
      {"moonshot", "kimi-k2.7-code", Effort("none"), "thinking", "",
       "reasoning_effort"},
      {"moonshot", "moonshot-v1-8k", Effort("high"), "thinking", "",
       "reasoning_effort"},
      {"zhipu", "glm-4.7", Effort("none"), "thinking", R"({"type":"disabled"})",
       ""},
      {"zhipu", "glm-5.2", Effort("low"), "reasoning_effort", "\"low\"", ""},
      {"zhipu", "glm-5.2", Effort("low"), "thinking", R"({"type":"enabled"})",
       ""},
      {"zhipu", "glm-5.3", Effort("medium"), "reasoning_effort", "\"high\"",
       ""},
      {"zhipu", "glm-5.3", Effort("none"), "thinking", "", "reasoning_effort"},
      {"zhipu", "glm-4-flash", Effort("high"), "thinking", "",
       "reasoning_effort"},
      {"zhipu", "glm-5",
       R"("thinking":{"type":"enabled","clear_thinking":)"
       R"(false})",
       "thinking", R"({"type":"enabled","clear_thinking":false})", ""},
      {"siliconflow", "Qwen/Qwen3-32B", Effort("none"), "enable_thinking",
       "false", ""},
      {"siliconflow", "Qwen/Qwen3-30B-A3B-Instruct-2507", Effort("high"),
       "enable_thinking", "", "reasoning_effort"},
      {"siliconflow", "deepseek-ai/DeepSeek-R1", Effort("none"),
       "enable_thinking", "", "reasoning_effort"},
      {"openrouter", "a/b", Effort("low"), "reasoning",
       R"({"enabled":true,"effort":"low"})", ""},
      {"openrouter", "a/b", Effort("none"), "reasoning", R"({"enabled":false})",
       ""},
      {"groq", "openai/gpt-oss-20b", Effort("xhigh"), "reasoning_effort",
       "\"high\"", ""},
      {"groq", "openai/gpt-oss-20b", Effort("none"), "reasoning_effort", "",
       "reasoning_effort"},
      {"groq", "qwen/qwen3-32b", Effort("high"), "reasoning_effort",
       "\"default\"", ""},
      {"groq", "qwen/qwen3-32b", Effort("none"), "reasoning_effort", "\"none\"",
       ""},
      {"groq", "llama-3.1-8b-instant", Effort("low"), "reasoning_effort", "",
       "reasoning_effort"},
      {"mistral", "mistral-small-2603", Effort("low"), "reasoning_effort",
       "\"high\"", ""},
      {"mistral", "mistral-small-2603", Effort("none"), "reasoning_effort",
       "\"none\"", ""},
      {"mistral", "magistral-medium-latest", Effort("high"), "reasoning_effort",
       "", ""},
      {"mistral", "codestral-2508", Effort("high"), "reasoning_effort", "",
       "reasoning_effort"},
      {"xai", "grok-4.3", Effort("none"), "reasoning_effort", "\"none\"", ""},
      {"xai", "grok-4.5", Effort("xhigh"), "reasoning_effort", "\"high\"", ""},
      {"xai", "grok-4.6", Effort("xhigh"), "reasoning_effort", "\"xhigh\"", ""},
      {"xai", "grok-3-mini", Effort("medium"), "reasoning_effort", "\"high\"",
       ""},
      {"xai", "grok-4-0709", Effort("high"), "reasoning_effort", "", ""},
      {"xai", "grok-4-0709", Effort("none"), "reasoning_effort", "",
       "reasoning_effort"},
      {"volcengine", "doubao-seed-1-6", Effort("none"), "thinking",
       R"({"type":"disabled"})", ""},
      {"volcengine", "doubao-seed-1-6", R"("thinking":{"type":"auto"})",
       "thinking", R"({"type":"auto"})", ""},
      {"minimax", "MiniMax-M2.7", Effort("none"), "reasoning_effort", "",
       "reasoning_effort"},
      {"azure", "gpt", Effort("low"), "reasoning_effort", "\"low\"", ""},
      {"azure-2024", "gpt", Effort("low"), "reasoning_effort", "",
       "reasoning_effort"},
      {"together", "zai-org/GLM-4.6", Effort("low"), "reasoning",
       R"({"enabled":true})", ""},
      {"together", "openai/gpt-oss-20b", Effort("low"), "reasoning_effort",
       "\"low\"", ""},
      {"fireworks", "accounts/x/models/kimi-k2p6", Effort("xhigh"),
       "reasoning_effort", "\"high\"", ""},
  })));
}

TEST_CASE("each vendor gets the fields of its page, and no others",
          "[adapters][openai][request][vendors][TRN-6]") {
  Check(GENERATE(values<Row>({
      // The cap.
      {"moonshot", "m", R"("max_completion_tokens":5)", "max_tokens", "5", ""},
      {"groq", "m", R"("max_tokens":5)", "max_completion_tokens", "5", ""},
      {"volcengine", "m", R"("max_tokens":5)", "max_completion_tokens", "5",
       ""},
      {"azure", "m", R"("max_tokens":5)", "max_completion_tokens", "5", ""},
      {"azure-2024", "m", R"("max_completion_tokens":5)", "max_tokens", "5",
       ""},
      {"fireworks", "m", R"("max_tokens":5)", "max_completion_tokens", "5", ""},
      // Temperature.
      {"moonshot", "moonshot-v1-8k", R"("temperature":1.5)", "temperature", "1",
       "temperature"},
      {"moonshot", "moonshot-v1-8k", R"("temperature":0.30)", "temperature",
       "0.30", ""},
      {"moonshot", "kimi-k2.6", R"("temperature":0.3)", "temperature", "",
       "temperature"},
      {"moonshot", "kimi-k3", R"("top_p":0.3)", "top_p", "", "top_p"},
      {"zhipu", "glm-5", R"("temperature":0)", "do_sample", "false", ""},
      {"zhipu", "glm-5", R"("temperature":0)", "temperature", "", ""},
      {"minimax", "m", R"("temperature":0)", "temperature", "0.01",
       "temperature"},
      {"minimax", "m", R"("temperature":1.3)", "temperature", "1",
       "temperature"},
      // Renamed, bounded, cut.
      {"mistral", "m", R"("seed":7)", "random_seed", "7", ""},
      {"mistral", "m", R"("seed":7)", "seed", "", ""},
      {"zhipu", "glm-5", R"("user":"u-12345")", "user_id", "\"u-12345\"", ""},
      {"zhipu", "glm-5", R"("user":"u")", "user_id", "", ""},
      {"zhipu", "glm-5", R"("stop":["a","b"])", "stop", R"(["a"])", "stop"},
      // Refused or ignored there.
      {"moonshot", "m", R"("seed":7)", "seed", "", "seed"},
      {"moonshot", "m", R"("prompt_cache_key":"k")", "prompt_cache_key",
       "\"k\"", ""},
      {"zhipu", "glm-5", R"("presence_penalty":1)", "presence_penalty", "",
       "presence_penalty"},
      {"siliconflow", "m", R"("logprobs":true)", "logprobs", "", "logprobs"},
      {"siliconflow", "m", R"("thinking_budget":128)", "thinking_budget", "128",
       ""},
      {"openrouter", "m", R"("provider":{"only":["x"]})", "provider",
       R"({"only":["x"]})", ""},
      {"openrouter", "m", R"("user":"u")", "user", "\"u\"", ""},
      {"openrouter", "m", R"("enable_thinking":true)", "enable_thinking", "",
       "enable_thinking"},
      {"groq", "m", R"("n":2)", "n", "", "n"},
      {"groq", "m", R"("logit_bias":{"5":1})", "logit_bias", "", "logit_bias"},
      {"mistral", "m", R"("user":"u","metadata":{"a":"b"})", "user", "", ""},
      {"mistral", "m", R"("n":2)", "n", "2", ""},
      {"xai", "grok-4.5", R"("stop":["a"])", "stop", "", "stop"},
      {"xai", "grok-4-1-fast-non-reasoning", R"("stop":["a"])", "stop",
       R"(["a"])", ""},
      {"xai", "grok-4.5", R"("frequency_penalty":1)", "frequency_penalty", "",
       "frequency_penalty"},
      {"xai", "m", R"("deferred":true)", "deferred", "", "deferred"},
      {"volcengine", "doubao-1-5-thinking-pro", R"("presence_penalty":1)",
       "presence_penalty", "", "presence_penalty"},
      {"minimax", "m", R"("presence_penalty":1)", "presence_penalty", "",
       "presence_penalty"},
      {"together", "m", R"("logprobs":true)", "logprobs", "", "logprobs"},
      {"fireworks", "m", R"("top_k":5)", "top_k", "5", ""},
      // Tiers.
      {"groq", "m", R"("service_tier":"flex")", "service_tier", "\"flex\"", ""},
      {"groq", "m", R"("service_tier":"default")", "service_tier", "", ""},
      {"groq", "m", R"("service_tier":"priority")", "service_tier", "",
       "service_tier"},
      {"xai", "m", R"("service_tier":"priority")", "service_tier",
       "\"priority\"", ""},
      {"volcengine", "m", R"("service_tier":"flex")", "service_tier", "",
       "service_tier"},
      {"together", "m", R"("service_tier":"flex")", "service_tier", "",
       "service_tier"},
      // Constants, and the caller's own word against them.
      {"minimax", "m", "", "reasoning_split", "true", ""},
      {"minimax", "m", R"("reasoning_split":false)", "reasoning_split", "false",
       ""},
      {"fireworks", "m", "", "context_length_exceeded_behavior", "\"error\"",
       ""},
      {"groq", "qwen/qwen3-32b", "", "reasoning_format", "\"parsed\"", ""},
      {"groq", "qwen/qwen3-32b", R"("reasoning_format":"hidden")",
       "reasoning_format", "\"hidden\"", ""},
      {"groq", "llama-3.1-8b-instant", "", "reasoning_format", "", ""},
  })));
}

TEST_CASE("each vendor gets the tool choice and the format it takes",
          "[adapters][openai][request][vendors]") {
  const std::string tool = kTool;
  const std::string required = tool + R"(,"tool_choice":"required")";
  const std::string none = tool + R"(,"tool_choice":"none")";
  Check(GENERATE_COPY(values<Row>({
      {"moonshot", "m", required, "tool_choice", "\"auto\"", "tool_choice"},
      {"moonshot", "m", none, "tool_choice", "\"none\"", ""},
      {"zhipu", "glm-5", required, "tool_choice", "\"auto\"", "tool_choice"},
      // Where "none" is refused the tools stay here.
      {"zhipu", "glm-5", none, "tool_choice", "", ""},
      {"zhipu", "glm-5", none, "tools", "", ""},
      {"mistral", "m", required, "tool_choice", "\"any\"", ""},
      {"xai", "m", required, "tool_choice", "\"required\"", ""},
      {"zhipu", "glm-5", kSchema, "response_format",
       R"({"type":"json_object"})", "response_format.json_schema"},
      {"siliconflow", "m", kSchema, "response_format",
       R"({"type":"json_object"})", "response_format.json_schema"},
      {"groq", "m", kSchema, "stream", "false", ""},
      {"groq", "m", tool + "," + kSchema, "response_format", "",
       "response_format.json_schema"},
      {"groq", "m", tool + R"(,"response_format":{"type":"json_object"})",
       "response_format", "", "response_format"},
      {"groq", "m", tool, "stream", "true", ""},
  })));
}

TEST_CASE("streams ask for usage only where they must",
          "[adapters][openai][request][vendors][STR-2]") {
  const auto [profile, want] = GENERATE(table<std::string, std::string>({
      {"moonshot", R"({"include_usage":true})"},
      {"zhipu", ""},
      {"siliconflow", ""},
      {"openrouter", ""},
      {"groq", R"({"include_usage":true})"},
      {"mistral", ""},
      {"xai", R"({"include_usage":true})"},
      {"volcengine", R"({"include_usage":true})"},
      {"minimax", R"({"include_usage":true})"},
      {"azure", R"({"include_usage":true})"},
      {"together", ""},
      {"fireworks", ""},
  }));
  CAPTURE(profile);
  const RenderedRequest got = Render(With(""), {profile});
  CHECK(got.stream);
  CHECK(Member(got, "stream_options") == want);
}

TEST_CASE("arguments of tools come by piece where a switch is needed",
          "[adapters][openai][request][vendors]") {
  const auto [model, tools, stream, want] =
      GENERATE(table<std::string, std::string, bool, std::string>({
          {"glm-4.7", kTool, true, "true"},
          {"glm-5", kTool, true, "true"},
          {"glm-5", kTool, false, ""},
          {"glm-5", "", true, ""},
          {"glm-4-flash", kTool, true, ""},
      }));
  CAPTURE(model, tools, stream);
  CHECK(Member(Render(With(tools), {"zhipu", model, stream}), "tool_stream") ==
        want);
}

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
