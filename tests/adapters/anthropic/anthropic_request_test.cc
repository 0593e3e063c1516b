// What the fields of a request become on Anthropic's wire.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

const char kHi[] = R"("messages":[{"role":"user","content":"hi"}])";

struct Case {
  std::string model;
  // Members beside model and messages.
  std::string members;
  // The body behind `messages`, and what was dropped.
  std::string want;
  std::string dropped = {};
};

// The body without model, messages and stream; then " - " and the drops.
std::string Fields(const std::string& model, const std::string& members,
                   const AttemptContext& context = {}) {
  const auto got = RenderJson(std::string(R"({"model":"m",)") + kHi +
                                  (members.empty() ? "" : "," + members) + "}",
                              {model, context});
  if (got.refusal) return "refused " + got.refusal->param;
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (v.KeyEquals("model") || v.KeyEquals("messages") ||
        v.KeyEquals("stream")) {
      continue;
    }
    json.MemberRaw(v.Key(), v.raw());
  }
  json.EndObject();
  if (!got.dropped.empty()) out += " - " + absl::StrJoin(got.dropped, " ");
  return out;
}

TEST_CASE("max_tokens is always there: the caller's, or the model's limit",
          "[adapters][anthropic][request][TRN-8]") {
  const auto [model, members, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"claude-sonnet-4-5", "", R"({"max_tokens":64000})"},
          {"claude-opus-4-8", "", R"({"max_tokens":128000})"},
          {"anthropic/claude-opus-4.1", "", R"({"max_tokens":32000})"},
          {"anthropic.claude-opus-4-1", "", R"({"max_tokens":32000})"},
          {"claude-opus-4-20250514", "", R"({"max_tokens":32000})"},
          {"claude-3-haiku-20240307", "", R"({"max_tokens":4096})"},
          {"kimi-k3", "", R"({"max_tokens":4096})"},
          // Nobody knows the limit of a model nobody knows.
          {"kimi-k3", R"("max_tokens":9000)", R"({"max_tokens":9000})"},
          {"claude-sonnet-4-5", R"("max_tokens":10)", R"({"max_tokens":10})"},
          {"claude-sonnet-4-5", R"("max_completion_tokens":70000)",
           R"({"max_tokens":64000} - max_completion_tokens)"},
          // Thinks unasked, so the visible answer gets headroom.
          {"claude-sonnet-5", R"("max_tokens":100)", R"({"max_tokens":8292})"},
          {"claude-sonnet-5", R"("max_completion_tokens":100)",
           R"({"max_tokens":100})"},
      }));
  CAPTURE(model, members);
  CHECK(Fields(model, members) == want);
}

