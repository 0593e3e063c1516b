// Function names that Claude refuses, there and back.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

std::string Function(const std::string& name) {
  return R"({"type":"function","function":{"name":")" + name + R"("}})";
}

// A conversation that has called fs/read, with these members besides.
std::string Asking(const std::string& members) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"},)"
         R"({"role":"assistant","tool_calls":[{"id":"a","type":"function",)"
         R"("function":{"name":"fs/read","arguments":"{}"}}]},)"
         R"({"role":"tool","tool_call_id":"a","content":"1"}])" +
         members + "}";
}

// The names of the tools as sent, then the choice.
std::string Declared(const anthropic::RenderedRequest& got) {
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  std::string out;
  const JsonValue tools = doc->root().Find("tools");
  for (JsonValue v = tools.First(); v; v = v.Next()) {
    out += v.Find("name").StringOr() + " ";
  }
  out += doc->root().Find("tool_choice").raw();
  if (!got.dropped.empty()) out += " - " + absl::StrJoin(got.dropped, " ");
  return out;
}

TEST_CASE("a function's name that Claude refuses is sent as another",
          "[adapters][anthropic][request][TRN-4]") {
  const std::string tools = R"(,"tools":[)" + Function("mcp.search") + "," +
                            Function("fs/read") + "," + Function("fs:read") +
                            "," + Function("fs_read") + "," + Function("1-a") +
                            "]";
  const std::string sent = "mcp_search fs_read_2 fs_read_3 fs_read 1-a ";
  const auto got = RenderJson(Asking(
      tools +
      R"(,"tool_choice":{"type":"function","function":{"name":"fs:read"}})"));
  CHECK(Declared(got) == sent + R"({"type":"tool","name":"fs_read_3"})");
  CHECK(got.body.find(R"("id":"a","name":"fs_read_2","input":{})") !=
        std::string::npos);
  CHECK(
      Declared(RenderJson(Asking(
          tools + R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{)"
                  R"("mode":"required","tools":[{"type":"function","function":)"
                  R"({"name":"mcp.search"}}]}})"))) ==
      R"(mcp_search {"type":"any"})");
  // Declared for the history's sake.
  CHECK(Declared(RenderJson(Asking(""))) == R"(fs_read {"type":"none"})");
  const std::string longer(129, 'x');
  CHECK(Declared(RenderJson(Asking(R"(,"tools":[)" + Function(longer) +
                                   "]"))) == longer.substr(0, 120) + " ");
}

TEST_CASE("a tool in Claude's own words goes by a taken name too",
          "[adapters][anthropic][request][TRN-4]") {
  const auto got = RenderJson(
      Asking(R"(,"tools":[{"name":"fs/read","input_schema":{"type":"object",)"
             R"("properties":{"name":{"const":"fs/read"}}},)"
             R"("cache_control":{"type":"ephemeral"}},)"
             R"({"type":"web_search_20250305","name":"web_search"}])"));
  CHECK(Declared(got) == "fs_read web_search ");
  CHECK(got.body.find(R"({"name":"fs_read","input_schema":{"type":"object",)"
                      R"("properties":{"name":{"const":"fs/read"}}},)"
                      R"("cache_control":{"type":"ephemeral"}})") !=
        std::string::npos);
}

TEST_CASE("a choice among tools that are not there is named",
          "[adapters][anthropic][request][TRN-6]") {
  const auto allowed = [](const std::string& mode) {
    return R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{)"
           R"("mode":")" +
           mode +
           R"(","tools":[{"type":"function","function":{"name":"x"}}]}})";
  };
  const std::string left = R"(fs_read {"type":"none"} - tool_choice)";
  const std::string tools = R"(,"tools":[)" + Function("f") + "]";
  CHECK(Declared(RenderJson(Asking(R"(,"tool_choice":"required")"))) == left);
  CHECK(Declared(RenderJson(Asking(
            R"(,"tool_choice":{"type":"tool","name":"fs/read"})"))) == left);
  CHECK(Declared(RenderJson(Asking(tools + allowed("auto")))) == left);
  CHECK(Declared(RenderJson(Asking(tools + allowed("required")))) == left);
  CHECK(Declared(RenderJson(
            R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
            tools + allowed("required") + "}")) == " - tool_choice");
}

TEST_CASE("the tool that is an answer's form has a name of its own",
          "[adapters][anthropic][request]") {
  const auto got = RenderJson(
      Asking(R"(,"tools":[)" + Function("json") + "," + Function("json.") +
             R"(],"response_format":{"type":"json_schema","json_schema":)"
             R"({"name":"r","schema":{"type":"object"}}})"),
      {"claude-sonnet-4-0", {}});
  CHECK(Declared(got) ==
        R"(json json_ json__ {"type":"any","disable_parallel_tool_use":true})");
  CHECK(got.answer_tool == "json__");
}

TEST_CASE("an answer's calls have the names that the caller gave",
          "[adapters][anthropic][stream][TRN-4]") {
  auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(Asking(
          R"(,"tools":[)" + Function("fs/read") + "," + Function("f") + "]")));
  REQUIRE(request.ok());
  ExchangeSetting setting;
  setting.request = *request;
  const std::string a =
      R"({"type":"tool_use","id":"a","name":"fs_read","input":{}})";
  const std::string b = R"({"type":"tool_use","id":"b","name":"f","input":{}})";
  ScriptedTransport::Script script;
  script.body = Whole("[" + a + "," + b + "]", "tool_use");
  const Exchange whole = RunExchange(script, setting);
  script.body = Sse({Start(), BlockStart(0, a), BlockStop(0), BlockStart(1, b),
                     BlockStop(1), Stop("tool_use"), End()});
  const Exchange stream = RunExchange(script, setting);
  CHECK(whole.Line().find("fs/read") != std::string::npos);
  CHECK(whole.Line().find("fs_read") == std::string::npos);
  CHECK(whole.Line() == stream.Line());
}

}  // namespace
}  // namespace llm
