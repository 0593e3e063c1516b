// What Anthropic's answers become, whole and streamed, however they are cut.
#include <catch2/catch.hpp>

#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

// The answer of a stream in one line; the same at every cut.
std::string Read(const std::vector<std::string>& events,
                 Exchange* out = nullptr) {
  std::string line;
  for (const Cut& cut : AllCuts()) {
    ScriptedTransport::Script script;
    script.body = Sse(events);
    ExchangeSetting setting;
    setting.cut = cut;
    const Exchange got = RunExchange(script, setting);
    const std::string now =
        got.Line() + (got.result.status.ok()
                          ? ""
                          : " !" + std::string(FailureClassName(
                                       got.result.failure.failure)));
    if (cut.kind != Cut::Kind::kWhole) CHECK(now == line);
    line = now;
    if (out != nullptr) *out = got;
  }
  return line;
}

TEST_CASE("text, thinking and calls come out in order, pings and all",
          "[adapters][anthropic][stream][STR-1]") {
  Exchange got;
  CHECK(Read({R"({"type":"ping"})",
              Start(),
              BlockStart(0, R"({"type":"thinking","thinking":"",)"
                            R"("signature":""})"),
              R"({"type":"ping"})",
              BlockDelta(0, R"({"type":"thinking_delta","thinking":"I "})"),
              BlockDelta(0, R"({"type":"thinking_delta","thinking":""})"),
              BlockDelta(0, R"({"type":"thinking_delta","thinking":"see"})"),
              BlockDelta(0, R"({"type":"signature_delta","signature":"S="})"),
              BlockStop(0),
              BlockStart(1, R"({"type":"text","text":""})"),
              BlockDelta(1, Text("He\\ud83d")),
              BlockDelta(1, Text("\\ude00")),
              BlockStop(1),
              BlockStart(2, R"({"type":"tool_use","id":"t1","name":"f",)"
                            R"("input":{},"caller":{"type":"direct"}})"),
              BlockDelta(2, R"({"type":"input_json_delta",)"
                            R"("partial_json":""})"),
              BlockDelta(2, R"({"type":"input_json_delta",)"
                            R"("partial_json":"{\"x\":"})"),
              BlockDelta(2, R"({"type":"input_json_delta",)"
                            R"("partial_json":" 1}"})"),
              BlockStop(2),
              BlockStart(3, R"({"type":"tool_use","id":"t2","name":"g",)"
                            R"("input":{}})"),
              BlockStop(3),
              BlockStart(4, R"({"type":"tool_use","id":"t3","name":"h",)"
                            R"("input":{"y": 2}})"),
              BlockStop(4),
              R"({"type":"brand_new","x":1})",
              Stop("tool_use"),
              End()},
             &got) ==
        "R:I see T:He\xF0\x9F\x98\x80 C:t1/f({\"x\": 1}) C:t2/g({}) "
        "C:t3/h({\"y\": 2}) F:tool_calls N:tool_use");
  std::string signature;
  for (const auto& chunk : got.chunks) {
    for (const auto& part : chunk.choices(0).delta().parts()) {
      signature += part.reasoning().signature();
    }
  }
  CHECK(signature == "S=");
  CHECK(got.result.usage.fresh_input == 10);
  CHECK(got.result.usage.output == 5);
  CHECK(got.result.served_model.value == "claude-x");
  CHECK(got.result.usage_source == UsageSource::kProvider);
}

TEST_CASE("each stop reason has its place in OpenAI's few",
          "[adapters][anthropic][stream]") {
  const auto [reason, want] = GENERATE(table<std::string, std::string>({
      {"end_turn", "T:a F:stop N:end_turn"},
      {"stop_sequence", "T:a F:stop N:stop_sequence"},
      {"max_tokens", "T:a F:length N:max_tokens"},
      {"model_context_window_exceeded",
       "T:a F:length N:model_context_window_exceeded"},
      {"pause_turn", "T:a F:stop N:pause_turn"},
      {"compaction", "T:a F:stop N:compaction"},
      {"refusal", "T:a F:content_filter N:refusal"},
      {"tool_use", "T:a F:stop N:tool_use"},
      {"brand_new", "T:a F:stop N:brand_new"},
  }));
  CHECK(Read({Start(), BlockStart(0, R"({"type":"text","text":"a"})"),
              BlockStop(0), Stop(reason), End()}) == want);
  ScriptedTransport::Script script;
  script.body = Whole(R"([{"type":"text","text":"a"}])", reason);
  CHECK(RunExchange(script).Line() == want);
}

