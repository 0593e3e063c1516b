#include "server/core/message_view.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <catch2/catch.hpp>
#include <string>

#include "router/call_error.h"

namespace llm::server {
namespace {

using google::protobuf::util::MessageDifferencer;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

v1::ChatCompletionRequest RequestOf(const v1::Message& message) {
  v1::ChatCompletionRequest request;
  *request.add_messages() = message;
  return request;
}

std::string ParamOf(const absl::Status& status) {
  CHECK(CallErrorDetail(status).code() == "invalid_request");
  return CallErrorDetail(status).param();
}

TEST_CASE("Flat fields become parts in the order a model makes them",
          "[server][view]") {
  auto request = RequestOf(FromText<v1::Message>(R"(
    role: "assistant" content: "text" refusal: "no" reasoning_content: "hm"
    tool_calls { id: "a" type: "function" function { name: "f" } }
    tool_calls { id: "b" type: "custom" custom { name: "g" } })"));
  REQUIRE(NormaliseMessages(&request).ok());
  const auto want = FromText<v1::Message>(R"(
    role: "assistant"
    parts { reasoning { text: "hm" } }
    parts { text { text: "text" } }
    parts { refusal { text: "no" } }
    parts { tool_call { id: "a" type: "function" function { name: "f" } } }
    parts { tool_call { index: 1 id: "b" type: "custom"
                        custom { name: "g" } } })");
  CHECK(MessageDifferencer::Equals(request.messages(0), want));
}

TEST_CASE("Where a message has parts they win over its flat fields",
          "[server][view]") {
  auto request = RequestOf(FromText<v1::Message>(R"(
    role: "assistant" content: "old" reasoning_content: "old"
    tool_calls { id: "old" }
    parts { text { text: "new" } })"));
  REQUIRE(NormaliseMessages(&request).ok());
  CHECK(MessageDifferencer::Equals(
      request.messages(0),
      FromText<v1::Message>(
          R"(role: "assistant" parts { text { text: "new" } })")));
}

TEST_CASE("An empty text is content, an absent one is none", "[server][view]") {
  auto request = RequestOf(
      FromText<v1::Message>(R"(role: "tool" tool_call_id: "x" content: "")"));
  REQUIRE(NormaliseMessages(&request).ok());
  REQUIRE(request.messages(0).parts_size() == 1);
  CHECK(request.messages(0).parts(0).has_text());
  auto silent = RequestOf(FromText<v1::Message>(R"(role: "assistant")"));
  REQUIRE(NormaliseMessages(&silent).ok());
  CHECK(silent.messages(0).parts().empty());
}

TEST_CASE("A broken message is refused by the name of its field",
          "[server][view][errors]") {
  const auto [text, param] = GENERATE(table<std::string, std::string>({
      {R"(content: "x")", "messages[0].role"},
      {R"(role: "User" content: "x")", "messages[0].role"},
      {R"(role: "user")", "messages[0].content"},
      {R"(role: "tool" content: "x")", "messages[0].tool_call_id"},
      {R"(role: "user" parts {})", "messages[0].parts[0]"},
      {R"(role: "user" parts { text { text: "x" } }
          parts { media { url: "http://x" } })",
       "messages[0].parts[1].media.kind"},
      {R"(role: "user" parts { media { kind: IMAGE } })",
       "messages[0].parts[0].media"},
      {R"(role: "assistant" tool_calls { id: "a" })",
       "messages[0].tool_calls[0]"},
      {R"(role: "assistant" content: "x" tool_calls { function {} })",
       "messages[0].tool_calls[0]"},
  }));
  CAPTURE(text);
  auto request = RequestOf(FromText<v1::Message>(text));
  const absl::Status status = NormaliseMessages(&request);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(ParamOf(status) == param);
}

TEST_CASE("A request without messages is refused", "[server][view][errors]") {
  v1::ChatCompletionRequest request;
  CHECK(ParamOf(NormaliseMessages(&request)) == "messages");
}

// What a model may answer, and whether the flat fields alone hold it.
struct ToolReply {
  std::string parts;
  bool flat_is_enough;
};

TEST_CASE("An answer goes back into a conversation as what it was",
          "[server][view]") {
  const auto answer = GENERATE(values<ToolReply>({
      {R"(parts { text { text: "a" } })", true},
      {R"(parts { text {} })", true},
      {R"(parts { reasoning { text: "r" } } parts { text { text: "a" } })",
       true},
      {R"(parts { reasoning { text: "r" } } parts { text { text: "a" } }
          parts { refusal { text: "no" } }
          parts { tool_call { id: "x" type: "function" extra_json: "{}"
                              function { name: "f" arguments: "{1" } } }
          parts { tool_call { index: 1 id: "y" type: "function"
                              function { name: "g" } } })",
       true},
      {R"(parts { text { text: "a" } } parts { text { text: "b" } })", false},
      {R"(parts { text { text: "a" } } parts { reasoning { text: "r" } })",
       false},
      {R"(parts { reasoning { text: "r" signature: "s" origin: "x" } })",
       false},
      {R"(parts { reasoning { redacted_data: "s" origin: "x" } })", false},
      {R"(parts { reasoning { text: "r" summary: true } })", false},
      {R"(parts { text { text: "a" } extra_json: "{}" })", false},
      {R"(parts { text { text: "a" } } parts { opaque { origin: "x"
                                                        json: "1" } })",
       false},
      {R"(parts { media { kind: IMAGE url: "http://x" } })", false},
      {R"(parts { tool_call { id: "x" signature: "s" function {
                              name: "f" } } })",
       false},
      {R"(parts { tool_call { id: "x" function { name: "f" } } }
          parts { text { text: "a" } })",
       false},
  }));
  CAPTURE(answer.parts);
  const auto message =
      FromText<v1::Message>(R"(role: "assistant" )" + answer.parts);
  v1::ChatCompletionResponse response;
  *response.add_choices()->mutable_message() = message;
  FillFlatView(&response);
  const v1::Message& out = response.choices(0).message();
  CHECK(out.parts().empty() == answer.flat_is_enough);
  auto back = RequestOf(out);
  REQUIRE(NormaliseMessages(&back).ok());
  CHECK(MessageDifferencer::Equals(back.messages(0), message));
}

