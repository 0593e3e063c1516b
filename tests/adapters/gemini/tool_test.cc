// Declarations and the choice among them.
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

constexpr char kTools[] =
    R"("tools":[{"type":"function","function":{"name":"f","description":"d",)"
    R"("parameters":{"type":"object","properties":{"a":{"type":"string"}}}}},)"
    R"({"type":"function","function":{"name":"g"}}])";

std::string Calling(const RenderedRequest& rendered) {
  return At(rendered.body, "toolConfig.functionCallingConfig");
}

TEST_CASE("functions are declared in one list", "[adapters][gemini][tools]") {
  const RenderedRequest got = Render(With(kTools));
  CHECK(At(got.body, "tools") ==
        R"([{"functionDeclarations":[{"name":"f","description":"d",)"
        R"("parametersJsonSchema":{"type":"object","properties":)"
        R"({"a":{"type":"string"}}}},{"name":"g"}]}])");
  CHECK(At(got.body, "toolConfig") == "");
  const RenderedRequest old = Render(With(kTools), {.model = "gemini-1.5-pro"});
  CHECK(At(old.body, "tools").find(R"("parameters":{"type":"object",)") !=
        std::string::npos);
}

TEST_CASE("the choice among tools", "[adapters][gemini][tools]") {
  const auto [choice, calling, dropped] =
      GENERATE(table<std::string, std::string, std::string>({
          {R"("auto")", R"({"mode":"AUTO"})", ""},
          {R"("none")", R"({"mode":"NONE"})", ""},
          {R"("required")", R"({"mode":"ANY"})", ""},
          {R"({"type":"function","function":{"name":"g"}})",
           R"({"mode":"ANY","allowedFunctionNames":["g"]})", ""},
          {R"({"type":"allowed_tools","allowed_tools":{"mode":"required",)"
           R"("tools":[{"type":"function","function":{"name":"f"}}]}})",
           R"({"mode":"ANY","allowedFunctionNames":["f"]})", ""},
          {R"({"type":"allowed_tools","mode":"auto",)"
           R"("tools":[{"type":"function","name":"f"}]})",
           R"({"mode":"VALIDATED","allowedFunctionNames":["f"]})", ""},
      }));
  CAPTURE(choice);
  const RenderedRequest got =
      Render(With(kTools + (",\"tool_choice\":" + choice)));
  CHECK(Calling(got) == calling);
  CHECK(Joined(got.dropped) == dropped);
}

TEST_CASE("a model that cannot choose among some is given only those",
          "[adapters][gemini][tools]") {
  const RenderedRequest got =
      Render(With(std::string(kTools) +
                  R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":)"
                  R"({"mode":"auto","tools":[{"type":"function",)"
                  R"("function":{"name":"g"}}]}})"),
             {.model = "gemini-2.0-flash"});
  CHECK(At(got.body, "tools") ==
        R"([{"functionDeclarations":[{"name":"g"}]}])");
  CHECK(Calling(got) == R"({"mode":"AUTO"})");
}

TEST_CASE("a schema is enforced where that is asked and can be",
          "[adapters][gemini][tools]") {
  const ChatRequest request =
      With(R"("tools":[{"type":"function","function":{"name":"f",)"
           R"("strict":true}}])");
  CHECK(Calling(Render(request)) == R"({"mode":"VALIDATED"})");
  const RenderedRequest old = Render(request, {.model = "gemini-2.0-flash"});
  CHECK(Calling(old) == "");
  CHECK(Joined(old.dropped) == "tools.function.strict");
}

TEST_CASE("what tools cannot be told is named", "[adapters][gemini][tools]") {
  ModelTraits unforced;
  unforced.forced_tool_choice = false;
  RenderedRequest got =
      Render(With(std::string(kTools) + R"(,"parallel_tool_calls":false,)"
                                        R"("tool_choice":"required")"),
             {.traits = unforced});
  CHECK(Calling(got) == R"({"mode":"AUTO"})");
  CHECK(Joined(got.dropped) == "parallel_tool_calls,tool_choice");
  got = Render(With(R"("tool_choice":"required")"));
  CHECK(Joined(got.dropped) == "tool_choice");
  got = Render(With(R"("tools":[{"type":"web_search_preview"}])"));
  CHECK(At(got.body, "tools") == "");
  CHECK(Joined(got.dropped) == "tools.web_search_preview");
}

