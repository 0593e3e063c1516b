#include "adapters/openai/openai_request.h"

#include <catch2/catch.hpp>
#include <memory>
#include <set>

#include "adapters/core/json.h"
#include "tests/adapters/openai/vendor_request.h"

namespace llm::openai {
namespace {

AttemptContext ContextFor(const std::string& model = "m") {
  AttemptContext context;
  context.provider.value = "acme";
  context.upstream_model.value = model;
  return context;
}

RenderedRequest RenderAs(const ChatRequest& request, const std::string& profile,
                         const AttemptContext& context = ContextFor()) {
  return RenderRequest(request, context, FindProfile(profile));
}

// The name of a member that the body holds twice, if any.
std::string RepeatedMember(const RenderedRequest& rendered) {
  const auto doc = JsonDocument::Parse(rendered.body);
  REQUIRE(doc.ok());
  std::set<std::string> seen;
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (!seen.insert(v.Key()).second) return v.Key();
  }
  return {};
}

constexpr char kTool[] =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{}}}])";

TEST_CASE("one member goes in, and each vendor is told in its own words",
          "[adapters][openai][request][TRN-6]") {
  struct Case {
    std::string profile;
    std::string sent;
    std::string member;
    std::string value;  // empty: must be absent
    std::string dropped;
  };
  const Case c = GENERATE(values<Case>({
      // The cap under its one name.
      {"", R"("max_tokens":5)", "max_tokens", "5", ""},
      {"", R"("max_completion_tokens":5)", "max_completion_tokens", "5", ""},
      {"openai", R"("max_tokens":5)", "max_completion_tokens", "5", ""},
      {"openai", R"("max_tokens":5)", "max_tokens", "", ""},
      {"deepseek", R"("max_completion_tokens":5)", "max_tokens", "5", ""},
      {"deepseek", R"("max_completion_tokens":5)", "max_completion_tokens", "",
       ""},
      {"qwen", R"("max_completion_tokens":5)", "max_tokens", "5", ""},
      {"ollama", R"("max_completion_tokens":5)", "max_tokens", "5", ""},
      // The older word means the answer: reasoning gets room of its own
      // where the vendor's cap is over both [TRN-8].
      {"deepseek", R"("max_tokens":5)", "max_tokens", "8197", ""},
      {"deepseek", R"("max_tokens":5,"reasoning_effort":"high")", "max_tokens",
       "16389", ""},
      {"deepseek", R"("max_tokens":5,"thinking":{"type":"disabled"})",
       "max_tokens", "5", ""},
      {"qwen", R"("max_tokens":5,"enable_thinking":true)", "max_tokens", "5",
       ""},
      // Number text survives.
      {"deepseek", R"("temperature":0.70)", "temperature", "0.70", ""},
      {"openai", R"("seed":9007199254740993)", "seed", "9007199254740993", ""},
      // Dropped and named, unless it says what the vendor does anyway.
      {"deepseek", R"("n":2)", "n", "", "n"},
      {"deepseek", R"("n":1)", "n", "", ""},
      {"deepseek", R"("seed":7)", "seed", "", "seed"},
      {"deepseek", R"("logit_bias":{"5":1})", "logit_bias", "", "logit_bias"},
      {"deepseek", R"("store":false)", "store", "", ""},
      {"qwen", R"("frequency_penalty":0.5)", "frequency_penalty", "",
       "frequency_penalty"},
      {"qwen", R"("service_tier":"flex")", "service_tier", "", "service_tier"},
      {"vllm", R"("prediction":{"type":"content","content":"x"})", "prediction",
       "", "prediction"},
      // Recorded by the service, so nothing is lost.
      {"qwen", R"("user":"u1","metadata":{"a":"b"})", "user", "", ""},
      {"deepseek", R"("user":"u1")", "user_id", "\"u1\"", ""},
      {"deepseek", R"("user":"u1")", "user", "", ""},
      {"deepseek", R"("user":"u1","user_id":"u2")", "user_id", "\"u2\"", ""},
      {"openai", R"("user":"u1")", "user", "\"u1\"", ""},
      {"openai", R"("metadata":{"a":"b"})", "metadata", "", ""},
      {"openai", R"("metadata":{"a":"b"},"store":true)", "metadata",
       R"({"a":"b"})", ""},
      // Other vendors' fields.
      {"openai", R"("top_k":5)", "top_k", "", "top_k"},
      {"openai", R"("enable_thinking":false)", "enable_thinking", "",
       "enable_thinking"},
      {"qwen", R"("top_k":5)", "top_k", "5", ""},
      {"vllm", R"("min_p":0.05)", "min_p", "0.05", ""},
      {"deepseek", R"("repetition_penalty":1.1)", "repetition_penalty", "",
       "repetition_penalty"},
      {"", R"("top_k":5)", "top_k", "5", ""},
      {"openai", R"("brand_new":[1])", "brand_new", "[1]", ""},
      // Ours never leave.
      {"", R"("task_type":"t")", "task_type", "", ""},
      {"", R"("run_id":"r","agent":"a")", "run_id", "", ""},
      {"", R"("agent":"a")", "agent", "", ""},
      {"", R"("timeout":5)", "timeout", "", ""},
      {"", R"("x-note":5)", "x-note", "", ""},
      // Tools and their choice.
      {"qwen", kTool, "parallel_tool_calls", "true", ""},
      {"openai", kTool, "parallel_tool_calls", "", ""},
      {"deepseek", std::string(kTool) + R"(,"parallel_tool_calls":true)",
       "parallel_tool_calls", "", ""},
      {"deepseek", std::string(kTool) + R"(,"parallel_tool_calls":false)",
       "parallel_tool_calls", "", "parallel_tool_calls"},
      {"openai", std::string(kTool) + R"(,"tool_choice":"required")",
       "tool_choice", "\"required\"", ""},
      {"deepseek", std::string(kTool) + R"(,"tool_choice":"required")",
       "tool_choice", "\"auto\"", "tool_choice"},
      {"deepseek",
       std::string(kTool) +
           R"(,"tool_choice":"required","reasoning_effort":"none")",
       "tool_choice", "\"required\"", ""},
      {"qwen", std::string(kTool) + R"(,"tool_choice":"required")",
       "tool_choice", "\"auto\"", "tool_choice"},
      {"ollama", std::string(kTool) + R"(,"tool_choice":"none")", "tool_choice",
       "", "tool_choice"},
      {"ollama", std::string(kTool) + R"(,"tool_choice":"auto")", "tool_choice",
       "", ""},
      // Without tools it is refused.
      {"openai", R"("parallel_tool_calls":false)", "parallel_tool_calls", "",
       ""},
      {"openai", std::string(kTool) + R"(,"parallel_tool_calls":false)",
       "parallel_tool_calls", "false", ""},
      // Greedy decoding is said once.
      {"zhipu", R"("temperature":0)", "do_sample", "false", ""},
      {"zhipu", R"("temperature":0,"do_sample":true)", "do_sample", "true",
       "temperature"},
      {"zhipu", R"("temperature":0,"do_sample":false)", "do_sample", "false",
       ""},
      // The form of the answer.
      {"openai",
       R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
       R"("schema":{"b":1.0,"a":2}}})",
       "response_format",
       R"({"type":"json_schema","json_schema":{"name":"n",)"
       R"("schema":{"b":1.0,"a":2}}})",
       ""},
      {"deepseek",
       R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
       R"("schema":{"b":1.0,"a":2}}})",
       "response_format", R"({"type":"json_object"})",
       "response_format.json_schema"},
      {"deepseek", R"("stop":["a","b"])", "stop", R"(["a","b"])", ""},
      // Reasoning.
      {"openai", R"("reasoning_effort":"low")", "reasoning_effort", "\"low\"",
       ""},
      {"deepseek", R"("reasoning_effort":"none")", "thinking",
       R"({"type":"disabled"})", ""},
      {"deepseek", R"("reasoning_effort":"none")", "reasoning_effort", "", ""},
      {"deepseek", R"("reasoning_effort":"high")", "thinking",
       R"({"type":"enabled"})", ""},
      {"deepseek", R"("reasoning_effort":"high")", "reasoning_effort",
       "\"high\"", ""},
      {"deepseek", R"("thinking":{"type":"disabled"})", "thinking",
       R"({"type":"disabled"})", ""},
      {"qwen", R"("reasoning_effort":"none")", "enable_thinking", "false", ""},
      {"qwen", R"("reasoning_effort":"low")", "enable_thinking", "true", ""},
      {"qwen", R"("enable_thinking":true)", "enable_thinking", "true", ""},
      {"vllm", R"("reasoning_effort":"none")", "chat_template_kwargs",
       R"({"enable_thinking":false})", ""},
      {"", R"("reasoning_effort":"none")", "reasoning_effort", "\"none\"", ""},
      {"", R"("thinking":{"type":"enabled"})", "thinking",
       R"({"type":"enabled"})", ""},
      // A plain server gets both wishes and judges itself.
      {"", R"("thinking":{"type":"disabled"},"reasoning_effort":"high")",
       "reasoning_effort", "\"high\"", ""},
      {"", R"("enable_thinking":true,"reasoning_effort":"none")",
       "reasoning_effort", "\"none\"", ""},
      {"", R"("enable_thinking":true,"reasoning_effort":"none")",
       "enable_thinking", "true", ""},
      // Only a member of that very name stands for a field.
      {"", R"("reasoning_effort":"minimal","minimal":{"a":1})", "minimal",
       R"({"a":1})", ""},
      {"openrouter", R"("reasoning_effort":"low","enabled":5)", "enabled", "5",
       ""},
  }));
  CAPTURE(c.profile, c.sent);
  const RenderedRequest got = RenderAs(With(c.sent), c.profile);
  CHECK(RepeatedMember(got) == "");
  CHECK(Member(got, c.member) == c.value);
  CHECK(Joined(got.dropped) == c.dropped);
}

