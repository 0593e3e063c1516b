#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/adapters/openai/exchange.h"

namespace llm {
namespace {

struct StreamCase {
  std::string name;
  std::string body;
  std::string line;
};

std::vector<StreamCase> StreamCases() {
  const std::string call0 =
      R"({"tool_calls":[{"index":0,"id":"a","type":"function",)"
      R"("function":{"name":"f","arguments":""}}]})";
  return {
      {"reasoning_content, then content",
       Sse({Delta(R"({"role":"assistant","reasoning_content":"hm"})"),
            Delta(R"({"content":"hi","reasoning_content":null})"),
            Delta("{}", "stop")}),
       "R:hm T:hi F:stop"},
      {"reasoning under its other name",
       Sse({Delta(R"({"reasoning":"hm"})"), Delta(R"({"content":"hi"})"),
            Delta("{}", "stop")}),
       "R:hm T:hi F:stop"},
      {"what follows the end",
       Sse({Delta(R"({"content":"hi"})", "stop")}) +
           "event: error\ndata: {\"error\":{\"message\":\"late\"}}\n\n",
       "T:hi F:stop"},
      {"both names hold the same text",
       Sse({Delta(R"({"reasoning":"hm","reasoning_content":"hm"})"),
            Delta(R"({"content":"hi"})", "stop")}),
       "R:hm T:hi F:stop"},
      {"reasoning_details alone",
       Sse({Delta(R"({"reasoning_details":[{"type":"reasoning.text",)"
                  R"("text":"hm"}]})"),
            Delta(R"({"content":"hi"})", "stop")}),
       "R:hm T:hi F:stop"},
      {"think tags cut into pieces",
       Sse({Delta(R"({"content":"\n<th"})"), Delta(R"({"content":"ink>\nh"})"),
            Delta(R"({"content":"m</thi"})"),
            Delta(R"({"content":"nk>\n\nhi"})"), Delta("{}", "stop")}),
       "R:hm T:hi F:stop"},
      {"a tag that is none",
       Sse({Delta(R"({"content":"<thi"})"), Delta(R"({"content":"s> x"})"),
            Delta("{}", "stop")}),
       "T:<this> x F:stop"},
      {"thinking blocks in a content array",
       Sse({Delta(R"({"content":[{"type":"thinking","thinking":)"
                  R"([{"type":"text","text":"hm"}]}]})"),
            Delta(R"({"content":[{"type":"text","text":"hi"}]})", "stop")}),
       "R:hm T:hi F:stop"},
      {"id and name repeated, id empty, index missing",
       Sse({Delta(call0),
            Delta(R"({"tool_calls":[{"index":0,"id":"","function":)"
                  R"({"name":"","arguments":"{\"x\""}}]})"),
            Delta(R"({"tool_calls":[{"id":"a","function":{"name":"f",)"
                  R"("arguments":":1}"}}]})"),
            Delta("{}", "tool_calls")}),
       R"(C:a/f({"x":1}) F:tool_calls)"},
      {"whole calls that all say index 0",
       Sse({Delta(R"({"tool_calls":[{"index":0,"id":"a","function":)"
                  R"({"name":"f","arguments":"{}"}}]})"),
            Delta(R"({"tool_calls":[{"index":0,"id":"b","function":)"
                  R"({"name":"g","arguments":"{}"}}]})"),
            Delta("{}", "stop")}),
       "C:a/f({}) C:b/g({}) F:tool_calls N:stop"},
      {"indexes that do not start at zero",
       Sse({Delta(R"({"tool_calls":[{"index":1,"id":"a","function":)"
                  R"({"name":"f","arguments":"{}"}}]})"),
            Delta("{}", "tool_calls")}),
       "C:a/f({}) F:tool_calls"},
      {"arguments never come", Sse({Delta(call0), Delta("{}", "tool_calls")}),
       "C:a/f({}) F:tool_calls"},
      {"arguments null, or an object",
       Sse({Delta(R"({"tool_calls":[{"index":0,"id":"a","function":)"
                  R"({"name":"f","arguments":null}},{"index":1,"id":"b",)"
                  R"("function":{"name":"g","arguments":{"y": 2}}}]})"),
            Delta("{}", "tool_calls")}),
       R"(C:a/f({}) C:b/g({"y": 2}) F:tool_calls)"},
      {"the last arguments come with the finish reason",
       Sse({Delta(call0), Delta(R"({"tool_calls":[{"index":0,"function":)"
                                R"({"arguments":"{}"}}]})",
                                "tool_calls")}),
       "C:a/f({}) F:tool_calls"},
      {"an empty custom call beside the function",
       Sse({Delta(R"({"tool_calls":[{"index":0,"id":"a","type":"function",)"
                  R"("custom":{"name":"","input":""},"function":)"
                  R"({"name":"f","arguments":"{}"}}]})",
                  "tool_calls")}),
       "C:a/f({}) F:tool_calls"},
      {"a custom call",
       Sse({Delta(R"({"tool_calls":[{"index":0,"id":"a","type":"custom",)"
                  R"("custom":{"name":"sh","input":"ls"}}]})"),
            Delta("{}", "tool_calls")}),
       "C:a/sh(ls) F:tool_calls"},
      {"the old function_call",
       Sse({Delta(R"({"function_call":{"name":"f","arguments":""}})"),
            Delta(R"({"function_call":{"arguments":"{}"}})"),
            Delta("{}", "function_call")}),
       R"(FC:{"name":"f","arguments":"{}"} F:function_call)"},
      {"a promised call that never came",
       Sse({Delta(R"({"content":"hi"})"), Delta("{}", "tool_calls")}),
       "T:hi F:stop N:tool_calls"},
      {"refusal", Sse({Delta(R"({"refusal":"no"})"), Delta("{}", "stop")}),
       "X:no F:stop"},
      {"finish reason never sent, but [DONE]",
       Sse({Delta(R"({"content":"hi"})")}), "T:hi F:stop"},
      {"finish reason twice",
       Sse({Delta(R"({"content":"hi"})"), Delta("{}", "stop"),
            Delta(R"({"content":""})", "stop")}),
       "T:hi F:stop"},
      {"no [DONE], but a finish reason and a clean end",
       Sse({Delta(R"({"content":"hi"})"), Delta("{}", "eos")}, false),
       "T:hi F:stop N:eos"},
      {"surrogates cut between two chunks",
       Sse({Delta(R"({"content":"a\ud83d"})"), Delta(R"({"content":"\ude00"})"),
            Delta("{}", "stop")}),
       "T:a\xF0\x9F\x98\x80 F:stop"},
      {"comments, CRLF, no space after the colon",
       ": hold on\r\n\r\ndata:" + Delta(R"({"content":"hi"})", "stop") +
           "\r\n\r\ndata:[DONE]\r\n\r\n",
       "T:hi F:stop"},
      {"[DONE] without data",
       Sse({Delta(R"({"content":"hi"})")}, false) + "[DONE]\n", "T:hi F:stop"},
      {"JSON where a stream was asked for",
       "\n\n \n" + Whole(R"({"role":"assistant","content":"hi"})"),
       "T:hi F:stop"},
      {"the whole message again in the last chunk",
       Sse({Delta(R"({"content":"hi"})"),
            R"({"choices":[{"index":0,"message":{"content":"hi"},)"
            R"("finish_reason":"stop"}]})"}),
       "T:hi F:stop"},
      {"truncated by a busy backend",
       Sse({Delta(R"({"content":"hi"})"),
            Delta("{}", "insufficient_system_resource")}),
       "T:hi F:length N:insufficient_system_resource"},
  };
}

