// What each of the vendors that are on by configuration is told: one row per
// quirk of its page (profiles.cc names page and date).
#include "tests/adapters/openai/vendor_request.h"

#include <catch2/catch.hpp>

namespace llm::openai {
namespace {

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
      {"openai", "gpt-5-chat-latest", Effort("low"), "reasoning_effort", "",
       "reasoning_effort"},
      {"openai", "ft:gpt-4o-mini:acme::1", Effort("low"), "reasoning_effort",
       "", "reasoning_effort"},
      {"openai", "ft:gpt-3.5-turbo:acme::1", Effort("low"), "reasoning_effort",
       "", "reasoning_effort"},
      {"openai", "o3-2025-04-16", Effort("none"), "reasoning_effort", "",
       "reasoning_effort"},
      {"openai", "gpt-5-nano", Effort("none"), "reasoning_effort", "",
       "reasoning_effort"},
      {"openai", "gpt-5.1", Effort("none"), "reasoning_effort", "\"none\"", ""},
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

TEST_CASE("OpenAI's families are known beyond the catalog",
          "[adapters][openai][request][vendors][TRN-6]") {
  const std::string hot = R"("temperature":0.5)";
  Check(GENERATE_COPY(values<Row>({
      {"openai", "o3", R"("stop":["a"])", "stop", "", "stop"},
      {"openai", "o4-mini-2025-04-16", R"("stop":["a"])", "stop", "", "stop"},
      {"openai", "gpt-5.4", R"("stop":["a"])", "stop", R"(["a"])", ""},
      {"openai", "o1-2024-12-17", hot, "temperature", "", "temperature"},
      {"openai", "o4-large", hot, "temperature", "", "temperature"},
      {"openai", "gpt-5.9-nova", hot, "temperature", "", "temperature"},
      {"openai", "gpt-5.9-nova", hot + R"(,"reasoning_effort":"none")",
       "temperature", "0.5", ""},
      {"openai", "gpt-5-chat-latest", hot, "temperature", "0.5", ""},
      {"openai", "gpt-4.1-2025-04-14", hot, "temperature", "0.5", ""},
  })));
}

TEST_CASE("what the configuration says of sampling outranks the family",
          "[adapters][openai][request][vendors]") {
  AttemptContext context;
  context.upstream_model.value = "gpt-5.1";
  context.traits.refuses_sampling = false;
  const RenderedRequest got = RenderRequest(With(R"("temperature":0.5)"),
                                            context, FindProfile("openai"));
  CHECK(Member(got, "temperature") == "0.5");
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
      {"", "m", R"("temperature":5.7)", "temperature", "5.7", ""},
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

}  // namespace
}  // namespace llm::openai