TEST_CASE("Qwen's models are told by kind", "[adapters][openai][request]") {
  const auto [model, effort, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"qwen3.8-max", "low", R"(true|"high")"},
          {"qwen3.8-max", "xhigh", R"(true|"max")"},
          {"qwen3.8-max", "none", "false|"},
          {"qwen-plus", "high", "true|"},
          {"qwq-plus", "high", "|"},
          {"qwen3-235b-a22b-thinking-2507", "high", "|"},
          {"qwen3-coder-plus", "none", "|"},
      }));
  const RenderedRequest got =
      RenderAs(With(R"("reasoning_effort":")" + effort + "\""), "qwen",
               ContextFor(model));
  CHECK(Member(got, "enable_thinking") + "|" +
            Member(got, "reasoning_effort") ==
        want);
  CHECK(got.dropped.empty());
}

TEST_CASE("a deployment's switch outranks the request",
          "[adapters][openai][request]") {
  AttemptContext off = ContextFor();
  off.reasoning = ReasoningSwitch::kOff;
  const RenderedRequest got =
      RenderAs(With(R"("reasoning_effort":"high")"), "deepseek", off);
  CHECK(Member(got, "thinking") == R"({"type":"disabled"})");
  CHECK(Member(got, "reasoning_effort").empty());
  CHECK(Joined(got.dropped) == "reasoning_effort");
  AttemptContext on = ContextFor();
  on.reasoning = ReasoningSwitch::kOn;
  CHECK(Member(RenderAs(With(""), "deepseek", on), "thinking") ==
        R"({"type":"enabled"})");
  CHECK(Member(RenderAs(With(""), "qwen", on), "enable_thinking") == "true");
}