TEST_CASE("whatever a compatible server streams comes out canonical",
          "[adapters][openai][decoder][STR-1][TRN-4]") {
  for (const StreamCase& c : StreamCases()) {
    for (const Cut& cut : AllCuts()) {
      INFO(c.name << ", cut " << static_cast<int>(cut.kind) << "/" << cut.seed);
      ExchangeSetting setting;
      setting.cut = cut;
      const Exchange got = RunExchange({.body = c.body}, setting);
      CHECK(got.result.status.ToString() == "OK");
      CHECK(got.Line() == c.line);
      REQUIRE(got.choices.size() == 1);
      CHECK(got.choices.at(0).finishes == 1);
      CHECK(got.choices.at(0).role == "assistant");
    }
  }
}

TEST_CASE("whole answers come out like streams",
          "[adapters][openai][decoder][STR-3]") {
  const auto [body, line] = GENERATE(table<std::string, std::string>({
      {Whole(R"({"content":"hi","reasoning_content":"hm"})"),
       "R:hm T:hi F:stop"},
      {Whole(R"({"content":"<think>hm</think>hi"})"), "R:hm T:hi F:stop"},
      {Whole(R"({"content":null,"tool_calls":[{"id":"a","type":"function",)"
             R"("function":{"name":"f","arguments":""}}]})"),
       "C:a/f({}) F:tool_calls N:stop"},
      {Whole(R"({"content":"hi","function_call":{"name":"","arguments":""},)"
             R"("audio":{"id":"","data":"","expires_at":0}})",
             "\"\""),
       "T:hi F:stop"},
      {Whole(R"({"content":"hi"})", "\"MAX_TOKENS\""),
       "T:hi F:length N:MAX_TOKENS"},
      {Whole(R"({"content":"hi"})", "\"sensitive\""),
       "T:hi F:content_filter N:sensitive"},
      {Whole(R"({"content":"hi"})", "null"), "T:hi F:stop"},
      {Whole(R"({"content":"","refusal":"no"})"), "X:no F:stop"},
  }));
  CAPTURE(body);
  const Exchange got = RunExchange(
      {.headers = {{"content-type", "application/json"}}, .body = body});
  CHECK(got.result.status.ToString() == "OK");
  CHECK(got.Line() == line);
  CHECK(got.chunks.size() == 1);
}