TEST_CASE("thinking is asked for in the words of each family",
          "[adapters][anthropic][request][TRN-8]") {
  const auto [model, members, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"claude-sonnet-4-5", R"("reasoning_effort":"low","max_tokens":500)",
           R"({"max_tokens":2548,"thinking":{"type":"enabled",)"
           R"("budget_tokens":2048}})"},
          {"claude-sonnet-4-5",
           R"("reasoning_effort":"high","max_completion_tokens":8000)",
           R"({"max_tokens":8000,"thinking":{"type":"enabled",)"
           R"("budget_tokens":4000}})"},
          {"claude-sonnet-4-5",
           R"("reasoning_effort":"high","max_completion_tokens":1500)",
           R"({"max_tokens":1500,"thinking":{"type":"enabled",)"
           R"("budget_tokens":1024}})"},
          {"claude-sonnet-4-5",
           R"("reasoning_effort":"high","max_completion_tokens":1024)",
           R"({"max_tokens":1024} - reasoning_effort)"},
          {"claude-sonnet-4-5", R"("reasoning_effort":"max")",
           R"({"max_tokens":64000,"thinking":{"type":"enabled",)"
           R"("budget_tokens":32000}})"},
          {"claude-sonnet-4-5", R"("reasoning_effort":"none")",
           R"({"max_tokens":64000})"},
          {"claude-opus-4-5", R"("reasoning_effort":"medium")",
           R"({"max_tokens":64000,"thinking":{"type":"enabled",)"
           R"("budget_tokens":10000},"output_config":{"effort":"medium"}})"},
          {"claude-opus-4-6", R"("reasoning_effort":"xhigh")",
           R"({"max_tokens":128000,"thinking":{"type":"adaptive"},)"
           R"("output_config":{"effort":"max"}} - reasoning_effort)"},
          {"claude-opus-4-8", R"("reasoning_effort":"xhigh","max_tokens":100)",
           R"({"max_tokens":32868,"thinking":{"type":"adaptive",)"
           R"("display":"summarized"},"output_config":{"effort":"xhigh"}})"},
          {"claude-sonnet-5", R"("reasoning_effort":"minimal")",
           R"({"max_tokens":128000,"thinking":{"type":"adaptive",)"
           R"("display":"summarized"},"output_config":{"effort":"low"}})"},
          {"claude-sonnet-5", R"("reasoning_effort":"none","max_tokens":9)",
           R"({"max_tokens":9,"thinking":{"type":"disabled"}})"},
          {"claude-fable-5", R"("reasoning_effort":"none")",
           R"({"max_tokens":128000,"output_config":{"effort":"low"}})"
           R"( - reasoning_effort)"},
          {"claude-3-haiku-20240307", R"("reasoning_effort":"low")",
           R"({"max_tokens":4096} - reasoning_effort)"},
          {"claude-3-haiku-20240307", R"("reasoning_effort":"none")",
           R"({"max_tokens":4096})"},
          {"claude-sonnet-4-5", R"("reasoning_effort":"huge")",
           R"({"max_tokens":64000} - reasoning_effort)"},
          // The caller's own words.
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":2000},)"
           R"("max_tokens":4000)",
           R"({"max_tokens":4000,"thinking":)"
           R"({"type":"enabled","budget_tokens":2000}})"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":2000},)"
           R"("max_tokens":100)",
           R"({"max_tokens":2100,"thinking":)"
           R"({"type":"enabled","budget_tokens":2000}})"},
          {"claude-opus-5",
           R"("thinking":{"type":"disabled"},"output_config":)"
           R"({"effort":"max"})",
           R"({"max_tokens":128000,"thinking":{"type":"disabled"},)"
           R"("output_config":{"effort":"high"}} - output_config.effort)"},
      }));
  CAPTURE(model, members);
  CHECK(Fields(model, members) == want);
}

TEST_CASE("the deployment's switch stands above the caller's wish",
          "[adapters][anthropic][request]") {
  AttemptContext off;
  off.reasoning = ReasoningSwitch::kOff;
  CHECK(Fields("claude-sonnet-5", "", off) ==
        R"({"max_tokens":128000,"thinking":{"type":"disabled"}})");
  CHECK(Fields("claude-sonnet-5", R"("reasoning_effort":"high")", off) ==
        R"({"max_tokens":128000,"thinking":{"type":"disabled"}})"
        R"( - reasoning_effort)");
  CHECK(Fields("claude-sonnet-4-5", R"("thinking":{"type":"enabled"})", off) ==
        R"({"max_tokens":64000} - thinking)");
  AttemptContext on;
  on.reasoning = ReasoningSwitch::kOn;
  CHECK(Fields("claude-sonnet-4-5", "", on) ==
        R"({"max_tokens":64000,"thinking":{"type":"enabled",)"
        R"("budget_tokens":10000}})");
  CHECK(Fields("claude-sonnet-5", R"("reasoning_effort":"none")", on) ==
        R"({"max_tokens":128000,"thinking":{"type":"adaptive",)"
        R"("display":"summarized"}} - reasoning_effort)");
}

TEST_CASE("a tool loop that has lost its thinking goes on without",
          "[adapters][anthropic][request][TRN-3]") {
  const auto body = [](const std::string& reasoning) {
    return R"({"model":"m","reasoning_effort":"high","messages":[)"
           R"({"role":"user","content":"hi"},{"role":"assistant",)" +
           reasoning +
           R"("tool_calls":[{"id":"a","type":"function","function":)"
           R"({"name":"f","arguments":"{}"}}]},{"role":"tool",)"
           R"("tool_call_id":"a","content":"1"}]})";
  };
  const std::string proof =
      R"("reasoning_details":[{"type":"reasoning.text","text":"I",)"
      R"("signature":"S","format":"anthropic-claude-v1"}],)";
  const auto [model, with, thinking, dropped] =
      GENERATE(table<std::string, bool, std::string, std::string>({
          {"claude-sonnet-4-5", false, "", "reasoning_effort"},
          {"claude-sonnet-4-5", true,
           R"({"type":"enabled","budget_tokens":16384})", ""},
          {"claude-sonnet-5", false, R"({"type":"disabled"})",
           "reasoning_effort"},
          {"claude-opus-4-8", false, "", "reasoning_effort"},
          {"claude-fable-5", false,
           R"({"type":"adaptive","display":"summarized"})", ""},
          {"claude-sonnet-5", true,
           R"({"type":"adaptive","display":"summarized"})", ""},
      }));
  const auto got = RenderJson(body(with ? proof : ""), {model, {}});
  const auto doc = JsonDocument::Parse(got.body);
  REQUIRE(doc.ok());
  CAPTURE(model, with, got.body);
  CHECK(doc->root().Find("thinking").raw() == thinking);
  CHECK(absl::StrJoin(got.dropped, " ") == dropped);
}