TEST_CASE("a vendor's switch that the deployment overrules is named",
          "[adapters][openai][request][TRN-6]") {
  const auto [profile, sent, dropped] =
      GENERATE(table<std::string, std::string, std::string>({
          {"deepseek", R"("thinking":{"type":"enabled"})", ""},
          {"deepseek", R"("thinking":{"type":"disabled"})", "thinking"},
          {"deepseek", R"("thinking":{"type":"enabled","budget_tokens":9})",
           "thinking"},
          {"deepseek", R"("thinking":{"type":"adaptive"})", "thinking"},
          {"qwen", R"("enable_thinking":true)", ""},
          {"qwen", R"("enable_thinking":false)", "enable_thinking"},
          {"openrouter", R"("reasoning":{"enabled":true})", ""},
          {"openrouter", R"("reasoning":{"max_tokens":2000})", "reasoning"},
          {"openrouter", R"("reasoning":{"effort":"none"})", "reasoning"},
          {"vllm", R"("chat_template_kwargs":{"enable_thinking":true})", ""},
          {"vllm", R"("chat_template_kwargs":{"a":1})", "chat_template_kwargs"},
      }));
  CAPTURE(profile, sent);
  AttemptContext on = ContextFor();
  on.reasoning = ReasoningSwitch::kOn;
  CHECK(Joined(RenderAs(With(sent), profile, on).dropped) == dropped);
}