TEST_CASE("a call without an id gets one that lasts",
          "[adapters][openai][decoder][TRN-4]") {
  const std::string body =
      Whole(R"({"tool_calls":[{"id":"","function":{"name":"f","arguments":)"
            R"("{}"}},{"function":{"name":"g","arguments":"{}"}}]})",
            "\"tool_calls\"");
  ExchangeSetting other;
  other.context.attempt_id.value = "attempt-2";
  const auto first = RunExchange({.body = body}).choices.at(0).calls;
  const auto again = RunExchange({.body = body}).choices.at(0).calls;
  const auto second = RunExchange({.body = body}, other).choices.at(0).calls;
  REQUIRE(first.size() == 2);
  CHECK(first[0].id.starts_with("call_"));
  CHECK(first[0].id != first[1].id);
  CHECK(first == again);
  CHECK(first[0].id != second[0].id);
}

TEST_CASE("choices are told apart by index, not by position",
          "[adapters][openai][decoder]") {
  const auto chunk = [](const std::string& index, const std::string& text,
                        const std::string& finish) {
    return R"({"choices":[{"index":)" + index + R"(,"delta":{"content":")" +
           text + R"("},"finish_reason":)" + finish + "}]}";
  };
  const Exchange got = RunExchange(
      {.body = Sse({chunk("1", "b", "null"), chunk("0", "a", "null"),
                    chunk("1", "B", "\"stop\""), chunk("0", "A", "\"stop\"")},
                   false)});
  CHECK(got.result.status.ToString() == "OK");
  REQUIRE(got.choices.size() == 2);
  CHECK(Describe(got.choices.at(0)) == "T:aA F:stop");
  CHECK(Describe(got.choices.at(1)) == "T:bB F:stop");
}

TEST_CASE("what nobody modelled is passed on once",
          "[adapters][openai][decoder][TRN-1]") {
  const auto chunk = [](const std::string& text) {
    return R"({"citations":["u"],"obfuscation":"xx","provider":"P",)"
           R"("service_tier":"flex","system_fingerprint":"fp",)"
           R"("choices":[{"index":0,"delta":{"content":")" +
           text + R"(","x_note":1.50}}]})";
  };
  const Exchange got = RunExchange(
      {.body = Sse({chunk("a"), chunk("b"),
                    R"({"moderation":{"ok":true},"choices":[]})"})});
  REQUIRE(got.chunks.size() == 3);
  CHECK(got.chunks[0].extra_json() == R"({"citations":["u"],"provider":"P"})");
  CHECK(got.chunks[0].service_tier() == "flex");
  CHECK(got.chunks[0].system_fingerprint() == "fp");
  CHECK(got.chunks[0].choices(0).delta().extra_json() == R"({"x_note":1.50})");
  CHECK(got.chunks[1].extra_json().empty());
  CHECK(got.chunks[2].extra_json() == R"({"moderation":{"ok":true}})");
  CHECK(got.chunks[2].choices(0).finish_reason() == "stop");
}

TEST_CASE("reasoning_details stay whole for the provider that made them",
          "[adapters][openai][decoder][TRN-2]") {
  const std::string details =
      R"([{"type":"reasoning.encrypted","data":"x=","index":0}])";
  const Exchange got = RunExchange(
      {.body = Sse({Delta(R"({"reasoning_details":)" + details + "}"),
                    Delta(R"({"content":"hi"})", "stop")})});
  REQUIRE(got.choices.at(0).opaque.size() == 1);
  CHECK(got.choices.at(0).opaque[0] ==
        R"({"reasoning_details":)" + details + "}");
  CHECK(got.chunks[0].choices(0).delta().parts(0).opaque().origin() == "acme");
}

TEST_CASE("only content counts as progress", "[adapters][openai][decoder]") {
  const std::string empty = "data: " +
                            Delta(R"({"role":"assistant",)"
                                  R"("content":""})") +
                            "\n\n";
  ExchangeSetting setting;
  setting.cut = {Cut::Kind::kEveryByte};
  const Exchange got = RunExchange(
      {.body = ": hi\n\n" + empty + Sse({Delta(R"({"content":"a"})", "stop")})},
      setting);
  CHECK(got.chunks.size() == 1);
  CHECK(std::count(got.progress.begin(), got.progress.end(),
                   BodyProgress::kContent) == 1);
}

TEST_CASE("logprobs, annotations and audio keep their JSON",
          "[adapters][openai][decoder]") {
  const Exchange got = RunExchange(
      {.body = Whole(R"({"content":"hi","annotations":[{"type":"x"}],)"
                     R"("audio":{"id":"au","data":"QQ=="}})",
                     R"("stop","logprobs":{"content":[{"logprob":-0.50}]})")});
  const CollectedChoice& choice = got.choices.at(0);
  CHECK(choice.annotations == R"([{"type":"x"}])");
  CHECK(choice.audio == R"({"id":"au","data":"QQ=="})");
  CHECK(choice.logprobs == R"({"content":[{"logprob":-0.50}]})");
}

}  // namespace
}  // namespace llm
