// What a stream looks like to the caller, what a whole answer is made of, and
// which attempt may speak.
#include <catch2/catch.hpp>

#include "router/attempt_sink.h"
#include "router/merge_fragments.h"
#include "router/response_assembler.h"
#include "router/stream_shaper.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

struct ShaperFixture {
  void Feed(std::vector<v1::ChatCompletionChunk> chunks, bool include_usage,
            std::optional<v1::Usage> usage = std::nullopt) {
    StreamShaper shaper("chatcmpl-1", 77, include_usage, sink);
    shaper.SetModel("alpha");
    for (auto& chunk : chunks) {
      REQUIRE_THAT(RunTask(io, shaper.Write(std::move(chunk))), IsOk());
    }
    v1::ServiceInfo info;
    info.set_request_id("1");
    REQUIRE_THAT(RunTask(io, shaper.Finish(info, usage)), IsOk());
  }
  boost::asio::io_context io;
  RecordingSink sink;
};

TEST_CASE_METHOD(ShaperFixture, "Every chunk wears our id, model and object",
                 "[router][stream]") {
  v1::ChatCompletionChunk first = TextChunk("hi");
  first.set_id("theirs");
  first.set_model("alpha-up");
  first.mutable_usage()->set_total_tokens(9);
  Feed({first, TextChunk(" there"), FinishChunk("stop")}, false);
  REQUIRE(sink.chunks.size() == 3);
  for (const auto& chunk : sink.chunks) {
    CHECK(chunk.id() == "chatcmpl-1");
    CHECK(chunk.model() == "alpha");
    CHECK(chunk.object() == "chat.completion.chunk");
    CHECK(chunk.created() == 77);
    CHECK_FALSE(chunk.has_usage());
  }
  CHECK(sink.chunks[0].choices(0).delta().role() == "assistant");
  CHECK(sink.chunks[1].choices(0).delta().role().empty());
  CHECK(sink.chunks[2].choices(0).finish_reason() == "stop");
  CHECK(sink.chunks[2].has_llm_service());
  CHECK_FALSE(sink.chunks[1].has_llm_service());
}

TEST_CASE_METHOD(ShaperFixture,
                 "Choices that say nothing yet leave the chunk, the rest stay",
                 "[router][stream]") {
  v1::ChatCompletionChunk mixed = FinishChunk("length");
  mixed.MergeFrom(TextChunk("one", 1));
  v1::ChunkChoice* role = mixed.add_choices();
  role->set_index(2);
  role->mutable_delta()->set_role("assistant");
  mixed.MergeFrom(TextChunk("three", 3));
  mixed.set_object("theirs");
  mixed.set_created(5);
  mixed.set_extra_json("{\"a\":1}");
  mixed.mutable_usage()->set_total_tokens(9);
  mixed.mutable_llm_service()->set_request_id("theirs");
  Feed({mixed}, false);
  REQUIRE(sink.chunks.size() >= 1);
  v1::ChatCompletionChunk expected;
  expected.set_id("chatcmpl-1");
  expected.set_object("chat.completion.chunk");
  expected.set_created(77);
  expected.set_model("alpha");
  expected.set_extra_json("{\"a\":1}");
  expected.MergeFrom(TextChunk("one", 1));
  expected.MergeFrom(TextChunk("three", 3));
  for (v1::ChunkChoice& choice : *expected.mutable_choices()) {
    choice.mutable_delta()->set_role("assistant");
  }
  CHECK(sink.chunks[0].DebugString() == expected.DebugString());
}

TEST_CASE_METHOD(ShaperFixture,
                 "A finish reason comes once per choice, after all content",
                 "[router][stream][STR-3]") {
  auto mixed = TextChunk("a");
  mixed.mutable_choices(0)->set_finish_reason("stop");
  Feed({mixed, FinishChunk("stop"), TextChunk("b", 1), TextChunk("c", 1)},
       false);
  std::map<int, int> finishes;
  bool finished = false;
  for (const auto& chunk : sink.chunks) {
    for (const auto& choice : chunk.choices()) {
      if (choice.finish_reason().empty()) {
        CHECK_FALSE(finished);
      } else {
        finished = true;
        ++finishes[choice.index()];
      }
    }
  }
  CHECK(finishes == std::map<int, int>{{0, 1}, {1, 1}});
}

TEST_CASE_METHOD(ShaperFixture, "A tool call ends in tool_calls",
                 "[router][stream][STR-3]") {
  Feed({ToolChunk(0, "c1", "f", "{}"), FinishChunk("stop")}, false);
  CHECK(sink.chunks.back().choices(0).finish_reason() == "tool_calls");
}