TEST_CASE("Google's own tools stand beside the declarations",
          "[adapters][gemini][tools]") {
  std::string tools = kTools;
  tools.insert(tools.size() - 1, R"(,{"google_search":{}})");
  const ChatRequest request = With(tools);
  const RenderedRequest newer =
      Render(request, {.model = "gemini-3-flash-preview"});
  CHECK(At(newer.body, "tools").ends_with(R"(]},{"googleSearch":{}}])"));
  CHECK(At(newer.body, "toolConfig") ==
        R"({"includeServerSideToolInvocations":true})");
  CHECK(At(Render(request, {.model = "gemini-3-flash-preview", .vertex = true})
               .body,
           "toolConfig") == "");
}

TEST_CASE(
    "before the third generation Google's own tools give way to functions",
    "[adapters][gemini][tools][TRN-6]") {
  std::string tools = kTools;
  tools.insert(tools.size() - 1,
               R"(,{"google_search":{},"urlContext":{}},{"codeExecution":{}})");
  const RenderedRequest got = Render(With(tools));
  CHECK(At(got.body, "tools") == At(Render(With(kTools)).body, "tools"));
  CHECK(Joined(got.dropped) ==
        "tools.google_search,tools.urlContext,tools.codeExecution");
  SECTION("also to those declared in Google's words") {
    const std::string own = R"({"functionDeclarations":[{"name":"f"}]})";
    const RenderedRequest native =
        Render(With(R"("tools":[{"google_search":{}},)" + own + "]"));
    CHECK(At(native.body, "tools") == "[" + own + "]");
    CHECK(Joined(native.dropped) == "tools.google_search");
  }
  SECTION("alone they stay, and the one that stands beside functions") {
    const RenderedRequest alone =
        Render(With(R"("tools":[{"google_search":{}},{"url_context":{}}])"));
    CHECK(At(alone.body, "tools") ==
          R"([{"googleSearch":{}},{"urlContext":{}}])");
    std::string computer = kTools;
    computer.insert(computer.size() - 1, R"(,{"computer_use":{}})");
    CHECK(Joined(Render(With(computer)).dropped) == "");
  }
}

TEST_CASE("nobody is made to call what the history alone declares",
          "[adapters][gemini][tools][TRN-4]") {
  const std::string choice =
      GENERATE(as<std::string>(), R"("required")",
               R"({"type":"function","function":{"name":"f"}})",
               R"({"type":"allowed_tools","mode":"auto",)"
               R"("tools":[{"type":"function","name":"f"}]})");
  CAPTURE(choice);
  const RenderedRequest got = Render(
      Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"},)"
            R"({"role":"assistant","tool_calls":[{"id":"a1","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"a1","content":"x"}],)"
            R"("tool_choice":)" +
            choice + "}"));
  CHECK(Calling(got) == R"({"mode":"NONE"})");
  CHECK(Joined(got.dropped) == "tool_choice");
}

TEST_CASE("a history with calls and no tools gets declarations by name",
          "[adapters][gemini][tools][TRN-4]") {
  const RenderedRequest got =
      Render(Talk(R"({"role":"user","content":"hi"},{"role":"assistant",)"
                  R"("tool_calls":[{"id":"a1","type":"function",)"
                  R"("function":{"name":"f","arguments":"{}"}}]},)"
                  R"({"role":"tool","tool_call_id":"a1","content":"x"})"));
  CHECK(At(got.body, "tools") ==
        R"([{"functionDeclarations":[{"name":"f"}]}])");
  CHECK(Calling(got) == R"({"mode":"NONE"})");
}