TEST_CASE("each field is sent, dropped and named, or says nothing",
          "[adapters][anthropic][request][TRN-6]") {
  const auto [model, members, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"kimi", R"("temperature":0.70)",
           R"({"max_tokens":4096,"temperature":0.7})"},
          {"kimi", R"("temperature":1.5)",
           R"({"max_tokens":4096,"temperature":1} - temperature)"},
          {"kimi", R"("temperature":0.5,"top_p":0.9)",
           R"({"max_tokens":4096,"temperature":0.5,"top_p":0.9})"},
          {"claude-haiku-4-5", R"("temperature":0.5,"top_p":0.9)",
           R"({"max_tokens":64000,"temperature":0.5} - top_p)"},
          {"claude-haiku-4-5", R"("top_p":0.9,"top_k":5)",
           R"({"max_tokens":64000,"top_p":0.9,"top_k":5})"},
          {"claude-opus-4-7", R"("temperature":0.5,"top_p":0.9,"top_k":5)",
           R"({"max_tokens":128000} - temperature top_p top_k)"},
          {"claude-opus-4-7", R"("temperature":1,"top_p":1)",
           R"({"max_tokens":128000})"},
          {"claude-haiku-4-5",
           R"("reasoning_effort":"low","temperature":0.5,"top_p":0.96,)"
           R"("top_k":5)",
           R"({"max_tokens":64000,"thinking":{"type":"enabled",)"
           R"("budget_tokens":2048},"top_p":0.96} - temperature top_k)"},
          {"kimi", R"("stop":"END")",
           R"({"max_tokens":4096,"stop_sequences":["END"]})"},
          {"kimi", R"("stop":["\n","A"])",
           R"({"max_tokens":4096,"stop_sequences":["A"]} - stop)"},
          {"kimi", R"("user":"u-1","metadata":{"run_id":"r"})",
           R"({"max_tokens":4096,"metadata":{"user_id":"u-1"}})"},
          {"kimi", R"("safety_identifier":"s","user":"u-1")",
           R"({"max_tokens":4096,"metadata":{"user_id":"s"}})"},
          {"kimi", R"("metadata":{"user_id":"m"})",
           R"({"max_tokens":4096,"metadata":{"user_id":"m"}})"},
          {"kimi", R"("service_tier":"auto")",
           R"({"max_tokens":4096,"service_tier":"auto"})"},
          {"kimi", R"("service_tier":"default")",
           R"({"max_tokens":4096,"service_tier":"standard_only"})"},
          {"kimi", R"("service_tier":"flex")",
           R"({"max_tokens":4096} - service_tier)"},
          {"kimi",
           R"("n":1,"frequency_penalty":0,"presence_penalty":0,)"
           R"("logprobs":false,"store":false,"verbosity":"medium",)"
           R"("modalities":["text"],"logit_bias":{},"run_id":"r",)"
           R"("agent":"a","task_type":"t","parallel_tool_calls":true)",
           R"({"max_tokens":4096})"},
          {"kimi",
           R"("frequency_penalty":1,"presence_penalty":1,"seed":1,)"
           R"("logit_bias":{"1":2},"logprobs":true,"top_logprobs":2,)"
           R"("verbosity":"low","store":true,"prompt_cache_key":"k",)"
           R"("prediction":{"type":"content","content":"x"},)"
           R"("web_search_options":{},"chat_template_kwargs":{"a":1})",
           R"({"max_tokens":4096} - chat_template_kwargs frequency_penalty)"
           R"( presence_penalty logit_bias logprobs top_logprobs seed)"
           R"( verbosity prediction store prompt_cache_key)"
           R"( web_search_options)"},
          {"kimi", R"("modalities":["text","image"])",
           R"({"max_tokens":4096} - modalities)"},
          {"kimi", R"("modalities":[])", R"({"max_tokens":4096})"},
          {"kimi",
           R"("container":"c","inference_geo":"us","speed":"fast",)"
           R"("mcp_servers":[{"name":"x"}],"context_management":{"edits":[]},)"
           R"("cache_control":{"type":"ephemeral"},"fallbacks":null)",
           R"({"max_tokens":4096,"cache_control":{"type":"ephemeral"},)"
           R"("container":"c","inference_geo":"us","speed":"fast",)"
           R"("mcp_servers":[{"name":"x"}],)"
           R"("context_management":{"edits":[]}})"},
      }));
  CAPTURE(model, members);
  CHECK(Fields(model, members) == want);
}

