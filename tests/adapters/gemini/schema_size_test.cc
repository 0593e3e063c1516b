// Schemas of a size, or with a growth, that a naive writer pays for.
#include "tests/adapters/gemini/written_schema.h"

namespace llm::gemini {
namespace {

// A schema whose `allOf` has this many parts, a property and its name in each.
std::string ManyParts(int parts) {
  std::string all;
  for (int i = 0; i < parts; ++i) {
    const std::string name = "\"p" + std::to_string(i) + "\"";
    all += (i == 0 ? "" : ",") + (R"({"properties":{)" + name) +
           R"(:{"type":"string"}},"required":[)" + name + "]}";
  }
  return R"({"type":"object","allOf":[)" + all + "]}";
}

TEST_CASE("the parts of an allOf are joined once, however many they are",
          "[adapters][gemini][schema][TRN-5]") {
  // Two by two this is quadratic.
  constexpr int kParts = 60'000;
  const Written got = Json(ManyParts(kParts));
  CHECK(got.lost == "");
  CHECK(got.text.starts_with(
      R"({"type":"object","properties":{"p0":{"type":"string"},"p1":)"));
  CHECK(got.text.ends_with(R"("p59998","p59999"]})"));
  const auto doc = JsonDocument::Parse(got.text);
  REQUIRE(doc.ok());
  CHECK(doc->root().Find("properties").size() == kParts);
  CHECK(doc->root().Find("required").size() == kParts);
}

TEST_CASE("a schema of many properties is written in their number's time",
          "[adapters][gemini][schema][TRN-5]") {
  std::string properties;
  std::string required = "\"zz\"";
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = "\"p" + std::to_string(i) + "\"";
    properties += (i == 0 ? "" : ",") + name + R"(:{"type":"string"})";
    required += "," + name + "," + name;
  }
  const Written got =
      OpenApi(R"({"type":"object","properties":{)" + properties +
              R"(},"required":[)" + required + "]}");
  const auto doc = JsonDocument::Parse(got.text);
  REQUIRE(doc.ok());
  CHECK(doc->root().Find("properties").size() == 100'000);
  CHECK(doc->root().Find("required").size() == 100'000);
  CHECK(got.lost == "p.required,p.$ref,p.type");
}

TEST_CASE("definitions are written once, however often they are given",
          "[adapters][gemini][schema][TRN-5]") {
  // To join them as they come is quadratic.
  constexpr int kTimes = 60'000;
  std::string many;
  std::string again;
  std::string distinct;
  for (int i = 0; i < kTimes; ++i) {
    const std::string comma = i == 0 ? "" : ",";
    const std::string name = "\"d" + std::to_string(i) + "\"";
    many += comma + name + R"(:{"type":"string"})";
    again += R"(,"$defs":{})";
    distinct += comma + R"("$defs":{)" + name + R"(:{"type":"string"}})";
  }
  CHECK(Json(R"({"$defs":{)" + many + "}" + again + "}").text ==
        R"({"$defs":{}})");
  CHECK(Json("{" + distinct + "}").text ==
        R"({"$defs":{"d59999":{"type":"string"}}})");
  const Written both = Json(R"({"definitions":{"z":{}})" + again +
                            R"(,"$defs":{)" + many + "}}");
  CHECK(both.text.starts_with(R"({"$defs":{"z":{},"d0":{"type":"string"},)"));
  CHECK(both.lost == "");
}

TEST_CASE("references are found in their number's time",
          "[adapters][gemini][schema][TRN-5]") {
  // To walk the definitions for each is quadratic.
  constexpr int kTimes = 100'000;
  std::string defs;
  std::string same;
  std::string each;
  for (int i = 0; i < kTimes; ++i) {
    const std::string name = "d" + std::to_string(i);
    defs += (i == 0 ? "\"" : ",\"") + name + R"(":{"type":"string"})";
    same += R"(,"$ref":"#/$defs/d99999")";
    each += R"(,"$ref":"#/$defs/)" + name + "\"";
  }
  for (const std::string& refs : {same, each}) {
    const Written got = OpenApi(R"({"$defs":{)" + defs + "}" + refs + "}");
    CHECK(got.text == R"({"type":"string"})");
    CHECK(got.lost == "p.$ref");
  }
}

TEST_CASE("what references put in place is bounded, however large it is",
          "[adapters][gemini][schema][TRN-5]") {
  std::string large;
  for (int i = 0; i < 100'000; ++i) {
    large += R"("x)" + std::to_string(i) + R"(":{},)";
  }
  std::string properties;
  for (int i = 0; i < 4000; ++i) {
    properties += (i == 0 ? "\"p" : ",\"p") + std::to_string(i) +
                  R"(":{"$ref":"#/$defs/L"})";
  }
  const Written got =
      OpenApi(R"({"$defs":{"L":{)" + large +
              R"("type":"integer"}},"properties":{)" + properties + "}}");
  CHECK(got.text.starts_with(
      R"({"type":"object","properties":{"p0":{"type":"integer"},)"));
  CHECK(got.text.ends_with(R"("p3999":{"type":"object"}}})"));
  CHECK(got.lost == "p.*,p.$ref");
}

TEST_CASE("a reference that doubles at each step stays small",
          "[adapters][gemini][schema]") {
  std::string schema = R"({"$defs":{"d0":{"type":"string"})";
  for (int i = 1; i < 40; ++i) {
    const std::string before = std::to_string(i - 1);
    schema += R"(,"d)" + std::to_string(i) +
              R"(":{"properties":{"a":{"$ref":"#/$defs/d)" + before +
              R"("},"b":{"$ref":"#/$defs/d)" + before + R"("}}})";
  }
  const Written got = OpenApi(schema + R"(},"$ref":"#/$defs/d39"})");
  CHECK(got.text.size() < 1'000'000);
  CHECK(got.lost.starts_with("p.$ref"));
}

}  // namespace
}  // namespace llm::gemini
