#include "adapters/simulated/schema_sample.h"

#include <catch2/catch.hpp>
#include <regex>

#include "adapters/core/json.h"

namespace llm {
namespace {

std::string Sample(std::string_view schema, uint64_t seed = 7) {
  SampleBudget budget;
  return SampleJson(schema, PromptFacts{}, seed, budget);
}

std::string Pattern(std::string_view pattern) {
  SampleBudget budget;
  return SamplePattern(pattern, 1, budget);
}

TEST_CASE("Each kind of schema gets a value that conforms",
          "[adapters][simulated]") {
  const auto [schema, want] = GENERATE(table<std::string, std::string>({
      {R"~({"const":{"b":1,"a":0.70}})~", R"~(\{"b":1,"a":0\.70\})~"},
      {R"~({"enum":["buy","hold"]})~", R"~("(buy|hold)")~"},
      {R"~({"type":"boolean"})~", "true|false"},
      {R"~({"type":"null"})~", "null"},
      {R"~({"type":["null","integer"]})~", R"~(\d+)~"},
      {R"~({"type":"integer","minimum":3,"maximum":3})~", "3"},
      {R"~({"type":"integer","exclusiveMinimum":40,"exclusiveMaximum":42})~",
       "41"},
      {R"~({"type":"integer","minimum":11,"multipleOf":5})~", "15|20|25|30"},
      {R"~({"type":"number","minimum":0,"maximum":1})~", R"~(0(\.\d+)?|1)~"},
      {R"~({"type":"string","minLength":20,"maxLength":22})~",
       R"~("\w{20,22}")~"},
      {R"~({"type":"string","maxLength":4})~", R"~("\w{0,4}")~"},
      {R"~({"type":"string","format":"date"})~", R"~("\d{4}-\d\d-\d\d")~"},
      {R"~({"type":"string","pattern":"^[A-Z]{3}-\\d{2}(x|y)?$"})~",
       R"~("[A-Z]{3}-\d{2}[xy]?")~"},
      {R"~({"type":"array","items":{"type":"null"},"minItems":2})~",
       R"~(\[null,null\])~"},
      {R"~({"type":"array","prefixItems":[{"const":1},{"const":"z"}]})~",
       R"~(\[1,"z"\])~"},
      {R"~({"anyOf":[{"type":"null"},{"const":5}]})~", "5"},
      {R"~({"type":"object","properties":{"a":{"const":1},"b":{"type":"string"}},
           "required":["a"]})~",
       R"~(\{"a":1,"b":".*"\})~"},
      {R"~({"allOf":[{"type":"object","required":["a"],"properties":
           {"a":{"const":1}}},{"type":"object","required":["b"],"properties":
           {"b":{"const":2}}}]})~",
       R"~(\{"a":1,"b":2\})~"},
      {R"~({"$ref":"#/$defs/x","$defs":{"x":{"const":9}}})~", "9"},
  }));
  CAPTURE(schema);
  const std::string sample = Sample(schema);
  CAPTURE(sample);
  CHECK(JsonDocument::Parse(sample).ok());
  CHECK(std::regex_match(sample, std::regex(want)));
}

TEST_CASE("A schema that refers to itself still ends",
          "[adapters][simulated]") {
  const std::string sample = Sample(
      R"~({"$ref":"#/$defs/node","$defs":{"node":{"type":"object",
      "properties":{"child":{"anyOf":[{"$ref":"#/$defs/node"},
      {"type":"null"}]}},"required":["child"]}}})~");
  CHECK(JsonDocument::Parse(sample).ok());
  CHECK(Sample(R"~({"$ref":"#"})~") == "null");
}

TEST_CASE("A schema that is not JSON gives an empty object",
          "[adapters][simulated]") {
  CHECK(Sample("{") == "{}");
}

TEST_CASE("Elements of a list of unique items differ",
          "[adapters][simulated]") {
  const std::string sample =
      Sample(R"~({"type":"array","items":{"type":"integer"},"minItems":3,
                 "uniqueItems":true})~");
  const auto doc = JsonDocument::Parse(sample);
  REQUIRE(doc.ok());
  JsonValue a = doc->root().First();
  CHECK(doc->root().size() == 3);
  CHECK(a.raw() != a.Next().raw());
  CHECK(a.Next().raw() != a.Next().Next().raw());
}

TEST_CASE("A pattern beyond the sampler gives nothing, not a wrong string",
          "[adapters][simulated]") {
  CHECK(Pattern("(?=x)y").empty());
  CHECK(Pattern("[a-").empty());
  CHECK(Pattern("(a").empty());
  CHECK(Pattern("a{100000000000}").empty());
}

TEST_CASE("A small schema that asks for endlessly much gets what fits",
          "[adapters][simulated][limits]") {
  const std::string schema = GENERATE(
      R"~({"type":"array","minItems":1000,"items":{"type":"array",
          "minItems":1000,"items":{"type":"array","minItems":1000}}})~",
      R"~({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":
          {"a":{"$ref":"#/$defs/n"},"b":{"$ref":"#/$defs/n"}},
          "required":["a","b"]}}})~",
      R"~({"type":"array","minItems":1000,"items":{"type":"array",
          "minItems":1000,"items":{"type":"string","minLength":100000}}})~",
      R"~({"type":"array","minItems":1000,"items":{"type":"array",
          "minItems":1000,"items":{"pattern":"(((a{256}){256}){256}){9}"}}})~",
      R"~({"$ref":"#/$defs/n","$defs":{"n":{"allOf":[{"$ref":"#/$defs/n"},
          {"$ref":"#/$defs/n"}]}}})~");
  CAPTURE(schema);
  const std::string sample = Sample(schema);
  CHECK(JsonDocument::Parse(sample).ok());
  CHECK(sample.size() < 2'000'000);
}

TEST_CASE("Long lists in a schema are looked at a bounded number of times",
          "[adapters][simulated][limits]") {
  std::string names;
  std::string members;
  for (int i = 0; i < 50'000; ++i) {
    const std::string name = "\"p" + std::to_string(i) + "\"";
    names += (i == 0 ? "" : ",") + name;
    members += (i == 0 ? "" : ",") + name + ":{\"const\":1}";
  }
  const std::string schema = GENERATE_COPY(
      R"({"type":"object","required":[)" + names + R"(],"properties":{)" +
          members + "}}",
      R"({"type":"array","minItems":1000,"items":{"enum":[)" + names + "]}}");
  const std::string sample = Sample(schema);
  CHECK(JsonDocument::Parse(sample).ok());
}

TEST_CASE("Counts of counts in a pattern end at the budget",
          "[adapters][simulated][limits]") {
  CHECK(Pattern("(((a{256}){256}){256}){256}").empty());
  CHECK(Pattern("((((((a{0}){256}){256}){256}){256}){256}){256}").empty());
  CHECK(Pattern("(a{256}){16}").size() == 4096);
}

TEST_CASE("Limits of length count characters, not bytes",
          "[adapters][simulated]") {
  PromptFacts facts;
  facts.chinese = true;
  const auto sample = [&facts](std::string_view schema) {
    SampleBudget budget;
    return SampleJson(schema, facts, 7, budget);
  };
  // Four characters, twelve bytes.
  CHECK(sample(R"({"type":"string"})") == "\"模拟回答\"");
  CHECK(sample(R"({"type":"string","minLength":6,"maxLength":6})") ==
        "\"模拟回答xx\"");
  CHECK(sample(R"({"type":"string","maxLength":4})") == "\"模拟回答\"");
}

}  // namespace
}  // namespace llm