TEST_CASE("a refusal says why, and is an answer",
          "[adapters][anthropic][stream]") {
  ScriptedTransport::Script script;
  script.body = Whole("[]", "refusal",
                      R"(,"stop_details":{"type":"refusal",)"
                      R"("category":"cyber","explanation":"No."})");
  const Exchange got = RunExchange(script);
  CHECK(got.Line() == "X:No. F:content_filter N:refusal");
  CHECK(got.result.status.ok());
  CHECK(got.choices.at(0).extra.find("cyber") != std::string::npos);
}

TEST_CASE("what only Anthropic reads is one opaque part at its block's end",
          "[adapters][anthropic][stream][TRN-1]") {
  Exchange got;
  Read({Start(),
        BlockStart(0, R"({"type":"server_tool_use","id":"s","name":"w",)"
                      R"("input":{}})"),
        BlockDelta(0, R"({"type":"input_json_delta","partial_json":"{\"q\""})"),
        BlockDelta(0, R"({"type":"input_json_delta","partial_json":": 1}"})"),
        BlockStop(0),
        BlockStart(1, R"({"type":"web_search_tool_result","tool_use_id":"s",)"
                      R"("content":[{"url":"u", "n":1.0}]})"),
        BlockStop(1), BlockStart(2, R"({"type":"compaction","content":null})"),
        BlockDelta(2, R"({"type":"compaction_delta","content":"So"})"),
        BlockDelta(2, R"({"type":"compaction_delta","content":" far"})"),
        BlockStop(2), BlockStart(3, R"({"type":"text","text":""})"),
        BlockDelta(3, Text("a")), BlockStop(3), Stop("end_turn"), End()},
       &got);
  CHECK(got.choices.at(0).opaque ==
        std::vector<std::string>{
            R"({"type":"server_tool_use","id":"s","name":"w",)"
            R"("input":{"q": 1}})",
            R"({"type":"web_search_tool_result","tool_use_id":"s",)"
            R"("content":[{"url":"u", "n":1.0}]})",
            R"({"type":"compaction","content":"So far"})"});
  CHECK(got.Line() == "T:a F:stop N:end_turn");
}

TEST_CASE("redacted thinking is kept whole, whoever called a tool too",
          "[adapters][anthropic][stream][TRN-2]") {
  Exchange got;
  Read({Start(), BlockStart(0, R"({"type":"redacted_thinking","data":"D+/="})"),
        BlockStop(0),
        BlockStart(1, R"({"type":"tool_use","id":"t","name":"f","input":{},)"
                      R"("caller":{"type":"code_execution_20250825",)"
                      R"("tool_id":"s"}})"),
        BlockStop(1), Stop("tool_use"), End()},
       &got);
  std::string data;
  std::string extra;
  for (const auto& chunk : got.chunks) {
    for (const auto& part : chunk.choices(0).delta().parts()) {
      data += part.reasoning().redacted_data();
      extra += part.tool_call().extra_json();
    }
  }
  CHECK(data == "D+/=");
  CHECK(extra == R"({"caller":{"type":"code_execution_20250825",)"
                 R"("tool_id":"s"}})");
}