const char kTool[] =
    R"("tools":[{"type":"function","function":{"name":"f",)"
    R"("parameters":{"type":"object","properties":{"x":{"type":"integer",)"
    R"("minimum":1}}}}}])";
const char kToolWire[] =
    R"("tools":[{"name":"f","input_schema":{"type":"object","properties":)"
    R"({"x":{"type":"integer","minimum":1}}}}])";

TEST_CASE("tool choices are said in Anthropic's words",
          "[adapters][anthropic][request]") {
  const auto [model, members, choice] =
      GENERATE(table<std::string, std::string, std::string>({
          {"claude-haiku-4-5", "", ""},
          {"claude-haiku-4-5", R"(,"tool_choice":"auto")",
           R"(,"tool_choice":{"type":"auto"})"},
          {"claude-haiku-4-5", R"(,"tool_choice":"none")",
           R"(,"tool_choice":{"type":"none"})"},
          {"claude-haiku-4-5", R"(,"tool_choice":"required")",
           R"(,"tool_choice":{"type":"any"})"},
          {"claude-haiku-4-5",
           R"(,"tool_choice":{"type":"function","function":{"name":"f"}})",
           R"(,"tool_choice":{"type":"tool","name":"f"})"},
          {"claude-haiku-4-5", R"(,"tool_choice":{"type":"tool","name":"f"})",
           R"(,"tool_choice":{"type":"tool","name":"f"})"},
          {"claude-haiku-4-5",
           R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{)"
           R"("mode":"required","tools":[{"type":"function","function":)"
           R"({"name":"f"}}]}})",
           R"(,"tool_choice":{"type":"any"})"},
          {"claude-haiku-4-5", R"(,"parallel_tool_calls":false)",
           R"(,"tool_choice":{"type":"auto",)"
           R"("disable_parallel_tool_use":true})"},
          {"claude-haiku-4-5",
           R"(,"parallel_tool_calls":false,"tool_choice":"none")",
           R"(,"tool_choice":{"type":"none"})"},
      }));
  CAPTURE(members);
  CHECK(Fields(model, kTool + members) ==
        R"({"max_tokens":64000,)" + std::string(kToolWire) + choice + "}");
}

TEST_CASE("a forced call outweighs a thinking budget; some models take none",
          "[adapters][anthropic][request]") {
  const std::string forced = std::string(kTool) +
                             R"(,"tool_choice":"required",)"
                             R"("reasoning_effort":"high")";
  CHECK(Fields("claude-haiku-4-5", forced) ==
        R"({"max_tokens":64000,)" + std::string(kToolWire) +
            R"(,"tool_choice":{"type":"any"}} - reasoning_effort)");
  CHECK(Fields("claude-opus-4-6", forced) ==
        R"({"max_tokens":128000,)" + std::string(kToolWire) +
            R"(,"tool_choice":{"type":"any"},"thinking":{"type":"adaptive"},)"
            R"("output_config":{"effort":"high"}})");
  CHECK(Fields("claude-fable-5",
               kTool + std::string(R"(,"tool_choice":"required")")) ==
        R"({"max_tokens":128000,)" + std::string(kToolWire) +
            R"(,"tool_choice":{"type":"auto"}} - tool_choice)");
}

TEST_CASE("tools keep their schemas but for the root, and native ones pass",
          "[adapters][anthropic][request][TRN-7]") {
  const auto [tool, want] = GENERATE(table<std::string, std::string>({
      {R"({"type":"function","function":{"name":"f","description":""}})",
       R"({"name":"f","description":"","input_schema":)"
       R"({"type":"object","properties":{}}})"},
      {R"({"type":"function","function":{"name":"f","parameters":)"
       R"({"properties":{}, "x":1.0}}})",
       R"({"name":"f","input_schema":{"type":"object","properties":{},)"
       R"("x":1.0}})"},
      {R"({"type":"function","function":{"name":"f","strict":true,)"
       R"("parameters":{"type":"object","properties":{"a":{"type":)"
       R"("string"}}}},"defer_loading":true})",
       R"({"name":"f","input_schema":{"type":"object","properties":{"a":)"
       R"({"type":"string"}},"additionalProperties":false},"strict":true,)"
       R"("defer_loading":true})"},
      {R"({"type":"web_search_20250305","name":"web_search","max_uses": 5})",
       R"({"type":"web_search_20250305","name":"web_search","max_uses": 5})"},
      {R"({"name":"f","input_schema":{"type":"object"}})",
       R"({"name":"f","input_schema":{"type":"object"}})"},
  }));
  CHECK(Fields("claude-haiku-4-5", R"("tools":[)" + tool + "]") ==
        R"({"max_tokens":64000,"tools":[)" + want + "]}");
}