TEST_CASE("messages and tools are copied byte for byte",
          "[adapters][openai][request][TRN-7]") {
  const std::string messages =
      R"([ {"role": "system",  "content":"s"},{"role":"user","content":)"
      R"([{"type":"text","text":"a\u0041","cache_control":{"x":1.0}}]}])";
  const std::string tool =
      R"({"function":{"parameters":{"z":1,"a":2.50},"name":"f"},)"
      R"("type":"function"})";
  const auto profile = GENERATE("", "openai", "qwen", "vllm");
  const RenderedRequest got =
      RenderAs(Parse(R"({"tools":[)" + tool + R"(],"messages":)" + messages +
                     R"(,"model":"x"})"),
               profile);
  CHECK(got.body.starts_with(R"({"model":"m","messages":[)"));
  CHECK(got.body.find(R"({"role": "system",  "content":"s"})") !=
        std::string::npos);
  CHECK(got.body.find(R"("text":"a\u0041","cache_control":{"x":1.0})") !=
        std::string::npos);
  CHECK(got.body.find(tool) != std::string::npos);
  CHECK(got.body.find("\"messages\"") < got.body.find("\"tools\""));
}

TEST_CASE("the same request gives the same bytes",
          "[adapters][openai][request][TRN-7]") {
  const ChatRequest request =
      With(R"("logit_bias":{"9":1,"1":2,"5":3},"metadata":{"b":"1","a":"2"})");
  ChatRequest bare = request;
  bare.source = {};
  CHECK(RenderAs(request, "").body == RenderAs(request, "").body);
  CHECK(RenderAs(bare, "").body == RenderAs(ChatRequest(bare), "").body);
}

TEST_CASE("a request without source text means the same",
          "[adapters][openai][request][TRN-1]") {
  const std::string messages = GENERATE(
      R"([{"role":"developer","content":"d"},{"role":"user","content":"u"}])",
      R"([{"role":"user","content":[{"type":"text","text":"a"},)"
      R"({"type":"image_url","image_url":{"url":"https://x/y.png",)"
      R"("detail":"low"}}]}])",
      R"([{"role":"user","content":[{"type":"input_audio","input_audio":)"
      R"({"data":"QUJD","format":"wav"}}]}])",
      R"([{"role":"user","content":[{"type":"file","file":)"
      R"({"file_id":"file-1"}}]}])",
      R"([{"role":"assistant","content":null,"tool_calls":[{"id":"c",)"
      R"("type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},)"
      R"({"role":"tool","content":"r","tool_call_id":"c"}])",
      R"([{"role":"assistant","content":"t","reasoning_content":"why"}])",
      R"([{"role":"assistant","content":null,"refusal":"no"}])",
      R"([{"role":"assistant","content":null,"audio":{"id":"au"}}])",
      R"([{"role":"assistant","content":null,)"
      R"("function_call":{"name":"f","arguments":"{}"}},)"
      R"({"role":"function","name":"f","content":"r"}])",
      R"([{"role":"assistant","content":null,"tool_calls":[{"id":"c",)"
      R"("type":"custom","custom":{"name":"sh","input":"ls"}}]}])",
      R"([{"role":"user","name":"n","content":[{"type":"new_part","x":1.0}]}])",
      R"([{"role":"assistant","content":"a","prefix":true}])");
  CAPTURE(messages);
  ChatRequest request = Parse(R"({"model":"x","messages":)" + messages + "}");
  request.source = {};
  const RenderedRequest got = RenderAs(request, "");
  CHECK(Member(got, "messages") == messages);
  CHECK(got.dropped.empty());
}

