// What is written reads back as what was meant.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "adapters/core/json.h"

namespace llm {
namespace {

TEST_CASE("A writer puts commas where they belong", "[adapters][core][json]") {
  std::string out = "prefix ";
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Member("text", "a\"b");
  writer.MemberInt("n", -7);
  writer.MemberRaw("raw", "[1.50]");
  writer.Key("list");
  writer.BeginArray();
  writer.BeginObject();
  writer.EndObject();
  writer.BeginArray();
  writer.EndArray();
  writer.Bool(true);
  writer.Bool(false);
  writer.Null();
  writer.Double(0.7);
  writer.Int(std::numeric_limits<int64_t>::min());
  writer.String("");
  writer.EndArray();
  writer.Key("last");
  writer.BeginObject();
  writer.Member("k", "v");
  writer.EndObject();
  writer.EndObject();
  CHECK(out ==
        "prefix {\"text\":\"a\\\"b\",\"n\":-7,\"raw\":[1.50],\"list\":"
        "[{},[],true,false,null,0.7,-9223372036854775808,\"\"],"
        "\"last\":{\"k\":\"v\"}}");
}

TEST_CASE("Members of an object are spliced as they are",
          "[adapters][core][json]") {
  const auto [object, want] = GENERATE(table<std::string, std::string>({
      {"{}", R"({"a":1,"z":2})"},
      {" { } ", R"({"a":1,"z":2})"},
      {"", R"({"a":1,"z":2})"},
      {R"( {"b": 1.50, "b" :[{}]} )", R"({"a":1,"b": 1.50, "b" :[{}],"z":2})"},
  }));
  CAPTURE(object);
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.MemberInt("a", 1);
  writer.RawMembers(object);
  writer.MemberInt("z", 2);
  writer.EndObject();
  CHECK(out == want);
}

TEST_CASE("Spliced members may come first", "[adapters][core][json]") {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.RawMembers("{\"b\":1}");
  writer.MemberInt("z", 2);
  writer.EndObject();
  CHECK(out == R"({"b":1,"z":2})");
}

TEST_CASE("Text is escaped only where JSON asks for it",
          "[adapters][core][json]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
      {"", R"("")"},
      {"a/b", R"("a/b")"},
      {"\"\\", R"("\"\\")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {std::string("\0\x1F\x7F", 3), "\"\\u0000\\u001f\x7F\""},
      {"\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80",
       "\"\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80\""},
      // Surrogates: halves alone as escapes, halves that meet as a character.
      {"\xED\xA0\xBD", R"("\ud83d")"},
      {"\xED\xB8\x80x", R"("\ude00x")"},
      {"\xED\xA0\xBD\xED\xB8\x80", "\"\xF0\x9F\x98\x80\""},
      {"\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80", "\"\\ud83d\xF0\x9F\x98\x80\""},
      {"\xED\xB8\x80\xED\xA0\xBD", R"("\ude00\ud83d")"},
      // Malformed bytes: one replacement for each broken sequence.
      {"a\x80z", "\"a\xEF\xBF\xBDz\""},
      {"\xF0\x9F\x98", "\"\xEF\xBF\xBD\""},
      {"\xE4\xBD\xE4\xBD\xA0", "\"\xEF\xBF\xBD\xE4\xBD\xA0\""},
      {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
  }));
  CAPTURE(text);
  CHECK(JsonQuote(text) == want);
  std::string out;
  JsonWriter(&out).String(text);
  CHECK(out == want);
}

TEST_CASE("A double is written as the shortest text that reads back",
          "[adapters][core][json]") {
  const auto [value, want] = GENERATE(table<double, std::string>({
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {0.7, "0.7"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e22, "1e+22"},
      {-1.5e-7, "-1.5e-07"},
      {std::numeric_limits<double>::quiet_NaN(), "null"},
      {std::numeric_limits<double>::infinity(), "null"},
      {-std::numeric_limits<double>::infinity(), "null"},
  }));
  CAPTURE(value);
  std::string out;
  JsonWriter(&out).Double(value);
  CHECK(out == want);
  const auto document = JsonDocument::Parse(out);
  REQUIRE(document.ok());
  if (std::isfinite(value)) CHECK(document->root().AsDouble() == value);
}

TEST_CASE("Every character survives quoting and reading",
          "[adapters][core][json]") {
  // All of Unicode with its lone surrogates, in strings of 256.
  for (char32_t block = 0; block < 0x110000; block += 256) {
    std::string escapes;
    for (char32_t c = block; c < block + 256 && c < 0x10000; ++c) {
      static constexpr char kHex[] = "0123456789ABCDEF";
      escapes += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) {
        escapes += kHex[(c >> shift) & 0xF];
      }
      escapes += ' ';
    }
    const std::string text = JsonUnescape(escapes);
    const std::string quoted = JsonQuote(text);
    const auto document = JsonDocument::Parse(quoted);
    REQUIRE(document.ok());
    REQUIRE(document->root().AsString() == text);
  }
}

}  // namespace
}  // namespace llm
