// What a JSON schema becomes where Anthropic takes a subset only.
#include "adapters/anthropic/schema_subset.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "absl/strings/str_join.h"
#include "adapters/core/json.h"

namespace llm::anthropic {
namespace {

std::string Subset(const std::string& schema) {
  DroppedFields dropped;
  std::string out = SchemaSubset(schema, "s", &dropped);
  const auto names = dropped.Take();
  if (!names.empty()) out += " - " + absl::StrJoin(names, " ");
  return out;
}

TEST_CASE("each keyword is kept, bent or dropped and named",
          "[adapters][anthropic][schema][TRN-5]") {
  const auto [schema, want] = GENERATE(table<std::string, std::string>({
      {R"({"type":"string","title":"t","description":"d","default":1.0})",
       R"({"type":"string","title":"t","description":"d","default":1.0})"},
      {R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},
           "required":["a"],"$defs":{"x":{"enum":[1,2]}}})",
       R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},)"
       R"("required":["a"],"$defs":{"x":{"enum":[1,2]}},)"
       R"("additionalProperties":false})"},
      {R"({"oneOf":[{"type":"null"},{"const":1}]})",
       R"({"anyOf":[{"type":"null"},{"const":1}]} - s.oneOf)"},
      {R"({"allOf":[{"type":"integer","minimum":1,"multipleOf":2}]})",
       R"({"allOf":[{"type":"integer"}]} - s.minimum s.multipleOf)"},
      {R"({"type":"string","format":"date-time"})",
       R"({"type":"string","format":"date-time"})"},
      {R"({"type":"string","format":"regex"})",
       R"({"type":"string"} - s.format)"},
      {R"({"type":"object","additionalProperties":{"type":"string"}})",
       R"({"type":"object","additionalProperties":false})"
       R"( - s.additionalProperties)"},
      {R"({"type":["object","null"],"additionalProperties":false})",
       R"({"type":["object","null"],"additionalProperties":false})"},
      {R"({"type":"array","items":{"type":"string","maxLength":3},
           "minItems":1})",
       R"({"type":"array","items":{"type":"string"}})"
       R"( - s.maxLength s.minItems)"},
      {R"({"type":"array","items":[{"type":"string"}]})",
       R"({"type":"array"} - s.items)"},
      // A property may have a keyword's name.
      {R"({"properties":{"pattern":{"type":"string"},"not":true}})",
       R"({"properties":{"pattern":{"type":"string"},"not":{}},)"
       R"("additionalProperties":false})"},
      // Decoration constrains nothing.
      {R"({"$schema":"x","$id":"y","$comment":"z","examples":[1],
           "type":"null"})",
       R"({"type":"null"})"},
      {"true", R"({"type":"object","additionalProperties":false})"},
  }));
  CHECK(Subset(schema) == want);
}

TEST_CASE("a tool's schema is an object at its root and as it was below",
          "[adapters][anthropic][schema]") {
  const auto [schema, want] = GENERATE(table<std::string, std::string>({
      {"", R"({"type":"object","properties":{}})"},
      {"true", R"({"type":"object","properties":{}})"},
      {R"({"type": "object", "x":1.0})", R"({"type": "object", "x":1.0})"},
      {R"({"type":["object","null"],"x":1})",
       R"({"type":"object","x":1} - t.type)"},
      {R"({"type":["object"],"x":1})", R"({"type":"object","x":1})"},
      {R"({"type":null})", R"({"type":"object"})"},
      {R"({"anyOf":[{"type":"object"}]})", R"({"type":"object"} - t.anyOf)"},
      // What no object can be is not left beside it.
      {R"({"type":"string","enum":["a"]})",
       R"({"type":"object"} - t.type t.enum)"},
      {R"({"const":1,"x":1})", R"({"type":"object","x":1} - t.const)"},
      {R"({"type":["object","null"],"enum":[null,{"a":1}]})",
       R"({"type":"object","enum":[null,{"a":1}]} - t.type)"},
      {R"({"const":{"a":1}})", R"({"type":"object","const":{"a":1}})"},
  }));
  DroppedFields dropped;
  std::string got = ToolSchema(schema, "t", &dropped);
  const auto names = dropped.Take();
  if (!names.empty()) got += " - " + absl::StrJoin(names, " ");
  CHECK(got == want);
}

// Every keyword of a schema, wherever it stands.
void Keywords(JsonValue schema, std::set<std::string>* out) {
  for (JsonValue v = schema.First(); v; v = v.Next()) {
    const std::string key = v.Key();
    out->insert(key);
    if (key == "properties" || key == "$defs" || key == "definitions") {
      for (JsonValue p = v.First(); p; p = p.Next()) Keywords(p, out);
    } else if (v.is_object()) {
      Keywords(v, out);
    } else if (key == "anyOf" || key == "allOf") {
      for (JsonValue p = v.First(); p; p = p.Next()) Keywords(p, out);
    }
  }
}

// A schema of all shapes, with keywords nobody has heard of.
std::string RandomSchema(std::mt19937& random, int depth) {
  const std::vector<std::string> odd = {"\"minimum\":1",
                                        "\"pattern\":\"a\"",
                                        "\"x-odd\":{\"type\":1}",
                                        "\"not\":{}",
                                        "\"if\":{}",
                                        "\"minItems\":2",
                                        "\"uniqueItems\":true",
                                        "\"propertyNames\":{}",
                                        "\"nullable\":true",
                                        "\"format\":\"odd\"",
                                        "\"prefixItems\":[{}]",
                                        "\"discriminator\":{}"};
  std::string out = "{";
  const auto add = [&](const std::string& member) {
    if (out.size() > 1) out += ",";
    out += member;
  };
  for (int i = static_cast<int>(random() % 4); i > 0; --i) {
    add(odd[random() % odd.size()]);
  }
  if (depth > 0 && random() % 2 == 0) {
    add("\"properties\":{\"a\":" + RandomSchema(random, depth - 1) + "}");
  }
  if (depth > 0 && random() % 2 == 0) {
    add("\"items\":" + RandomSchema(random, depth - 1));
  }
  if (depth > 0 && random() % 2 == 0) {
    add("\"anyOf\":[" + RandomSchema(random, depth - 1) + "]");
  }
  if (depth > 0 && random() % 3 == 0) {
    add("\"oneOf\":[" + RandomSchema(random, depth - 1) + "]");
  }
  if (random() % 2 == 0) add("\"type\":\"object\"");
  return out + "}";
}

TEST_CASE("whatever a schema holds, only what is taken leaves",
          "[adapters][anthropic][schema][TRN-5]") {
  const std::set<std::string> taken = {
      "$ref",        "$defs",    "definitions", "type",
      "properties",  "required", "items",       "enum",
      "const",       "anyOf",    "allOf",       "title",
      "description", "default",  "format",      "additionalProperties"};
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string schema = RandomSchema(random, 4);
    DroppedFields dropped;
    const std::string subset = SchemaSubset(schema, "s", &dropped);
    const auto doc = JsonDocument::Parse(subset);
    REQUIRE(doc.ok());
    std::set<std::string> seen;
    Keywords(doc->root(), &seen);
    for (const std::string& key : seen) {
      CAPTURE(schema, subset, key);
      REQUIRE(taken.contains(key));
    }
    DroppedFields again;
    REQUIRE(SchemaSubset(subset, "s", &again) == subset);
    REQUIRE(again.Take().empty());
  }
}

}  // namespace
}  // namespace llm::anthropic