TEST_CASE_METHOD(ShaperFixture, "A cut tool call keeps its length",
                 "[router][stream][STR-3]") {
  Feed({ToolChunk(0, "c1", "f", "{\"a"), FinishChunk("length")}, false);
  CHECK(sink.chunks.back().choices(0).finish_reason() == "length");
}

TEST_CASE_METHOD(ShaperFixture, "The usage chunk comes last, only if asked for",
                 "[router][stream][STR-2]") {
  v1::Usage usage;
  usage.set_total_tokens(5);
  v1::ChatCompletionChunk theirs;
  theirs.mutable_usage()->set_total_tokens(99);
  Feed({TextChunk("a"), FinishChunk("stop"), theirs}, true, usage);
  REQUIRE(sink.chunks.size() == 3);
  CHECK(sink.chunks[1].choices(0).finish_reason() == "stop");
  CHECK_FALSE(sink.chunks[1].has_llm_service());
  CHECK(sink.chunks[2].choices_size() == 0);
  CHECK(sink.chunks[2].usage().total_tokens() == 5);
  CHECK(sink.chunks[2].has_llm_service());
}

TEST_CASE("Fragments join to one answer in order",
          "[router][assembler][STR-3]") {
  ResponseAssembler assembler;
  assembler.Add(ReasoningChunk("thi"));
  assembler.Add(ReasoningChunk("nk"));
  assembler.Add(TextChunk("he"));
  assembler.Add(TextChunk(""));
  assembler.Add(TextChunk("llo"));
  assembler.Add(ToolChunk(0, "c0", "f", "{\"a\""));
  assembler.Add(ToolChunk(1, "c1", "g", "{"));
  assembler.Add(ToolChunk(0, "", "", ":1}"));
  assembler.Add(ToolChunk(1, "", "", "}"));
  assembler.Add(TextChunk("second", 1));
  assembler.Add(FinishChunk("stop"));
  const v1::ChatCompletionResponse answer = assembler.Take();
  REQUIRE(answer.choices_size() == 2);
  const v1::Message& message = answer.choices(0).message();
  REQUIRE(message.parts_size() == 4);
  CHECK(message.role() == "assistant");
  CHECK(message.parts(0).reasoning().text() == "think");
  CHECK(message.parts(1).text().text() == "hello");
  CHECK(message.parts(2).tool_call().id() == "c0");
  CHECK(message.parts(2).tool_call().function().arguments() == "{\"a\":1}");
  CHECK(message.parts(3).tool_call().function().name() == "g");
  CHECK(message.parts(3).tool_call().function().arguments() == "{}");
  CHECK(answer.choices(0).finish_reason() == "tool_calls");
  CHECK(answer.choices(1).message().parts(0).text().text() == "second");
  CHECK(answer.choices(1).finish_reason() == "stop");
}

TEST_CASE("A signature closes its block of reasoning", "[router][assembler]") {
  ResponseAssembler assembler;
  assembler.Add(ReasoningChunk("one"));
  auto signature = ReasoningChunk("");
  signature.mutable_choices(0)
      ->mutable_delta()
      ->mutable_parts(0)
      ->mutable_reasoning()
      ->set_signature("sig");
  assembler.Add(signature);
  assembler.Add(ReasoningChunk("two"));
  const auto answer = assembler.Take();
  const v1::Message& message = answer.choices(0).message();
  REQUIRE(message.parts_size() == 2);
  CHECK(message.parts(0).reasoning().text() == "one");
  CHECK(message.parts(0).reasoning().signature() == "sig");
  CHECK(message.parts(1).reasoning().text() == "two");
}

TEST_CASE("Opaque fragments merge without losing number text",
          "[router][assembler]") {
  CHECK(MergeObjects("", "{\"a\":1.0}") == "{\"a\":1.0}");
  CHECK(MergeObjects("{\"content\":[1.50]}", "{\"content\":[2],\"x\":3}") ==
        "{\"content\":[1.50,2],\"x\":3}");
  CHECK(MergeObjects("{\"id\":\"i\",\"data\":\"ab\"}",
                     "{\"id\":\"i\",\"data\":\"cd\"}") ==
        "{\"id\":\"i\",\"data\":\"abcd\"}");
  CHECK(MergeObjects("{\"a\":1}", "{\"a\":null}") == "{\"a\":1}");
  CHECK(MergeObjects("{\"a\":1}", "no json") == "{\"a\":1}");
  CHECK(MergeArrays("[1]", "[2]") == "[1,2]");
}

