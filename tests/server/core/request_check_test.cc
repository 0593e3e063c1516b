#include "server/core/request_check.h"

#include <google/protobuf/text_format.h>

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "router/call_error.h"

namespace llm::server {
namespace {

v1::ChatCompletionRequest FromText(const std::string& text) {
  v1::ChatCompletionRequest request;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &request));
  return request;
}

TEST_CASE("A request with every kind of opaque JSON passes",
          "[server][check]") {
  const auto request = FromText(R"(
    extra_json: "{\"a\": 1.0}" functions: "[]"
    function_call: "\"auto\"" web_search_options: "{}"
    tools { function { name: "f" parameters: "{}" } }
    tools { other_json: "{\"type\": \"web_search\"}" }
    tools { custom { name: "c" format: "{\"type\": \"text\"}" } }
    response_format { type: "json_schema"
                      json_schema { name: "s" schema: "{}" } }
    messages { role: "user" extra_json: "{}"
               parts { text {} extra_json: "{}" } }
    messages { role: "assistant"
               parts { opaque { origin: "x" json: "[1]" } }
               tool_calls { function { name: "f" arguments: "not json" } } }
    temperature: 0.7 timeout { nanos: 1 })");
  CHECK(CheckRequest(request).ok());
}

TEST_CASE("What the rooms below could not rely on is refused by name",
          "[server][check][errors]") {
  const auto [text, param] = GENERATE(table<std::string, std::string>({
      {R"(extra_json: "{")", "extra_json"},
      {R"(extra_json: "[]")", "extra_json"},
      {R"(extra_json: "{} {}")", "extra_json"},
      {R"(functions: "{}")", "functions"},
      {R"(tool_choice { other_json: "}" })", "tool_choice.other_json"},
      {R"(response_format {})", "response_format.type"},
      {R"(response_format { type: "json_schema"
                            json_schema { schema: "1" } })",
       "response_format.json_schema.schema"},
      {R"(tools {})", "tools[0].function"},
      {R"(tools { function {} })", "tools[0].function.name"},
      {R"(tools { other_json: "{}" }
          tools { function { name: "f" parameters: "x" } })",
       "tools[1].function.parameters"},
      {R"(tools { custom {} })", "tools[0].custom.name"},
      {R"(messages {} messages { extra_json: "1" })", "messages[1].extra_json"},
      {R"(messages { parts { opaque {} } })", "messages[0].parts"},
      {R"(messages { parts { opaque { json: "tru" } } })", "messages[0].parts"},
      {R"(messages { annotations: "{}" })", "messages[0].annotations"},
      {R"(temperature: nan)", "temperature"},
      {R"(logit_bias { key: "1" value: inf })", "logit_bias"},
      {R"(timeout {})", "timeout"},
      {R"(timeout { seconds: -1 })", "timeout"},
      {R"(timeout { seconds: -1 nanos: 5 })", "timeout"},
      {R"(timeout { seconds: 9223372036854775807 nanos: 1 })", "timeout"},
      {R"(timeout { nanos: 1000000000 })", "timeout"},
  }));
  CAPTURE(text);
  const absl::Status status = CheckRequest(FromText(text));
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(CallErrorDetail(status).param() == param);
  CHECK(CallErrorDetail(status).code() == "invalid_request");
}

}  // namespace
}  // namespace llm::server
