// Calls whose arguments come in pieces.
#include <catch2/catch.hpp>

#include "adapters/gemini/call_ids.h"
#include "tests/adapters/gemini/exchange.h"

namespace llm {
namespace {

// One event for each of these `functionCall`s; the last one finishes. Members
// of a part beside the call come after a '|'.
std::string Pieces(const std::vector<std::string>& calls) {
  std::vector<std::string> events;
  for (const std::string& call : calls) {
    const size_t beside = call.find('|');
    std::string part = R"([{"functionCall":)" + call.substr(0, beside);
    if (beside != std::string::npos) part += "," + call.substr(beside + 1);
    const bool last = events.size() + 1 == calls.size();
    events.push_back(Response(part + "}]", last ? "STOP" : ""));
  }
  return Sse(events);
}

struct PieceRow {
  std::string name;
  std::vector<std::string> calls;
  std::string want;
};

TEST_CASE("the pieces of a call are one call",
          "[adapters][gemini][decoder][STR-3]") {
  const std::string end = R"({"partialArgs":[{"jsonPath":"$.b",)"
                          R"("numberValue":2}]})";
  const PieceRow row = GENERATE_COPY(values<PieceRow>({
      {"empty arguments beside the first piece",
       {R"({"name":"f","args":{},"partialArgs":[{"jsonPath":"$.a",)"
        R"("numberValue":1}],"willContinue":true})",
        end},
       R"(C:?/f({"a":1,"b":2}) F:tool_calls N:STOP)"},
      {"empty arguments beside each",
       {R"({"name":"f","args":{},"willContinue":true})",
        R"({"args":{},"partialArgs":[{"jsonPath":"$.b","numberValue":2}]})"},
       R"(C:?/f({"b":2}) F:tool_calls N:STOP)"},
      {"no arguments but empty ones",
       {R"({"name":"f","args":{},"willContinue":true})", R"({"args":{}})"},
       "C:?/f({}) F:tool_calls N:STOP"},
      {"id and name on each piece",
       {R"({"id":"x","name":"f","willContinue":true})",
        R"({"id":"x","name":"f","partialArgs":[{"jsonPath":"$.a",)"
        R"("stringValue":"y","willContinue":true}],"willContinue":true})",
        R"({"id":"x","name":"f","partialArgs":[{"jsonPath":"$.a",)"
        R"("stringValue":"z"}]})"},
       R"(C:x/f({"a":"yz"}) F:tool_calls N:STOP)"},
      {"another id begins another call",
       {R"({"id":"x","name":"f","willContinue":true})",
        R"({"id":"y","name":"f","partialArgs":[{"jsonPath":"$.b",)"
        R"("numberValue":2}]})"},
       R"(C:x/f({}) C:y/f({"b":2}) F:tool_calls N:STOP)"},
      {"so does the same one when the call has ended",
       {R"({"id":"x","name":"f"})", R"({"id":"x","name":"f"})"},
       "C:x/f({}) C:?/f({}) F:tool_calls N:STOP"},
      {"and a name without an id",
       {R"({"name":"f","willContinue":true})", R"({"name":"f"})"},
       "C:?/f({}) C:?/f({}) F:tool_calls N:STOP"},
  }));
  CAPTURE(row.name);
  for (const Cut& cut : AllCuts()) {
    ExchangeSetting setting;
    setting.cut = cut;
    Exchange got = RunExchange({.body = Pieces(row.calls)}, setting);
    REQUIRE(got.result.status.ok());
    for (CollectedCall& call : got.choices.at(0).calls) {
      if (gemini::IsMadeCallId(call.id)) call.id = "?";
    }
    CHECK(got.Line() == row.want);
  }
}

TEST_CASE("the signature of a call may come with any of its pieces",
          "[adapters][gemini][decoder][TRN-2]") {
  const std::string on = R"({"willContinue":true})";
  const PieceRow row = GENERATE_COPY(values<PieceRow>({
      {"the first",
       {R"({"name":"f","willContinue":true}|"thoughtSignature":"S")", "{}"},
       "S"},
      {"one between",
       {R"({"name":"f","willContinue":true})",
        on + R"(|"thoughtSignature":"S")", "{}"},
       "S"},
      {"the last",
       {R"({"name":"f","willContinue":true})", R"({}|"thoughtSignature":"S")"},
       "S"},
      {"each: once",
       {R"({"name":"f","willContinue":true}|"thoughtSignature":"S")",
        on + R"(|"thoughtSignature":"S")", R"({}|"thoughtSignature":"S")"},
       "S"},
      {"that of the call before is its own",
       {R"({"name":"f"}|"thoughtSignature":"S")", R"({"name":"g"})"},
       "S"},
  }));
  CAPTURE(row.name);
  const Exchange got = RunExchange({.body = Pieces(row.calls)});
  REQUIRE(got.result.status.ok());
  std::string signatures;
  for (const v1::ChatCompletionChunk& chunk : got.chunks) {
    for (const v1::Part& part : chunk.choices(0).delta().parts()) {
      const v1::ToolCall& call = part.tool_call();
      signatures += call.signature();
      if (call.signature().empty()) continue;
      CHECK(call.index() == 0);
      CHECK(call.signature_origin() == "gemini");
      CHECK(call.origin_model() == "gemini-2.5-flash");
    }
  }
  CHECK(signatures == row.want);
}

// A call whose arguments come in pieces: this many elements of a list.
std::string CallOf(int count) {
  std::vector<std::string> events;
  std::string pieces;
  for (int at = 0; at < count; ++at) {
    pieces += (pieces.empty() ? "" : ",") +
              (R"({"jsonPath":"$.m[)" + std::to_string(at) +
               R"(]","numberValue":1})");
    if (pieces.size() < 100'000 && at + 1 < count) continue;
    events.push_back(Response(R"([{"functionCall":{"name":"f","id":"x",)"
                              R"("willContinue":true,"partialArgs":[)" +
                              pieces + "]}}]"));
    pieces.clear();
  }
  events.push_back(Response(R"([{"functionCall":{}}])", "STOP"));
  return Sse(events);
}

TEST_CASE("a call in pieces has more members than a model can say, and no more",
          "[adapters][gemini][decoder]") {
  Exchange got = RunExchange({.body = CallOf(70'000)});
  REQUIRE(got.result.status.ok());
  const std::string& arguments = got.choices.at(0).calls.at(0).arguments;
  CHECK(arguments.starts_with(R"({"m":[1,1,)"));
  CHECK(arguments.size() == 140'000 + std::string(R"({"m":[]})").size() - 1);
  got = RunExchange({.body = CallOf(100'001)});
  CHECK(got.result.failure.failure == FailureClass::kBadAnswer);
  // Nor a list whose end stands far off.
  got =
      RunExchange({.body = Pieces({R"({"name":"f","partialArgs":[{"jsonPath":)"
                                   R"("$.m[50000]","numberValue":1}]})"})});
  CHECK(got.result.failure.failure == FailureClass::kBadAnswer);
}

TEST_CASE("pieces of a call count as content that moves on",
          "[adapters][gemini][decoder][STR-2]") {
  const Exchange got = RunExchange(
      {.body = Sse({
           Response(R"([{"functionCall":{"name":"f","willContinue":true}}])"),
           Response(R"([{"functionCall":{"willContinue":true}}])", "STOP"),
       })});
  CHECK(got.result.content_seen);
  CHECK(got.progress.back() == BodyProgress::kContent);
}

}  // namespace
}  // namespace llm