TEST_CASE("citations follow their text, and links are annotations besides",
          "[adapters][anthropic][stream][TRN-1]") {
  Exchange got;
  Read({Start(), BlockStart(0, R"({"type":"text","text":""})"),
        BlockDelta(0, Text("Intro. ")), BlockStop(0),
        BlockStart(1, R"({"type":"text","text":"","citations":[]})"),
        BlockDelta(1, Text("Fact")),
        BlockDelta(1, R"({"type":"citations_delta","citation":{"type":)"
                      R"("web_search_result_location","url":"https://a",)"
                      R"("title":"A","cited_text":"F"}})"),
        BlockStop(1), Stop("end_turn"), End()},
       &got);
  CHECK(got.Line() == "T:Intro. Fact F:stop N:end_turn");
  CHECK(got.choices.at(0).opaque ==
        std::vector<std::string>{
            R"({"citations":[]})",
            R"({"citations":[{"type":"web_search_result_location","url":)"
            R"("https://a","title":"A","cited_text":"F"}],)"
            R"("start_index":7,"end_index":11})"});
  CHECK(got.choices.at(0).annotations ==
        R"([{"type":"url_citation","url_citation":{"start_index":7,)"
        R"("end_index":11,"title":"A","url":"https://a"}}])");
}

TEST_CASE("usage: the last value of each member wins, null says nothing",
          "[adapters][anthropic][usage][COST-1]") {
  Exchange got;
  Read({Start(R"({"input_tokens":10,"cache_read_input_tokens":20,)"
              R"("cache_creation_input_tokens":30,"cache_creation":)"
              R"({"ephemeral_5m_input_tokens":10,)"
              R"("ephemeral_1h_input_tokens":20},"output_tokens":1,)"
              R"("service_tier":"priority"})"),
        BlockStart(0, R"({"type":"text","text":"a"})"), BlockStop(0),
        Stop("end_turn", R"({"input_tokens":null,"cache_read_input_tokens":25,)"
                         R"("output_tokens":50,"output_tokens_details":)"
                         R"({"thinking_tokens":40}})"),
        End()},
       &got);
  const TokenUsage& usage = got.result.usage;
  CHECK(usage.fresh_input == 10);
  CHECK(usage.cache_read == 25);
  CHECK(usage.cache_write_5m == 10);
  CHECK(usage.cache_write_1h == 20);
  CHECK(usage.output == 50);
  CHECK(usage.reasoning == 40);
  CHECK(usage.service_tier == "priority");
}

// Each record read anew, with all that came before, would take minutes.
TEST_CASE("usage: records without end are read once",
          "[adapters][anthropic][usage]") {
  std::string big = R"({"input_tokens":10)";
  for (int i = 0; i < 40; ++i) {
    big += ",\"m" + std::to_string(i) + "\":\"" + std::string(8000, 'x') + '"';
  }
  std::string body =
      Sse({Start(big + "}"), BlockStart(0, R"({"type":"text","text":"a"})")});
  for (int i = 0; i < 50'000; ++i) {
    body += Sse({R"({"type":"message_delta","usage":{"output_tokens":)" +
                 std::to_string(i) + "}}"});
  }
  ScriptedTransport::Script script;
  script.body = body + Sse({Stop("end_turn", R"({"output_tokens":7})"), End()});
  const Exchange got = RunExchange(script);
  CHECK(got.result.usage.fresh_input == 10);
  CHECK(got.result.usage.output == 7);
  script.body = body;
  CHECK(RunExchange(script).result.usage.output == 49'999);
}

TEST_CASE("usage: the first count of a stream is told from the last",
          "[adapters][anthropic][usage][COST-1]") {
  const std::string block = BlockStart(0, R"({"type":"text","text":"a"})");
  const auto early = [](std::string body) {
    ScriptedTransport::Script script;
    script.body = std::move(body);
    return RunExchange(script).result.output_is_early;
  };
  CHECK(early(Sse({Start(), block})));
  CHECK(early(Sse({Start(), Start(), block})));
  CHECK_FALSE(early(Sse({Start(), block, Stop("end_turn"), End()})));
  CHECK_FALSE(early(Sse({Start(), block, Stop("end_turn")})));
  CHECK_FALSE(early(Whole(R"([{"type":"text","text":"a"}])")));
}

TEST_CASE("usage: what is charged beside the tokens is told",
          "[adapters][anthropic][usage][COST-1]") {
  const auto usage = [](const std::string& more) {
    Exchange got;
    Read({Start(R"({"input_tokens":10,"output_tokens":1})"),
          BlockStart(0, R"({"type":"text","text":"a"})"), BlockStop(0),
          Stop("end_turn", R"({"output_tokens":50)" + more + "}"), End()},
         &got);
    return got.result.usage;
  };
  const TokenUsage us = usage(
      R"(,"inference_geo":"us","server_tool_use":{"web_search_requests":3})");
  CHECK(us.geo == "us");
  CHECK(us.web_searches == 3);
  const TokenUsage plain =
      usage(R"(,"inference_geo":"global","server_tool_use":)"
            R"({"web_search_requests":0})");
  CHECK(plain.geo.empty());
  CHECK_FALSE(plain.web_searches);
}

TEST_CASE("usage: compaction is added, an advisor's and a fallback's is not",
          "[adapters][anthropic][usage][COST-1]") {
  ScriptedTransport::Script script;
  script.body =
      R"({"type":"message","id":"m","content":[{"type":"text","text":"a"}],)"
      R"("stop_reason":"end_turn","usage":{"input_tokens":5,)"
      R"("output_tokens":7,"iterations":[{"type":"compaction",)"
      R"("input_tokens":100,"output_tokens":20},{"type":"message",)"
      R"("input_tokens":5,"output_tokens":7},{"type":"advisor_message",)"
      R"("input_tokens":900,"output_tokens":900}]}})";
  const Exchange got = RunExchange(script);
  CHECK(got.result.usage.fresh_input == 105);
  CHECK(got.result.usage.output == 27);
}

TEST_CASE("a message that starts twice counts once, another one is a fault",
          "[adapters][anthropic][stream]") {
  const std::string block = BlockStart(0, R"({"type":"text","text":"a"})");
  CHECK(Read({Start(), Start(), block, BlockStop(0), Stop("end_turn"),
              End()}) == "T:a F:stop N:end_turn");
  std::string other = Start();
  other.replace(other.find("msg_1"), 5, "msg_2");
  CHECK(Read({Start(), block, other, BlockStop(0), Stop("end_turn"), End()}) ==
        "T:a !bad_answer");
}

TEST_CASE("lax imitators are read: no starts, no stops, no events named",
          "[adapters][anthropic][stream]") {
  CHECK(Read({Start(), BlockDelta(0, Text("a")), BlockDelta(0, Text("b")),
              Stop("end_turn"), End(), "[DONE]"}) == "T:ab F:stop N:end_turn");
  CHECK(Read({Start(), BlockStart(0, R"({"type":"tool_use","name":"f"})"),
              Stop("tool_use"), End()}) ==
        "C:call_attempt-1_0/f({}) F:tool_calls N:tool_use");
}

TEST_CASE("a block without a stop ends where the next begins",
          "[adapters][anthropic][stream]") {
  Exchange got;
  const std::string cite =
      R"({"type":"citations_delta","citation":{"url":"u"}})";
  Read(
      {Start(), BlockStart(0, R"({"type":"thinking","thinking":""})"),
       BlockDelta(0, R"({"type":"thinking_delta","thinking":"I"})"),
       BlockDelta(0, R"({"type":"signature_delta","signature":"S"})"),
       BlockStart(1, R"({"type":"text","text":"a"})"), BlockDelta(1, cite),
       BlockStart(2, R"({"type":"web_search_tool_result","content":[]})"),
       BlockStart(3, R"({"type":"text","text":"b"})"), Stop("end_turn"), End()},
      &got);
  std::string order;
  for (const auto& chunk : got.chunks) {
    for (const auto& part : chunk.choices(0).delta().parts()) {
      order += part.reasoning().text() + part.reasoning().signature() +
               part.text().text() + part.opaque().json() + " ";
    }
  }
  CHECK(order.starts_with(
      R"(I S a {"citations":[{"url":"u"}],"start_index":0,"end_index":1})"));
  CHECK(
      order.ends_with(R"( {"type":"web_search_tool_result","content":[]} b )"));
}

TEST_CASE("calls may run side by side, each by its index",
          "[adapters][anthropic][stream][STR-6]") {
  const auto input = [](int index, const std::string& json) {
    return BlockDelta(
        index, R"({"type":"input_json_delta","partial_json":")" + json + "\"}");
  };
  CHECK(Read({Start(),
              BlockStart(0, R"({"type":"tool_use","id":"a","name":"f"})"),
              BlockStart(1, R"({"type":"tool_use","id":"b","name":"g"})"),
              input(0, "{"), input(1, "[]"), input(0, "}"), BlockStop(0),
              Stop("tool_use"), End()}) ==
        "C:a/f({}) C:b/g([]) F:tool_calls N:tool_use");
}

TEST_CASE("arguments of a call that never began are a malformed stream",
          "[adapters][anthropic][stream]") {
  const auto input = [](const std::string& json) {
    return BlockDelta(
        1, R"({"type":"input_json_delta","partial_json":")" + json + "\"}");
  };
  const std::string text = BlockStart(0, R"({"type":"text","text":"a"})");
  CHECK(Read({Start(), text, BlockStop(0), input("{}"), BlockStop(1),
              Stop("tool_use"), End()}) == "T:a !bad_answer");
  CHECK(Read({Start(), text, BlockStop(0), input(""), Stop("end_turn"),
              End()}) == "T:a F:stop N:end_turn");
}