TEST_CASE("Opaque fields of many chunks join once, in order",
          "[router][assembler][STR-3]") {
  ResponseAssembler assembler;
  std::string tokens;
  constexpr int kChunks = 3001;  // an odd one is left over in the rounds
  for (int i = 0; i < kChunks; ++i) {
    const std::string number = std::to_string(i) + ".50";
    if (i > 0) tokens += ",";
    tokens += number;
    v1::ChatCompletionChunk chunk = TextChunk("x");
    v1::ChunkChoice* choice = chunk.mutable_choices(0);
    choice->set_logprobs("{\"content\":[" + number + "]}");
    choice->mutable_delta()->set_annotations("[" + number + "]");
    assembler.Add(std::move(chunk));
  }
  v1::ChatCompletionChunk call = ToolChunk(0, "c", "f", "{}");
  v1::ToolCall* first = call.mutable_choices(0)
                            ->mutable_delta()
                            ->mutable_parts(0)
                            ->mutable_tool_call();
  first->set_extra_json("{\"a\":1}");
  assembler.Add(call);
  first->set_extra_json("{\"b\":2}");
  assembler.Add(call);
  const auto answer = assembler.Take();
  const v1::Choice& choice = answer.choices(0);
  CHECK(choice.logprobs() == "{\"content\":[" + tokens + "]}");
  CHECK(choice.message().annotations() == "[" + tokens + "]");
  CHECK(choice.message().parts(1).tool_call().extra_json() ==
        "{\"a\":1,\"b\":2}");
}

TEST_CASE_METHOD(ShaperFixture, "Held facts of several chunks stay together",
                 "[router][stream]") {
  v1::ChatCompletionChunk first;
  first.set_extra_json("{\"citations\":[1]}");
  v1::ChatCompletionChunk second;
  second.set_extra_json("{\"timings\":{\"ms\":2}}");
  Feed({TextChunk("a"), first, second, FinishChunk("stop")}, false);
  CHECK(sink.chunks.back().extra_json() ==
        "{\"citations\":[1],\"timings\":{\"ms\":2}}");
}

struct GateFixture {
  AttemptSink::Options Options(int attempt, StreamShaper* shaper) {
    AttemptSink::Options options;
    options.attempt = attempt;
    options.gate = &gate;
    options.clock = &clock;
    options.shaper = shaper;
    return options;
  }
  boost::asio::io_context io;
  FakeClock clock;
  CommitGate gate;
  RecordingSink caller;
};

TEST_CASE_METHOD(GateFixture, "Of two streaming attempts one is heard",
                 "[router][gate]") {
  StreamShaper shaper("id", 0, false, caller);
  AttemptSink first(Options(0, &shaper));
  AttemptSink second(Options(1, &shaper));
  // Roles and finishes without content commit nobody.
  REQUIRE_THAT(RunTask(io, first.Write(FinishChunk(""))), IsOk());
  CHECK_FALSE(gate.committed());
  REQUIRE_THAT(RunTask(io, second.Write(TextChunk("two"))), IsOk());
  CHECK(second.committed());
  CHECK_THAT(RunTask(io, first.Write(TextChunk("one"))),
             HasCode(absl::StatusCode::kCancelled));
  CHECK_THAT(RunTask(io, first.Complete()),
             HasCode(absl::StatusCode::kCancelled));
  REQUIRE_THAT(RunTask(io, second.Write(TextChunk("!"))), IsOk());
  CHECK(caller.Text() == "two!");
  CHECK_FALSE(first.committed());
}

TEST_CASE_METHOD(GateFixture, "Of two unary attempts the first whole one wins",
                 "[router][gate]") {
  AttemptSink first(Options(0, nullptr));
  AttemptSink second(Options(1, nullptr));
  REQUIRE_THAT(RunTask(io, first.Write(TextChunk("half an"))), IsOk());
  CHECK_FALSE(gate.committed());
  REQUIRE_THAT(RunTask(io, second.Write(TextChunk("whole"))), IsOk());
  REQUIRE_THAT(RunTask(io, second.Complete()), IsOk());
  CHECK_THAT(RunTask(io, first.Complete()),
             HasCode(absl::StatusCode::kCancelled));
  CHECK(second.TakeResponse().choices(0).message().parts(0).text().text() ==
        "whole");
}

}  // namespace
}  // namespace llm
