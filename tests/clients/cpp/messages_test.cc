#include "llm_service/messages.h"

#include <catch2/catch.hpp>

namespace llm::client {
namespace {

TEST_CASE("A tool loop's turns are made of the short forms",
          "[clients][messages]") {
  v1::ChatCompletionRequest request;
  AddMessage("user", "Is it dear?", &request);
  AddFunction("get_price", "Last price", R"({"type":"object"})", &request);
  v1::ChatCompletionResponse answer;
  v1::Choice& choice = *answer.add_choices();
  choice.set_finish_reason("tool_calls");
  v1::ToolCall& call = *choice.mutable_message()->add_tool_calls();
  call.set_id("call-1");
  call.mutable_function()->set_name("get_price");
  *request.add_messages() = AnswerMessage(answer);
  for (const v1::ToolCall& one : ToolCalls(answer)) {
    AddToolResult(one, R"({"price":1})", &request);
  }
  REQUIRE(request.messages_size() == 3);
  CHECK(request.tools(0).function().parameters() == R"({"type":"object"})");
  CHECK(request.messages(1).tool_calls(0).id() == "call-1");
  CHECK(request.messages(2).role() == "tool");
  CHECK(request.messages(2).tool_call_id() == "call-1");
  CHECK(request.messages(2).content() == R"({"price":1})");
  CHECK(FinishReason(answer) == "tool_calls");
}

TEST_CASE("An answer without a choice reads as an empty one",
          "[clients][messages]") {
  const v1::ChatCompletionResponse nothing;
  CHECK(AnswerText(nothing).empty());
  CHECK(ToolCalls(nothing).empty());
  CHECK(FinishReason(nothing).empty());
  CHECK(ChunkText({}).empty());
}

TEST_CASE("A chunk's text is that of the first choice", "[clients][messages]") {
  v1::ChatCompletionChunk chunk;
  v1::ChunkChoice& second = *chunk.add_choices();
  second.set_index(1);
  second.mutable_delta()->set_content("other");
  chunk.add_choices()->mutable_delta()->set_content("mine");
  CHECK(ChunkText(chunk) == "mine");
}

}  // namespace
}  // namespace llm::client