TEST_CASE("a function's name that Google refuses is sent as another",
          "[adapters][gemini][tools][TRN-4]") {
  const RenderedRequest got = Render(
      Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"},)"
            R"({"role":"assistant","tool_calls":[{"id":"a1","type":"function",)"
            R"("function":{"name":"a/b","arguments":"{}"}}]},)"
            R"({"role":"tool","tool_call_id":"a1","content":"x"}],)"
            R"("tools":[{"type":"function","function":{"name":"1a"}},)"
            R"({"type":"function","function":{"name":"a/b"}},)"
            R"({"type":"function","function":{"name":"a b"}},)"
            R"({"type":"function","function":{"name":"a_b"}},)"
            R"({"type":"function","function":{"name":"a-b.c:d"}}],)"
            R"("tool_choice":{"type":"function","function":{"name":"1a"}}})"));
  CHECK(At(got.body, "tools") ==
        R"([{"functionDeclarations":[{"name":"_1a"},{"name":"a_b_2"},)"
        R"({"name":"a_b_3"},{"name":"a_b"},{"name":"a-b.c:d"}]}])");
  CHECK(Calling(got) == R"({"mode":"ANY","allowedFunctionNames":["_1a"]})");
  const std::string contents = Contents(got);
  CHECK(contents.find(R"("functionCall":{"id":"a1","name":"a_b_2")") !=
        std::string::npos);
  CHECK(contents.find(R"("functionResponse":{"id":"a1","name":"a_b_2")") !=
        std::string::npos);
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("the caller's own choice names functions as they are declared",
          "[adapters][gemini][tools][TRN-4]") {
  const RenderedRequest got = Render(
      With(R"("tools":[{"type":"function","function":{"name":"1a"}},)"
           R"({"type":"function","function":{"name":"b"}}],)"
           R"("tool_config":{"function_calling_config":{"mode":"ANY",)"
           R"("allowed_function_names":["1a","b",1]},"retrievalConfig":{}})"));
  CHECK(At(got.body, "toolConfig") ==
        R"({"functionCallingConfig":{"mode":"ANY",)"
        R"("allowedFunctionNames":["_1a","b",1]},"retrievalConfig":{}})");
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("functions of a list in Google's own words go by taken names too",
          "[adapters][gemini][tools][TRN-4]") {
  const RenderedRequest got =
      Render(With(R"("tools":[{"function_declarations":[{"name":"1a"},7,)"
                  R"({"name":"b","parameters":{"name":"1a"}}]}],)"
                  R"("tool_config":{"function_calling_config":{"mode":"ANY",)"
                  R"("allowed_function_names":["1a"]}})"));
  CHECK(At(got.body, "tools") ==
        R"([{"functionDeclarations":[{"name":"_1a"},7,)"
        R"({"name":"b","parameters":{"name":"1a"}}]}])");
  CHECK(At(got.body, "toolConfig") ==
        R"({"functionCallingConfig":{"mode":"ANY",)"
        R"("allowedFunctionNames":["_1a"]}})");
  CHECK(Joined(got.dropped) == "");
}

TEST_CASE("of two spellings of one member of Google's the last counts, named",
          "[adapters][gemini][tools][TRN-6]") {
  const RenderedRequest got = Render(
      With(R"("tools":[{"google_search":{"a":1},"googleSearch":{}}],)"
           R"("tool_config":{"retrieval_config":{"a":1},)"
           R"("retrievalConfig":{},"functionCallingConfig":)"
           R"({"mode":"ANY"},"function_calling_config":{)"
           R"("allowed_function_names":["x"],"allowedFunctionNames":["y"]}},)"
           R"("thinking_config":{"thinking_budget":5,"thinkingBudget":600,)"
           R"("include_thoughts":false,"includeThoughts":true})"),
      {.model = "gemini-2.5-flash"});
  CHECK(At(got.body, "tools") == R"([{"googleSearch":{}}])");
  CHECK(At(got.body, "toolConfig") ==
        R"({"retrievalConfig":{},"functionCallingConfig":)"
        R"({"allowedFunctionNames":["y"]}})");
  CHECK(At(got.body, "generationConfig.thinkingConfig") ==
        R"({"includeThoughts":true,"thinkingBudget":600})");
  std::vector<std::string> named(got.dropped.begin(), got.dropped.end());
  std::sort(named.begin(), named.end());
  CHECK(named == std::vector<std::string>{
                     "thinking_config.include_thoughts",
                     "thinking_config.thinking_budget",
                     "toolConfig.functionCallingConfig",
                     "toolConfig.functionCallingConfig.allowed_function_names",
                     "toolConfig.retrieval_config", "tools.google_search"});
}

TEST_CASE("names that differ past what Google reads stay two",
          "[adapters][gemini][tools]") {
  const std::string longer(200, 'x');
  const RenderedRequest got = Render(With(
      R"("tools":[{"type":"function","function":{"name":")" + longer +
      R"(1"}},{"type":"function","function":{"name":")" + longer + R"(2"}}])"));
  const std::string stem(120, 'x');
  CHECK(At(got.body, "tools") == R"([{"functionDeclarations":[{"name":")" +
                                     stem + R"("},{"name":")" + stem +
                                     R"(_2"}]}])");
}

}  // namespace
}  // namespace llm::gemini
