// Schemas by allow-list, in both of Google's forms.
#include <random>
#include <set>

#include "tests/adapters/gemini/written_schema.h"

namespace llm::gemini {
namespace {

TEST_CASE("a JSON schema keeps what Google lists",
          "[adapters][gemini][schema][TRN-5]") {
  const auto [schema, want,
              lost] = GENERATE(table<std::string, std::string, std::string>({
      {R"({"type":"object","properties":{"a":{"type":["string","null"],)"
       R"("description":"d","enum":["x",null]}},"required":["a"],)"
       R"("additionalProperties":false})",
       R"({"type":"object","properties":{"a":{"type":["string","null"],)"
       R"("description":"d","enum":["x",null]}},"required":["a"],)"
       R"("additionalProperties":false})",
       ""},
      {R"({"type":"OBJECT"})", R"({"type":"object"})", ""},
      {R"({"type":"string","minLength":1,"pattern":"x"})",
       R"({"type":"string"})", "p.minLength,p.pattern"},
      {R"({"$schema":"s","$comment":"c","type":"object"})",
       R"({"type":"object"})", ""},
      {R"({"type":"object","x-mine":1,"y":2})", R"({"type":"object"})", "p.*"},
      {R"({"const":"a"})", R"({"enum":["a"]})", ""},
      {R"({"type":"string","nullable":true})", R"({"type":["string","null"]})",
       ""},
      {R"({"type":["string","integer"],"nullable":true})",
       R"({"type":["string","integer","null"]})", ""},
      {R"({"type":["string","null"],"nullable":true})",
       R"({"type":["string","null"]})", ""},
      {R"({"type":"string","enum":["a"],"nullable":true})",
       R"({"type":["string","null"],"enum":["a",null]})", ""},
      {R"({"enum":["a",null],"nullable":true})", R"({"enum":["a",null]})", ""},
      {R"({"const":"a","nullable":true})", R"({"enum":["a",null]})", ""},
      {R"({"oneOf":[{"type":"string"}],"nullable":true})",
       R"({"oneOf":[{"type":"string"},{"type":"null"}]})", ""},
      {R"({"$ref":"#/$defs/D","nullable":true})",
       R"({"anyOf":[{"$ref":"#/$defs/D"},{"type":"null"}]})", ""},
      {R"({"type":["string","integer"],"nullable":false})",
       R"({"type":["string","integer"]})", ""},
      {R"({"items":[{"type":"string"}]})",
       R"({"prefixItems":[{"type":"string"}]})", ""},
      {R"({"items":true,"additionalProperties":{"type":"string"}})",
       R"({"items":{},"additionalProperties":{"type":"string"}})", ""},
      {R"({"definitions":{"D":{"type":"string"}},)"
       R"("properties":{"a":{"$ref":"#/definitions/D"}}})",
       R"({"$defs":{"D":{"type":"string"}},)"
       R"("properties":{"a":{"$ref":"#/$defs/D"}}})",
       ""},
      {R"({"$defs":{"D":{}},"properties":)"
       R"({"a":{"$ref":"#/$defs/D","description":"d"}}})",
       R"({"$defs":{"D":{}},"properties":)"
       R"({"a":{"anyOf":[{"$ref":"#/$defs/D"}],"description":"d"}}})",
       ""},
      {R"({"$ref":"https://a.test/s.json"})", "{}", "p.$ref"},
      {R"({"allOf":[{"properties":{"a":{}},"required":["a"]},)"
       R"({"properties":{"b":{}},"required":["b"]}]})",
       R"({"properties":{"a":{},"b":{}},"required":["a","b"]})", ""},
      {R"({"allOf":[{"type":"string"},{"type":"number"}]})",
       R"({"type":"string"})", "p.allOf"},
      {R"({"oneOf":[{"type":"string"},{"not":{}}]})",
       R"({"oneOf":[{"type":"string"},{}]})", "p.not"},
      // A property may be called like a keyword.
      {R"({"properties":{"pattern":{"type":"string"},"x":{"if":{}}}})",
       R"({"properties":{"pattern":{"type":"string"},"x":{}}})", "p.if"},
      // The right word with the wrong kind of value.
      {R"({"type":7,"properties":5,"required":"a","items":"x"})", "{}",
       "p.type,p.properties,p.required,p.items"},
  }));
  CAPTURE(schema);
  const Written got = Json(schema);
  CHECK(got.text == want);
  CHECK(got.lost == lost);
}

TEST_CASE("the older form is a subset of OpenAPI",
          "[adapters][gemini][schema][TRN-5]") {
  const auto [schema, want,
              lost] = GENERATE(table<std::string, std::string, std::string>({
      {R"({"type":"object","properties":{}})", "", ""},
      {"{}", "", ""},
      {R"({"properties":{"a":{"type":["string","null"]}},)"
       R"("required":["a","b"]})",
       R"({"type":"object","properties":{"a":{"type":"string",)"
       R"("nullable":true}},"required":["a"]})",
       "p.required"},
      {R"({"type":"string","const":"a"})", R"({"type":"string","enum":["a"]})",
       ""},
      {R"({"type":"integer","enum":[1,2]})",
       R"({"type":"integer","format":"enum","enum":["1","2"]})", ""},
      {R"({"enum":["a",null]})",
       R"({"type":"string","nullable":true,"enum":["a"]})", ""},
      {R"({"type":"string","format":"email","description":"d"})",
       R"x({"type":"string","description":"d (format: email)"})x", "p.format"},
      {R"({"type":"string","format":"date-time"})",
       R"({"type":"string","format":"date-time"})", ""},
      {R"({"anyOf":[{"type":"string"},{"type":"null"}]})",
       R"({"type":"string","nullable":true})", ""},
      {R"({"oneOf":[{"type":"string"},{"type":"number"}]})",
       R"({"anyOf":[{"type":"string"},{"type":"number"}]})", ""},
      {R"({"type":["string","integer"]})",
       R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", ""},
      {R"({"type":"object","additionalProperties":false,)"
       R"("properties":{"a":{"type":"string"}}})",
       R"({"type":"object","properties":{"a":{"type":"string"}}})",
       "p.additionalProperties"},
      {R"({"$defs":{"D":{"type":"string","description":"x"}},"properties":)"
       R"({"a":{"description":"d","$ref":"#/$defs/D"}}})",
       R"({"type":"object","properties":{"a":{"type":"string",)"
       R"("description":"d"}}})",
       ""},
      {R"({"$defs":{"N":{"type":"object","properties":)"
       R"({"next":{"$ref":"#/$defs/N"}}}},"$ref":"#/$defs/N"})",
       R"({"type":"object","properties":{"next":{"type":"object"}}})",
       "p.$ref"},
      {R"({"type":"array"})", R"({"type":"array","items":{"type":"string"}})",
       "p.items"},
      {R"({"type":"array","items":{"type":"integer","minimum":0}})",
       R"({"type":"array","items":{"type":"integer","minimum":0}})", ""},
      {R"({"properties":{"a":{}}})",
       R"({"type":"object","properties":{"a":{"type":"string"}}})", "p.type"},
      {R"({"type":"number","exclusiveMinimum":0,"multipleOf":2,"z":1})",
       R"({"type":"number"})", "p.exclusiveMinimum,p.multipleOf,p.*"},
      {R"({"allOf":[{"properties":{"a":{"type":"string"}}},)"
       R"({"properties":{"b":{"type":"string"}}}]})",
       R"({"type":"object","properties":{"a":{"type":"string"},)"
       R"("b":{"type":"string"}}})",
       ""},
  }));
  CAPTURE(schema);
  const Written got = OpenApi(schema);
  CHECK(got.text == want);
  CHECK(got.lost == lost);
}

// --- a property: no word that is not on the list gets through

const std::set<std::string> kJsonWords = {"$id",
                                          "$defs",
                                          "$ref",
                                          "$anchor",
                                          "type",
                                          "format",
                                          "title",
                                          "description",
                                          "enum",
                                          "items",
                                          "prefixItems",
                                          "minItems",
                                          "maxItems",
                                          "minimum",
                                          "maximum",
                                          "anyOf",
                                          "oneOf",
                                          "properties",
                                          "additionalProperties",
                                          "required",
                                          "propertyOrdering",
                                          "default"};
const std::set<std::string> kOpenApiWords = {
    "type",          "format",    "title",
    "description",   "nullable",  "enum",
    "items",         "minItems",  "maxItems",
    "properties",    "required",  "minProperties",
    "maxProperties", "minLength", "maxLength",
    "pattern",       "minimum",   "maximum",
    "example",       "anyOf",     "propertyOrdering",
    "default"};

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  std::string Schema(int depth) {
    static const std::vector<std::string> kAny = {
        "type",        "format",   "enum",
        "const",       "items",    "anyOf",
        "oneOf",       "allOf",    "properties",
        "required",    "not",      "if",
        "$ref",        "nullable", "pattern",
        "examples",    "$schema",  "description",
        "minimum",     "default",  "additionalProperties",
        "prefixItems", "contains", "$defs"};
    std::string out = "{";
    const size_t count = Pick(6);
    for (size_t i = 0; i < count; ++i) {
      const std::string word = Pick(4) == 0 ? "zz" + std::to_string(Pick(100))
                                            : kAny[Pick(kAny.size())];
      out += (i > 0 ? "," : "") + JsonQuote(word) + ":" + Value(word, depth);
    }
    return out + "}";
  }

 private:
  size_t Pick(size_t below) { return random_() % below; }

  std::string Value(const std::string& word, int depth) {
    if (depth <= 0 || Pick(5) == 0) {
      static const std::vector<std::string> kOdd = {
          "null", "7",  "\"string\"", "true",
          "[]",   "{}", R"(["a",1])", R"("#/$defs/a")"};
      return kOdd[Pick(kOdd.size())];
    }
    if (word == "type") {
      return Pick(2) == 0 ? R"("object")" : R"(["array","null","STRING"])";
    }
    if (word == "properties" || word == "$defs") {
      return R"({"a":)" + Schema(depth - 1) + R"(,"zz_name":)" +
             Schema(depth - 1) + "}";
    }
    if (word == "anyOf" || word == "oneOf" || word == "allOf" ||
        word == "prefixItems") {
      return "[" + Schema(depth - 1) + "," + Schema(depth - 1) + "]";
    }
    if (word == "enum") return R"(["a",null,3])";
    if (word == "$ref") return R"("#/$defs/a")";
    return Schema(depth - 1);
  }

  std::mt19937 random_;
};

// The first word of `schema` that is not in `words`; empty for none.
std::string Stranger(JsonValue schema, const std::set<std::string>& words) {
  for (JsonValue v = schema.First(); schema.is_object() && v; v = v.Next()) {
    const std::string word = v.Key();
    if (words.count(word) == 0) return word;
    // What these hold is data.
    if (word == "default" || word == "example" || word == "enum") continue;
    std::string found;
    if (word == "properties" || word == "$defs") {
      for (JsonValue p = v.First(); p && found.empty(); p = p.Next()) {
        found = Stranger(p, words);
      }
    } else if (v.is_array()) {
      for (JsonValue p = v.First(); p && found.empty(); p = p.Next()) {
        found = Stranger(p, words);
      }
    } else {
      found = Stranger(v, words);
    }
    if (!found.empty()) return found;
  }
  return {};
}

TEST_CASE("no made-up word of a schema reaches the provider",
          "[adapters][gemini][schema][TRN-5]") {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const std::string schema = Maker(seed).Schema(4);
    CAPTURE(seed, schema);
    for (const bool json : {true, false}) {
      const Written got = json ? Json(schema) : OpenApi(schema);
      if (got.text.empty()) continue;
      const auto doc = JsonDocument::Parse(got.text);
      REQUIRE(doc.ok());
      REQUIRE(Stranger(doc->root(), json ? kJsonWords : kOpenApiWords) == "");
    }
  }
}

TEST_CASE("of an allOf that says a thing twice the first stands",
          "[adapters][gemini][schema][TRN-5]") {
  const auto [schema, want, lost] =
      GENERATE(table<std::string, std::string, std::string>({
          {R"({"properties":{"a":{"type":"string"}},"required":["a"],"allOf":[)"
           R"({"required":["a","b"],"properties":{"b":{},"a":)"
           R"({"type":"string"}}}]})",
           R"({"properties":{"a":{"type":"string"},"b":{}},)"
           R"("required":["a","b"]})",
           ""},
          {R"({"properties":{"a":{"type":"string"}},"allOf":[{"properties":)"
           R"({"a":{"type":"number"}}}]})",
           R"({"properties":{"a":{"type":"string"}}})", "p.allOf"},
          {R"({"$defs":{"a":{}},"definitions":{"b":{},"a":{"type":"null"}}})",
           R"({"$defs":{"a":{},"b":{}}})", "p.allOf"},
      }));
  CAPTURE(schema);
  const Written got = Json(schema);
  CHECK(got.text == want);
  CHECK(got.lost == lost);
}

TEST_CASE("of two schemas under one name the last counts",
          "[adapters][gemini][schema][TRN-5]") {
  CHECK(Json(R"({"$defs":{"a":{},"b":{},"a":{"type":"null"}},)"
             R"("properties":{"x":{},"x":{"type":"string"}}})")
            .text == R"({"$defs":{"a":{"type":"null"},"b":{}},)"
                     R"("properties":{"x":{"type":"string"}}})");
}

TEST_CASE("a type that is named again is one choice",
          "[adapters][gemini][schema][TRN-5]") {
  CHECK(OpenApi(R"({"type":["string","object","string","object"],)"
                R"("properties":{"a":{"type":"null"}}})")
            .text ==
        R"({"anyOf":[{"type":"string"},{"type":"object",)"
        R"("properties":{"a":{"type":"string","nullable":true}}}]})");
}

}  // namespace
}  // namespace llm::gemini