TEST_CASE("an audio format is written as it will be read again",
          "[adapters][openai][request]") {
  // Found by the fuzzer.
  const auto [given, written] = GENERATE(table<std::string, std::string>(
      {{"ps://x/y", "y"}, {"audio/mpeg", "mp3"}, {"audio/x-wav", "wav"}}));
  const auto formatted = [](const std::string& format) {
    ChatRequest request =
        Parse(R"({"model":"x","messages":[{"role":"user","content":[{"type":)"
              R"("input_audio","input_audio":{"data":"QUJD","format":")" +
              format + R"("}}]}]})");
    request.source = {};
    return RenderAs(request, "").body;
  };
  CAPTURE(given);
  CHECK(formatted(given).find("\"format\":\"" + written + "\"") !=
        std::string::npos);
  CHECK(formatted(given) == formatted(written));
}

TEST_CASE("reasoning in the history follows the vendor's rule",
          "[adapters][openai][request][TRN-3]") {
  const std::string with =
      R"({"role":"assistant","content":null,"reasoning_content":"why",)"
      R"("tool_calls":[{"id":"c","type":"function","function":)"
      R"({"name":"f","arguments":"{}"}}]})";
  const std::string without =
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"c",)"
      R"("type":"function","function":{"name":"f","arguments":"{}"}}]})";
  const auto [profile, effort, source, want] =
      GENERATE_COPY(table<std::string, std::string, std::string, std::string>({
          {"deepseek", "high", with, "\"why\""},
          {"deepseek", "high", without, "\"\""},
          {"deepseek", "none", with, ""},
          {"deepseek", "none", without, ""},
          {"openai", "high", with, ""},
          {"qwen", "high", with, ""},
          {"ollama", "high", with, ""},
          {"", "high", with, "\"why\""},
          {"", "high", without, ""},
      }));
  CAPTURE(profile, effort, source);
  const RenderedRequest got =
      RenderAs(Parse(R"({"model":"x","messages":[)" + source +
                     R"(],"reasoning_effort":")" + effort + "\"}"),
               profile);
  const auto doc = JsonDocument::Parse(got.body);
  REQUIRE(doc.ok());
  const JsonValue message = doc->root().Find("messages").First();
  CHECK(message.Find("reasoning_content").raw() == want);
  CHECK(message.Find("tool_calls").size() == 1);
  CHECK(got.dropped.empty());
}

TEST_CASE("Models of others that Qwen hosts get their reasoning back",
          "[adapters][openai][request][TRN-3]") {
  const std::string turn =
      R"({"role":"assistant","content":null,"reasoning_content":"why",)"
      R"("tool_calls":[{"id":"c","type":"function","function":)"
      R"({"name":"f","arguments":"{}"}}]})";
  const auto [model, effort, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"deepseek-v4-pro", "high", "\"why\""},
          {"deepseek-v4-pro", "", "\"why\""},
          {"deepseek-v4-pro", "none", ""},
          {"kimi-k2.6", "high", "\"why\""},
          {"kimi-k2-thinking", "high", "\"why\""},
          {"kimi-k3", "none", "\"why\""},
          {"deepseek-v3.2", "high", ""},
          {"qwen3-max", "high", ""},
      }));
  CAPTURE(model, effort);
  ChatRequest request = Parse(R"({"model":"x","messages":[)" + turn + R"(]})");
  if (!effort.empty()) request.message.set_reasoning_effort(effort);
  const RenderedRequest got = RenderAs(request, "qwen", ContextFor(model));
  const auto doc = JsonDocument::Parse(got.body);
  REQUIRE(doc.ok());
  const JsonValue message = doc->root().Find("messages").First();
  CHECK(message.Find("reasoning_content").raw() == want);
}

