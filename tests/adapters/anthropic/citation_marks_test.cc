// Citations: all of them come out, and find their text when they come back.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

std::string User(const std::string& text) {
  return R"({"role":"user","content":[{"type":"text","text":")" + text +
         R"("}]})";
}

// What a client of the OpenAI door sends back: `opaque` before all text.
std::string Cited(const std::string& opaque, const std::string& content) {
  const auto got =
      RenderJson(R"({"model":"m","messages":[{"role":"user","content":"hi"},)"
                 R"({"role":"assistant","opaque_parts":[)" +
                 opaque + R"(],"content":)" + content +
                 R"(},{"role":"user","content":"go"}]})");
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  std::string out(doc->root().Find("messages").raw());
  if (!got.dropped.empty()) out += " - " + absl::StrJoin(got.dropped, " ");
  return out;
}

std::string Mark(const std::string& citations, int start, int end) {
  return R"({"origin":"anthropic","part":{"citations":)" + citations +
         R"(,"start_index":)" + std::to_string(start) + R"(,"end_index":)" +
         std::to_string(end) + "}}";
}

TEST_CASE("citations find their place in a text that comes back as one",
          "[adapters][anthropic][request][TRN-1]") {
  const auto want = [](const std::string& blocks) {
    return "[" + User("hi") + R"(,{"role":"assistant","content":[)" + blocks +
           "]}," + User("go") + "]";
  };
  const std::string both = R"({"origin":"anthropic","part":{"type":)"
                           R"("web_search_tool_result","content":[]}},)" +
                           Mark(R"([{"url":"u"}])", 3, 5) + "," +
                           Mark(R"([{"url":"v"}])", 5, 6);
  CHECK(Cited(both, R"("één, ja")") ==
        want(R"({"type":"web_search_tool_result","content":[]},)"
             R"({"type":"text","text":"één"},)"
             R"({"type":"text","text":", ","citations":[{"url":"u"}]},)"
             R"({"type":"text","text":"j","citations":[{"url":"v"}]},)"
             R"({"type":"text","text":"a"})"));
  // The text in two parts, and a mark of the cache on the last.
  CHECK(Cited(Mark(R"([{"url":"u"}])", 3, 5),
              R"([{"type":"text","text":"one"},{"type":"text","text":"tw",)"
              R"("cache_control":{"type":"ephemeral"}}])") ==
        want(R"({"type":"text","text":"one"},{"type":"text","text":"tw",)"
             R"("citations":[{"url":"u"}],)"
             R"("cache_control":{"type":"ephemeral"}})"));
  // The client has shortened the text.
  CHECK(Cited(Mark(R"([{"url":"u"}])", 3, 50), R"("one two")") ==
        want(R"({"type":"text","text":"one two"})") + " - messages.content");
  // The empty list of a text that only ends is nothing to find a place for.
  CHECK(Cited(R"({"origin":"anthropic","part":{"citations":[]}})",
              R"("one")") == want(R"({"type":"text","text":"one"})"));
}

TEST_CASE("white space beside cited text is not lost",
          "[adapters][anthropic][request][TRN-1]") {
  const auto want = [](const std::string& blocks) {
    return "[" + User("hi") + R"(,{"role":"assistant","content":[)" + blocks +
           "]}," + User("go") + "]";
  };
  CHECK(Cited(Mark(R"([{"url":"u"}])", 0, 2) + "," +
                  Mark(R"([{"url":"v"}])", 4, 6),
              R"([{"type":"text","text":"A.\n\nB.\n",)"
              R"("cache_control":{"type":"ephemeral"}}])") ==
        want(R"({"type":"text","text":"A.","citations":[{"url":"u"}]},)"
             R"({"type":"text","text":"\n\nB.\n","citations":[{"url":"v"}],)"
             R"("cache_control":{"type":"ephemeral"}})"));
  // Parts that come in their order.
  CHECK(Cited("", R"([{"type":"text","text":"A."},{"type":"text",)"
                  R"("text":"\n\n"},{"type":"text","text":"B."},)"
                  R"({"type":"text","text":" "}])") ==
        want(R"({"type":"text","text":"A."},{"type":"text","text":"\n\nB."})"));
}