TEST_CASE("an answer that came by a tool is the content",
          "[adapters][anthropic][stream]") {
  ExchangeSetting setting;
  const auto request = server::ParseChatRequest(std::make_shared<std::string>(
      R"({"model":"m","messages":[{"role":"user","content":"a"}],)"
      R"("response_format":{"type":"json_schema","json_schema":{"name":"r",)"
      R"("schema":{"type":"object"}}}})"));
  REQUIRE(request.ok());
  setting.request = *request;
  setting.context.upstream_model.value = "claude-sonnet-4-0";
  ScriptedTransport::Script script;
  script.body = Sse(
      {Start(), BlockStart(0, R"({"type":"text","text":"Here:"})"),
       BlockStop(0),
       BlockStart(1, R"({"type":"tool_use","id":"t","name":"json",)"
                     R"("input":{}})"),
       BlockDelta(1, R"({"type":"input_json_delta","partial_json":"{\"a\""})"),
       BlockDelta(1, R"({"type":"input_json_delta","partial_json":":1}"})"),
       BlockStop(1), Stop("tool_use"), End()});
  CHECK(RunExchange(script, setting).Line() ==
        R"(T:{"a":1} F:stop N:tool_use)");
  script.body = Whole(R"([{"type":"text","text":"I will not."}])");
  CHECK(RunExchange(script, setting).Line() ==
        "T:I will not. F:stop N:end_turn");
}

}  // namespace
}  // namespace llm