TEST_CASE("The flat fields are filled also where the parts stay",
          "[server][view]") {
  v1::ChatCompletionResponse response;
  *response.add_choices()->mutable_message() = FromText<v1::Message>(R"(
    parts { reasoning { text: "r" signature: "s" } }
    parts { text { text: "a" } }
    parts { tool_call { id: "x" function { name: "f" } } }
    parts { text { text: "b" } }
    parts { refusal { text: "no" } })");
  FillFlatView(&response);
  const v1::Message& out = response.choices(0).message();
  CHECK(out.parts_size() == 5);
  CHECK(out.reasoning_content() == "r");
  CHECK(out.content() == "ab");
  CHECK(out.refusal() == "no");
  REQUIRE(out.tool_calls_size() == 1);
  CHECK(out.tool_calls(0).function().name() == "f");
}

TEST_CASE("Fragments of a chunk join, and keep the index of their call",
          "[server][view][stream]") {
  v1::ChatCompletionChunk chunk;
  *chunk.add_choices()->mutable_delta() = FromText<v1::Message>(R"(
    parts { text { text: "a" } }
    parts { text { text: "b" } }
    parts { tool_call { index: 4 function { arguments: "{" } } })");
  FillFlatView(&chunk);
  const v1::Message& delta = chunk.choices(0).delta();
  CHECK(delta.parts().empty());
  CHECK(delta.content() == "ab");
  CHECK(delta.tool_calls(0).index() == 4);
  // The usage chunk has no choices.
  v1::ChatCompletionChunk usage;
  FillFlatView(&usage);
  CHECK(usage.choices().empty());
}

}  // namespace
}  // namespace llm::server