TEST_CASE("several lists of citations behind one text are one member",
          "[adapters][anthropic][request][TRN-1]") {
  ChatRequest request;
  v1::Message* said = request.message.add_messages();
  said->set_role("assistant");
  v1::Part* text = said->add_parts();
  text->mutable_text()->set_text("one");
  text->set_extra_json(R"({"citations":[{"url":"t"}]})");
  for (const char* json : {R"({"citations":[{"url":"u"}]})",
                           R"({"citations":[{"url":"v"},{"url":"w"}]})"}) {
    v1::OpaquePart* part = said->add_parts()->mutable_opaque();
    part->set_origin("anthropic");
    part->set_json(json);
  }
  AttemptContext context;
  context.upstream_model.value = "claude-sonnet-4-5";
  const auto got = anthropic::RenderRequest(request, context);
  CHECK(
      got.body.find(R"({"type":"text","text":"one","citations":)"
                    R"([{"url":"t"},{"url":"u"},{"url":"v"},{"url":"w"}]})") !=
      std::string::npos);
}

// Each mark read with all before it would take minutes.
TEST_CASE("marks without end behind one text are one list, each read once",
          "[adapters][anthropic][request][TRN-1]") {
  constexpr int kMarks = 50'000;
  ChatRequest request;
  request.message.add_messages()->set_role("user");
  request.message.mutable_messages(0)->add_parts()->mutable_text()->set_text(
      "hi");
  v1::Message* said = request.message.add_messages();
  said->set_role("assistant");
  said->add_parts()->mutable_text()->set_text("one");
  for (int i = 0; i < kMarks; ++i) {
    v1::OpaquePart* part = said->add_parts()->mutable_opaque();
    part->set_origin("anthropic");
    part->set_json(R"({"citations":[{"url":"u"}]})");
  }
  AttemptContext context;
  context.upstream_model.value = "claude-sonnet-4-5";
  const auto got = anthropic::RenderRequest(request, context);
  const auto doc = JsonDocument::Parse(got.body);
  REQUIRE(doc.ok());
  const JsonValue turn = doc->root().Find("messages").First().Next();
  CHECK(turn.Find("content").First().Find("citations").size() == kMarks);
  CHECK(got.dropped.empty());
}

TEST_CASE("a mark that fits no text of its message is named",
          "[adapters][anthropic][request][TRN-6]") {
  const std::string loose =
      R"({"origin":"anthropic","part":{"citations":[{"url":"u"}]}})";
  const std::string named = " - messages.content";
  const auto said = [](const std::string& blocks) {
    return "[" + User("hi") + R"(,{"role":"assistant","content":[)" + blocks +
           "]}," + User("go") + "]";
  };
  const std::string one = R"({"type":"text","text":"one"})";
  CHECK(Cited(loose, R"("one")") == said(one) + named);
  // The same range twice.
  CHECK(Cited(Mark(R"([{"url":"u"}])", 0, 3) + "," +
                  Mark(R"([{"url":"v"}])", 0, 3),
              R"("one")") ==
        said(R"({"type":"text","text":"one","citations":[{"url":"u"}]})") +
            named);
  // The text of the message before is not its own, in one turn or not.
  const auto got = RenderJson(
      R"({"model":"m","messages":[{"role":"user","content":"hi"},)"
      R"({"role":"assistant","content":"one"},)"
      R"({"role":"assistant","opaque_parts":[)" +
      loose + R"(],"content":"two"},{"role":"user","content":"go"}]})");
  CHECK(got.body.find(one + R"(,{"type":"text","text":"two"}]})") !=
        std::string::npos);
  CHECK(absl::StrJoin(got.dropped, " ") == "messages.content");
}