TEST_CASE("messages are bent only where a vendor needs it",
          "[adapters][openai][request]") {
  const auto [profile, message, want] =
      GENERATE(table<std::string, std::string, std::string>({
          // The first "content" is a text, the second the name.
          {"deepseek",
           R"({"role":"user","name":"content","content":)"
           R"([{"type":"text","text":"a"},{"type":"text","text":"b"}]})",
           R"({"role":"user","name":"content","content":"a\nb"})"},
          {"deepseek", R"({"role":"developer","content":"d"})",
           R"({"role":"system","content":"d"})"},
          {"openai", R"({"role":"developer","content":"d"})",
           R"({"role":"developer","content":"d"})"},
          {"deepseek",
           R"({"role":"user","content":[{"type":"text","text":"a"},)"
           R"({"type":"text","text":"b"}]})",
           R"({"role":"user","content":"a\nb"})"},
          {"qwen", R"({"role":"user","content":[{"type":"text","text":"a"}]})",
           R"({"role":"user","content":[{"type":"text","text":"a"}]})"},
      }));
  const RenderedRequest got =
      RenderAs(Parse(R"({"model":"x","messages":[)" + message + "]}"), profile);
  CHECK(Member(got, "messages") == "[" + want + "]");
}

TEST_CASE("another provider's opaque parts are dropped and named",
          "[adapters][openai][request][TRN-2]") {
  ChatRequest request = With("");
  v1::Message* message = request.message.add_messages();
  message->set_role("assistant");
  message->add_parts()->mutable_text()->set_text("t");
  v1::OpaquePart* opaque = message->add_parts()->mutable_opaque();
  opaque->set_origin("acme");
  opaque->set_json(R"({"reasoning_details":[{"data":"x="}]})");
  CHECK(RenderAs(request, "")
            .body.find(R"("reasoning_details":[{"data":"x="}])") !=
        std::string::npos);
  CHECK(RenderAs(request, "").dropped.empty());
  opaque->set_origin("other");
  const RenderedRequest got = RenderAs(request, "");
  CHECK(got.body.find("reasoning_details") == std::string::npos);
  CHECK(Joined(got.dropped) == "messages.reasoning_details");
}

TEST_CASE("a schema is told in words where there is no field for it",
          "[adapters][openai][request]") {
  const RenderedRequest got =
      RenderAs(With(R"("response_format":{"type":"json_schema","json_schema":)"
                    R"({"name":"n","schema":{"b":1.0}}})"),
               "deepseek");
  const auto doc = JsonDocument::Parse(got.body);
  REQUIRE(doc.ok());
  const JsonValue last = doc->root().Find("messages").First().Next();
  CHECK(last.Find("role").Equals("system"));
  const std::string text = last.Find("content").StringOr();
  CHECK(text.find(R"({"b":1.0})") != std::string::npos);
  CHECK(text.find("JSON") != std::string::npos);
}

TEST_CASE("models that reason are spared sampling fields",
          "[adapters][openai][request]") {
  AttemptContext context = ContextFor();
  context.traits.refuses_sampling = true;
  const std::string sampling = R"("temperature":0.5,"top_p":0.9)";
  CHECK(Joined(RenderAs(With(sampling), "openai", context).dropped) ==
        "temperature,top_p");
  CHECK(RenderAs(With(sampling + R"(,"reasoning_effort":"none")"), "openai",
                 context)
            .dropped.empty());
}

TEST_CASE("unary calls are streamed where streams carry usage",
          "[adapters][openai][request][STR-2]") {
  const auto [profile, caller, members, stream, options] =
      GENERATE(table<std::string, bool, std::string, bool, std::string>({
          {"deepseek", false, "", true, R"({"include_usage":true})"},
          {"openai", false, "", true,
           R"({"include_usage":true,"include_obfuscation":false})"},
          {"openai", false,
           R"("modalities":["text","audio"],"audio":{"voice":"alloy",)"
           R"("format":"wav"})",
           false, ""},
          {"", false, "", false, ""},
          {"", true, "", true, R"({"include_usage":true})"},
      }));
  AttemptContext context = ContextFor();
  context.stream = caller;
  const RenderedRequest got = RenderAs(With(members), profile, context);
  CHECK(got.stream == stream);
  CHECK(Member(got, "stream") == (stream ? "true" : "false"));
  CHECK(Member(got, "stream_options") == options);
}

}  // namespace
}  // namespace llm::openai