TEST_CASE("what strict tools lose is named; old models have none",
          "[adapters][anthropic][request][TRN-5]") {
  const std::string tool =
      R"("tools":[{"type":"function","function":{"name":"f","strict":true,)"
      R"("parameters":{"type":"object","properties":{"a":{"type":"string",)"
      R"("pattern":"x"}}}}}])";
  CHECK(Fields("claude-haiku-4-5", tool) ==
        R"({"max_tokens":64000,"tools":[{"name":"f","input_schema":)"
        R"({"type":"object","properties":{"a":{"type":"string"}},)"
        R"("additionalProperties":false},"strict":true}]})"
        R"( - tools.function.parameters.pattern)");
  CHECK(Fields("claude-3-haiku", tool) ==
        R"({"max_tokens":4096,"tools":[{"name":"f","input_schema":)"
        R"({"type":"object","properties":{"a":{"type":"string",)"
        R"("pattern":"x"}}}}]} - tools.function.strict)");
}

TEST_CASE("a history of calls without tools gets them declared, not to call",
          "[adapters][anthropic][request]") {
  const auto got = RenderJson(
      R"({"model":"m","messages":[{"role":"user","content":"hi"},
          {"role":"assistant","tool_calls":[{"id":"a","type":"function",
           "function":{"name":"f","arguments":"{}"}}]},
          {"role":"tool","tool_call_id":"a","content":"1"}]})");
  CHECK(got.body.find(R"("tools":[{"name":"f","input_schema":)"
                      R"({"type":"object"}}],"tool_choice":{"type":"none"})") !=
        std::string::npos);
  CHECK(got.dropped.empty());
}

const char kFormat[] =
    R"("response_format":{"type":"json_schema","json_schema":{"name":"r",)"
    R"("strict":true,"schema":{"type":"object","properties":{"a":)"
    R"({"type":"integer","minimum":1}}}}})";

TEST_CASE("a schema for the answer is native, a tool, or words",
          "[adapters][anthropic][request]") {
  CHECK(Fields("claude-haiku-4-5", kFormat) ==
        R"({"max_tokens":64000,"output_config":{"format":)"
        R"({"type":"json_schema","schema":{"type":"object","properties":)"
        R"({"a":{"type":"integer"}},"additionalProperties":false}}}})"
        R"( - response_format.json_schema.minimum)");
  CHECK(Fields("claude-sonnet-4-0", kFormat) ==
        R"({"max_tokens":64000,"tools":[{"name":"json","description":)"
        R"("Give the final answer with this tool.","input_schema":)"
        R"({"type":"object","properties":{"a":{"type":"integer",)"
        R"("minimum":1}}}}],"tool_choice":{"type":"tool","name":"json",)"
        R"("disable_parallel_tool_use":true}})");
  CHECK(Fields("claude-sonnet-4-0", kTool + std::string(",") + kFormat)
            .find(R"("tool_choice":{"type":"any",)"
                  R"("disable_parallel_tool_use":true}})") !=
        std::string::npos);
  CHECK(Fields("kimi", R"("response_format":{"type":"json_object"})") ==
        R"({"max_tokens":4096,"system":[{"type":"text","text":"Answer with)"
        R"( one JSON object and nothing else, no code fence."}]})"
        R"( - response_format.json_object)");
  CHECK(Fields("kimi", R"("response_format":{"type":"text"})") ==
        R"({"max_tokens":4096})");
}

TEST_CASE("the same request gives the same bytes",
          "[adapters][anthropic][request][TRN-7]") {
  const std::string body =
      std::string(R"({"model":"m",)") + kHi + "," + kTool +
      R"(,"metadata":{"a":"1","b":"2"},"reasoning_effort":"low"})";
  CHECK(RenderJson(body).body == RenderJson(body).body);
}

}  // namespace
}  // namespace llm
