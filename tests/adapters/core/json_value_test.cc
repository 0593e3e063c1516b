// Reading values: lenient chains, exact spans, numbers and text.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/json.h"

namespace llm {
namespace {

JsonDocument Parsed(std::string_view text) {
  auto document = JsonDocument::Parse(text);
  REQUIRE(document.ok());
  return *std::move(document);
}

TEST_CASE("A missing value answers every question as missing",
          "[adapters][core][json]") {
  const JsonDocument document = Parsed("{\"n\": null, \"s\": \"x\"}");
  const JsonValue value = GENERATE_REF(
      JsonValue(), document.root().Find("gone"),
      document.root().Find("gone").Find("deeper"),
      document.root().Find("s").Find("inside"), document.root().Next());
  CHECK_FALSE(value);
  CHECK_FALSE(value.has_value());
  CHECK(value.type() == JsonType::kNone);
  CHECK(value.raw().empty());
  CHECK(value.offset() == 0);
  CHECK(value.AsBool() == std::nullopt);
  CHECK(value.AsInt64() == std::nullopt);
  CHECK(value.AsDouble() == std::nullopt);
  CHECK(value.AsString() == std::nullopt);
  CHECK(value.StringOr("other") == "other");
  CHECK_FALSE(value.Equals(""));
  CHECK(value.size() == 0);
  CHECK_FALSE(value.First());
  CHECK_FALSE(value.Next());
  CHECK(value.Key().empty());
  CHECK_FALSE(value.KeyEquals(""));
  CHECK(value.RawKey().empty());
}

TEST_CASE("Null is there but has no value", "[adapters][core][json]") {
  const JsonDocument document = Parsed("null");
  CHECK(document.root());
  CHECK(document.root().is_null());
  CHECK_FALSE(document.root().has_value());
}

TEST_CASE("A value of one type answers as missing for the others",
          "[adapters][core][json]") {
  const JsonDocument document = Parsed("[true, 7, \"7\", [], {}]");
  std::vector<JsonValue> v;
  for (JsonValue e = document.root().First(); e; e = e.Next()) v.push_back(e);
  REQUIRE(v.size() == 5);
  CHECK(v[0].AsBool() == true);
  CHECK(v[0].AsInt64() == std::nullopt);
  CHECK(v[1].AsInt64() == 7);
  CHECK(v[1].AsString() == std::nullopt);
  CHECK(v[1].AsBool() == std::nullopt);
  CHECK(v[2].AsString() == "7");
  CHECK(v[2].AsInt64() == std::nullopt);
  CHECK(v[2].AsDouble() == std::nullopt);
  CHECK(v[3].is_array());
  CHECK_FALSE(v[3].Find("a"));
  CHECK(v[4].is_object());
  CHECK_FALSE(v[4].First());
}

TEST_CASE("Members and elements come in source order with their exact text",
          "[adapters][core][json]") {
  const std::string text =
      R"({"z" : 1.50 , "a\n": {"k": [ 1,2 ]},"z":"\u0041", "": -0})";
  const JsonDocument document = Parsed(text);
  const JsonValue root = document.root();
  std::vector<std::string> keys;
  std::vector<std::string> raws;
  for (JsonValue v = root.First(); v; v = v.Next()) {
    keys.push_back(v.Key());
    raws.emplace_back(v.raw());
    CHECK(text.substr(v.offset(), v.raw().size()) == v.raw());
  }
  CHECK(root.size() == 4);
  CHECK(keys == std::vector<std::string>{"z", "a\n", "z", ""});
  CHECK(raws == std::vector<std::string>{"1.50", "{\"k\": [ 1,2 ]}",
                                         "\"\\u0041\"", "-0"});
  CHECK(root.First().RawKey() == "\"z\"");
  CHECK(root.First().Next().RawKey() == "\"a\\n\"");
  CHECK(root.Find("a\n").Find("k").size() == 2);
  CHECK(root.Find("").AsInt64() == 0);
}

TEST_CASE("Find returns the last of several members of a name",
          "[adapters][core][json]") {
  const JsonDocument document =
      Parsed(R"({"a": {"b": 1}, "\u0061": {"b": 2}, "c": {"a": 3}})");
  CHECK(document.root().Find("a").Find("b").AsInt64() == 2);
}

TEST_CASE("Iteration stays inside its container", "[adapters][core][json]") {
  const JsonDocument document = Parsed("[[1,[2]],[],[3],{\"a\":[4,5]},6]");
  std::vector<size_t> sizes;
  for (JsonValue v = document.root().First(); v; v = v.Next()) {
    size_t inner = 0;
    for (JsonValue w = v.First(); w; w = w.Next()) ++inner;
    CHECK(inner == v.size());
    sizes.push_back(inner);
  }
  CHECK(sizes == std::vector<size_t>{2, 0, 1, 1, 0});
}

TEST_CASE("Integers are read from every spelling of an integer",
          "[adapters][core][json]") {
  using Want = std::optional<int64_t>;
  const auto [text, want] = GENERATE(table<std::string, Want>({
      {"0", 0},
      {"-0", 0},
      {"-0.0e7", 0},
      {"0e99999999999999999999", 0},
      {"0.000", 0},
      {"42", 42},
      {"-42", -42},
      {"1.0", 1},
      {"1.50e1", 15},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"1200e-2", 12},
      {"-1000000.000e-6", -1},
      {"9223372036854775807", std::numeric_limits<int64_t>::max()},
      {"9223372036854775807.0", std::numeric_limits<int64_t>::max()},
      {"9223372036854775808", std::nullopt},
      {"-9223372036854775808", std::numeric_limits<int64_t>::min()},
      {"-922337203685477580.8e1", std::numeric_limits<int64_t>::min()},
      {"-9223372036854775809", std::nullopt},
      {"1e18", 1'000'000'000'000'000'000},
      {"1e19", std::nullopt},
      {"1e400", std::nullopt},
      {"1e99999999999999999999", std::nullopt},
      {"1e-99999999999999999999", std::nullopt},
      {"1.5", std::nullopt},
      {"1e-1", std::nullopt},
      {"18446744073709551617", std::nullopt},
      {"99999999999999999999.0", std::nullopt},
  }));
  CAPTURE(text);
  CHECK(Parsed(text).root().AsInt64() == want);
}

TEST_CASE("Doubles are the nearest to the text, and absent beyond range",
          "[adapters][core][json]") {
  using Want = std::optional<double>;
  const auto [text, want] = GENERATE(table<std::string, Want>({
      {"0.7", 0.7},
      {"-1.25e-2", -0.0125},
      {"123", 123.0},
      {"1.7976931348623157e308", std::numeric_limits<double>::max()},
      {"5e-324", std::numeric_limits<double>::denorm_min()},
      {"1e400", std::nullopt},
  }));
  CAPTURE(text);
  CHECK(Parsed(text).root().AsDouble() == want);
}

TEST_CASE("Escapes decode to their text", "[adapters][core][json]") {
  const auto [inner, want] = GENERATE(table<std::string, std::string>({
      {R"(plain)", "plain"},
      {R"(\"\\\/)", "\"\\/"},
      {R"(\b\f\n\r\t)", "\b\f\n\r\t"},
      {R"(a\u0000b)", std::string("a\0b", 3)},
      {R"(\u00e9\u00E9)", "\xC3\xA9\xC3\xA9"},
      {R"(\u4f60x)", "\xE4\xBD\xA0x"},
      {R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"},
      {R"(\uDBFF\uDFFF)", "\xF4\x8F\xBF\xBF"},
      // Halves alone stay as generalised UTF-8.
      {R"(\ud83d)", "\xED\xA0\xBD"},
      {R"(\ude00\ud83d)", "\xED\xB8\x80\xED\xA0\xBD"},
      {R"(\ud83d\ud83d\ude00)", "\xED\xA0\xBD\xF0\x9F\x98\x80"},
      {R"(\ud83dx)", "\xED\xA0\xBDx"},
      {R"(\ud83d\n)", "\xED\xA0\xBD\n"},
      {R"(\\u0041)", "\\u0041"},
  }));
  CAPTURE(inner);
  const std::string text = "\"" + inner + "\"";
  const JsonDocument document = Parsed(text);
  CHECK(document.root().AsString() == want);
  CHECK(document.root().StringOr("other") == want);
  CHECK(document.root().Equals(want));
  CHECK_FALSE(document.root().Equals(want + "x"));
  CHECK(JsonUnescape(inner) == want);

  const std::string object = "{" + text + ":1}";
  const JsonDocument member = Parsed(object);
  CHECK(member.root().First().Key() == want);
  CHECK(member.root().Find(want).AsInt64() == 1);
}

TEST_CASE("An escaped string equals its decoded text and nothing else",
          "[adapters][core][json]") {
  const JsonDocument document = Parsed(R"(["a\u0062", "ab", "a\\u0062"])");
  const JsonValue first = document.root().First();
  CHECK(first.Equals("ab"));
  CHECK_FALSE(first.Equals("a\\u0062"));
  CHECK_FALSE(first.Equals("a"));
  CHECK(first.Next().Equals("ab"));
  CHECK(first.Next().Next().Equals("a\\u0062"));
}

TEST_CASE("Every name of an object is found, and no other",
          "[adapters][core][json]") {
  // Names of all lengths and ends, bytes beyond ASCII and the empty one.
  std::vector<std::string> names = {"", "\xC3\xA9", "x\xE4\xBD\xA0"};
  for (int i = 0; i < 200; ++i) {
    names.push_back(std::string(static_cast<size_t>(i % 40), 'a') +
                    std::to_string(i));
  }
  for (size_t count : {size_t{1}, size_t{5}, names.size()}) {
    std::string text = "{";
    for (size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "\"" : ",\"") + names[i] + "\":" + std::to_string(i);
    }
    text += "}";
    const auto document = JsonDocument::Parse(text);
    REQUIRE(document.ok());
    for (size_t i = 0; i < names.size(); ++i) {
      const JsonValue found = document->root().Find(names[i]);
      REQUIRE(bool(found) == (i < count));
      if (i < count) REQUIRE(found.AsInt64() == static_cast<int64_t>(i));
    }
  }
  const std::string spelled = R"({"\u0061b":1,"c":2})";
  const auto escaped = JsonDocument::Parse(spelled);
  REQUIRE(escaped.ok());
  CHECK(escaped->root().Find("ab").AsInt64() == 1);
  CHECK(escaped->root().Find("c").AsInt64() == 2);
  CHECK_FALSE(bool(escaped->root().Find("d")));
}

}  // namespace
}  // namespace llm