TEST_CASE("annotations are named, but for an echo of Anthropic's citations",
          "[adapters][anthropic][request][TRN-6]") {
  const auto dropped = [](const std::string& opaque, const std::string& list) {
    const auto got =
        RenderJson(R"({"model":"m","messages":[{"role":"user","content":"hi"},)"
                   R"({"role":"assistant","content":"one","annotations":)" +
                   list + R"(,"opaque_parts":[)" + opaque +
                   R"(]},{"role":"user","content":"go"}]})");
    return absl::StrJoin(got.dropped, " ");
  };
  const auto link = [](const std::string& url) {
    return R"({"type":"url_citation","url_citation":{"start_index":0,)"
           R"("end_index":3,"title":"t","url":")" +
           url + R"("}})";
  };
  const std::string mark = Mark(R"([{"url":"u"},{"url":"v"}])", 0, 3);
  CHECK(dropped("", "[]").empty());
  CHECK(dropped("", "null").empty());
  CHECK(dropped(mark, "[" + link("u") + "," + link("v") + "]").empty());
  CHECK(dropped(mark, "[" + link("u") + "," + link("w") + "]") ==
        "messages.annotations");
  CHECK(dropped("", "[" + link("u") + "]") == "messages.annotations");
  CHECK(dropped(mark, R"([{"type":"file_citation"}])") ==
        "messages.annotations");
}

TEST_CASE("an answer that comes back whole is no loss to a strict caller",
          "[adapters][anthropic][request][TRN-1][TRN-6]") {
  ScriptedTransport::Script script;
  script.body = Whole(
      R"([{"type":"text","text":"ab","citations":[{"url":"u","title":"t"}]},)"
      R"({"type":"text","text":"c"},)"
      R"({"type":"text","text":"d","citations":[{"url":"v","title":"t"}]}])");
  const Exchange first = RunExchange(script);
  v1::Message said;
  said.set_role("assistant");
  for (const v1::ChatCompletionChunk& chunk : first.chunks) {
    said.MergeFrom(chunk.choices(0).delta());
  }
  REQUIRE_FALSE(said.annotations().empty());
  said.set_role("assistant");
  ChatRequest request;
  for (const char* words : {"hi", "go"}) {
    v1::Message* user = request.message.add_messages();
    user->set_role("user");
    user->add_parts()->mutable_text()->set_text(words);
    if (request.message.messages_size() == 1) {
      *request.message.add_messages() = said;
    }
  }
  AttemptContext context;
  context.upstream_model.value = "claude-sonnet-4-5";
  const auto got = anthropic::RenderRequest(request, context);
  CHECK(absl::StrJoin(got.dropped, " ").empty());
}

TEST_CASE("every text block's links are annotations, whole and streamed",
          "[adapters][anthropic][TRN-1]") {
  const auto cited = [](const std::string& text, const std::string& url) {
    return R"({"type":"text","text":")" + text + R"(","citations":[{"url":")" +
           url + R"(","title":"t"}]})";
  };
  const auto link = [](const std::string& at, const std::string& url) {
    return R"({"type":"url_citation","url_citation":{)" + at +
           R"(,"title":"t","url":")" + url + R"("}})";
  };
  ScriptedTransport::Script script;
  script.body = Whole("[" + cited("ab", "u") + "," + cited("c", "v") + "]");
  CHECK(RunExchange(script).choices.at(0).annotations ==
        "[" + link(R"("start_index":0,"end_index":2)", "u") + "," +
            link(R"("start_index":2,"end_index":3)", "v") + "]");
  script.body = Sse({Start(), BlockStart(0, cited("ab", "u")), BlockStop(0),
                     BlockStart(1, cited("c", "v")), BlockStop(1),
                     Stop("end_turn"), End()});
  const Exchange streamed = RunExchange(script);
  std::vector<std::string> lists;
  for (const v1::ChatCompletionChunk& chunk : streamed.chunks) {
    const std::string& list = chunk.choices(0).delta().annotations();
    if (!list.empty()) lists.push_back(list);
  }
  CHECK(lists ==
        std::vector<std::string>{
            "[" + link(R"("start_index":0,"end_index":2)", "u") + "]",
            "[" + link(R"("start_index":2,"end_index":3)", "v") + "]"});
}

}  // namespace
}  // namespace llm
