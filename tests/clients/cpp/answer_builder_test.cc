#include "llm_service/answer_builder.h"

#include <google/protobuf/text_format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace llm::client {
namespace {

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

v1::Message Joined(const std::vector<std::string>& deltas) {
  AnswerBuilder builder;
  for (const std::string& delta : deltas) {
    v1::ChatCompletionChunk chunk;
    *chunk.add_choices()->mutable_delta() = Parse<v1::Message>(delta);
    builder.Add(chunk);
  }
  return builder.Answer().choices(0).message();
}

std::string Text(const v1::Message& message) {
  return message.ShortDebugString();
}

TEST_CASE("Fragments of text, reasoning and arguments join",
          "[clients][answer]") {
  const v1::Message message = Joined({
      R"(role: "assistant" content: "")",
      R"(reasoning_content: "let me ")",
      R"(reasoning_content: "see")",
      R"(content: "I ")",
      R"(content: "ask")",
      R"(tool_calls {index: 0 id: "a" type: "function"
                     function {name: "f" arguments: "{\"x\":"}})",
      R"(tool_calls {index: 1 id: "b" function {name: "g" arguments: "{}"}})",
      R"(tool_calls {index: 0 function {arguments: "1}"}})",
  });
  CHECK(message.role() == "assistant");
  CHECK(message.reasoning_content() == "let me see");
  CHECK(message.content() == "I ask");
  REQUIRE(message.tool_calls_size() == 2);
  CHECK(message.tool_calls(0).id() == "a");
  CHECK(message.tool_calls(0).function().arguments() == R"({"x":1})");
  CHECK(message.tool_calls(1).function().name() == "g");
  CHECK(message.parts().empty());
}

TEST_CASE("Signatures and redacted blocks keep their places",
          "[clients][answer]") {
  const v1::Message message = Joined({
      R"(reasoning_content: "think")",
      R"(parts {reasoning {signature: "S1" origin: "anthropic"}})",
      R"(parts {reasoning {redacted_data: "R" origin: "anthropic"}})",
      R"(content: "done")",
  });
  CHECK(Text(message) == Text(Parse<v1::Message>(R"(
    role: "assistant" content: "done" reasoning_content: "think"
    parts {reasoning {text: "think" signature: "S1" origin: "anthropic"}}
    parts {reasoning {redacted_data: "R" origin: "anthropic"}}
    parts {text {text: "done"}})")));
}

TEST_CASE("A chunk's flat fields are not added to the parts they repeat",
          "[clients][answer]") {
  const v1::Message message =
      Joined({R"(content: "a" parts {text {text: "a" signature: "S"}})",
              R"(content: "b")"});
  CHECK(message.content() == "ab");
  REQUIRE(message.parts_size() == 2);
  CHECK(message.parts(0).text().signature() == "S");
}

TEST_CASE("An order that the flat fields cannot tell stays in the parts",
          "[clients][answer]") {
  const v1::Message message =
      Joined({R"(content: "first")", R"(reasoning_content: "then")",
              R"(content: "last")"});
  CHECK(message.content() == "firstlast");
  CHECK(message.reasoning_content() == "then");
  REQUIRE(message.parts_size() == 3);
  CHECK(message.parts(2).text().text() == "last");
}

TEST_CASE("The frame of the stream becomes that of the answer",
          "[clients][answer]") {
  AnswerBuilder builder;
  builder.Add(Parse<v1::ChatCompletionChunk>(R"(
    id: "id-1" object: "chat.completion.chunk" created: 7 model: "m"
    choices {index: 1 delta {content: "second"}})"));
  builder.Add(Parse<v1::ChatCompletionChunk>(R"(
    id: "id-1" choices {delta {content: "first"}}
    choices {index: 1 finish_reason: "stop" native_finish_reason: "end"})"));
  builder.Add(Parse<v1::ChatCompletionChunk>(R"(
    choices {finish_reason: "length"} usage {total_tokens: 9}
    llm_service {provider: "p" cost {amount: "0.1" currency: "USD"}})"));
  const v1::ChatCompletionResponse answer = builder.Answer();
  CHECK(answer.object() == "chat.completion");
  CHECK(answer.id() == "id-1");
  CHECK(answer.created() == 7);
  CHECK(answer.model() == "m");
  REQUIRE(answer.choices_size() == 2);
  CHECK(answer.choices(0).message().content() == "first");
  CHECK(answer.choices(0).finish_reason() == "length");
  CHECK(answer.choices(1).message().content() == "second");
  CHECK(answer.choices(1).native_finish_reason() == "end");
  CHECK(answer.usage().total_tokens() == 9);
  CHECK(answer.llm_service().cost().amount() == "0.1");
}

TEST_CASE("Nothing yet is an empty answer", "[clients][answer]") {
  CHECK(AnswerBuilder().Answer().choices().empty());
}

}  // namespace
}  // namespace llm::client
