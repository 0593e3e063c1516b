// Which texts are JSON, and where the fault is when one is not.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "adapters/core/json.h"

namespace llm {
namespace {

absl::Status ParseStatus(std::string_view text) {
  return JsonDocument::Parse(text).status();
}

TEST_CASE("JSON of RFC 8259 is accepted and keeps its exact text",
          "[adapters][core][json]") {
  const std::string text = GENERATE(values<std::string>({
      "null",
      "true",
      "false",
      "0",
      "-0",
      "-0.0",
      "12",
      "0.7",
      "1e5",
      "1E+05",
      "1.250e-07",
      "123456789012345678901234567890",
      "\"\"",
      "\"plain\"",
      "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
      "\"\\u0000\\uD83D\\uDE00\\uD83D\"",
      "\"\x7F\"",
      "\"\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80\"",
      "[]",
      "[ ]",
      "{}",
      "{ \t\r\n }",
      "[1,2 , 3]",
      "[[],[[]],{}]",
      "{\"a\":1,\"a\":2}",
      "{ \"\" : [ { \"b\" : null } ] }",
  }));
  CAPTURE(text);
  const std::string padded = " \t\r\n" + text + "\n ";
  const auto document = JsonDocument::Parse(padded);
  REQUIRE(document.ok());
  CHECK(document->root().raw() == text);
  CHECK(document->root().offset() == 4);
}

TEST_CASE("Text that is not JSON is refused with the byte offset of the fault",
          "[adapters][core][json]") {
  const auto [text, offset] = GENERATE(table<std::string, int>({
      {"", 0},
      {"   ", 3},
      {"nul", 3},
      {"nulL", 3},
      {"True", 0},
      {"NaN", 0},
      {"Infinity", 0},
      {"-", 1},
      {"-a", 1},
      {"+1", 0},
      {".5", 0},
      {"01", 1},
      {"-012", 2},
      {"1.", 2},
      {"1.e3", 2},
      {"1e", 2},
      {"1e+", 3},
      {"0x10", 1},
      {"1 2", 2},
      {"'a'", 0},
      {"\"", 1},
      {"\"a", 2},
      {"\"\\", 2},
      {"\"\\x\"", 2},
      {"\"\\u12\"", 5},
      {"\"\\u12G4\"", 5},
      {"\"a\nb\"", 2},
      {"\"a\x1F\"", 2},
      {"[", 1},
      {"[1", 2},
      {"[1,", 3},
      {"[1,]", 3},
      {"[,1]", 1},
      {"[1 2]", 3},
      {"[1}", 2},
      {"]", 0},
      {"{", 1},
      {"{\"a\"", 4},
      {"{\"a\":", 5},
      {"{\"a\":}", 5},
      {"{\"a\" 1}", 5},
      {"{\"a\":1,}", 7},
      {"{a:1}", 1},
      {"{1:1}", 1},
      {"{\"a\":1 \"b\":2}", 7},
      {"{\"a\":1]", 6},
      {"{} {}", 3},
      {"/* c */ 1", 0},
      {"[1] // c", 4},
      {"\xEF\xBB\xBF{}", 0},
      {"\xC2\xA0 1", 0},
  }));
  CAPTURE(text);
  const absl::Status status = ParseStatus(text);
  REQUIRE(status.code() == absl::StatusCode::kInvalidArgument);
  const std::string place =
      "malformed JSON at byte " + std::to_string(offset) + ":";
  CHECK(std::string(status.message()).rfind(place, 0) == 0);
}

TEST_CASE("A NUL byte is no white space and no string content",
          "[adapters][core][json]") {
  CHECK_FALSE(ParseStatus(std::string_view("1\0", 2)).ok());
  CHECK_FALSE(ParseStatus(std::string_view("\"\0\"", 3)).ok());
  CHECK_FALSE(ParseStatus(std::string_view("\"\\\0\"", 4)).ok());
}

TEST_CASE("Bytes that are not UTF-8 are refused anywhere in a string",
          "[adapters][core][json][utf8]") {
  const std::string bytes = GENERATE(values<std::string>({
      "\x80",              // a lone tail
      "\xBF",              //
      "\xC0\xAF",          // overlong
      "\xC1\xBF",          //
      "\xC3",              // cut
      "\xC3(",             //
      "\xE0\x80\x80",      // overlong
      "\xE4\xBD",          // cut
      "\xED\xA0\x80",      // a raw surrogate
      "\xED\xBF\xBF",      //
      "\xF0\x80\x80\x80",  // overlong
      "\xF0\x9F\x98",      // cut
      "\xF4\x90\x80\x80",  // past U+10FFFF
      "\xF5\x80\x80\x80",  //
      "\xFE",              //
      "\xFF",              //
  }));
  const std::string before =
      GENERATE(values<std::string>({"", "a", "abcdefgh", "\xE4\xBD\xA0"}));
  const std::string text = "[\"" + before + bytes + "\"]";
  CHECK_FALSE(ParseStatus(text).ok());
  CHECK_FALSE(ParseStatus("{\"" + before + bytes + "\":1}").ok());
  CHECK_FALSE(ParseStatus(bytes).ok());
}

TEST_CASE("The reason of a fault never repeats the content",
          "[adapters][core][json]") {
  const absl::Status status = ParseStatus("{\"secret\": sk-secret}");
  REQUIRE_FALSE(status.ok());
  CHECK(status.message().find("secret") == std::string_view::npos);
}

TEST_CASE("Nesting is accepted up to the limit and refused past it",
          "[adapters][core][json]") {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  CHECK(ParseStatus(nested(256)).ok());
  CHECK_FALSE(ParseStatus(nested(257)).ok());
  CHECK(JsonDocument::Parse("1", {.max_depth = 0}).ok());
  CHECK_FALSE(JsonDocument::Parse("[]", {.max_depth = 0}).ok());
  CHECK(JsonDocument::Parse("[[],{}]", {.max_depth = 2}).ok());
  CHECK_FALSE(JsonDocument::Parse("[[],{\"a\":[]}]", {.max_depth = 2}).ok());
}

TEST_CASE("Depth beyond any stack is only a matter of the limit",
          "[adapters][core][json]") {
  constexpr int kDepth = 1'000'000;
  std::string text;
  for (int i = 0; i < kDepth; ++i) text += i % 2 == 0 ? "{\"k\":" : "[";
  const auto cut = JsonDocument::Parse(text, {.max_depth = kDepth});
  CHECK_FALSE(cut.ok());
  for (int i = kDepth - 1; i >= 0; --i) text += i % 2 == 0 ? "}" : "]";
  const auto whole = JsonDocument::Parse(text, {.max_depth = kDepth});
  REQUIRE(whole.ok());
  int depth = 0;
  for (JsonValue v = whole->root(); v; v = v.First()) ++depth;
  CHECK(depth == kDepth);
}

TEST_CASE("Values are counted, and one too many is refused as such",
          "[adapters][core][json][PRF-5]") {
  JsonDocument::Options options;
  options.max_values = 4;
  for (const std::string_view text :
       {R"([1,2,3])", R"({"a":[1],"b":2})", R"([[[]],[]])"}) {
    CAPTURE(text);
    CHECK(JsonDocument::Parse(text, options).ok());
  }
  for (const std::string_view text :
       {R"([1,2,3,4])", R"({"a":[1],"b":2,"c":3})", R"([[[]],[],[]])"}) {
    CAPTURE(text);
    CHECK(
        absl::IsResourceExhausted(JsonDocument::Parse(text, options).status()));
  }
}

TEST_CASE("A document is parsed again in place", "[adapters][core][json]") {
  JsonDocument document;
  CHECK_FALSE(document.root());
  REQUIRE(document.Reparse("{\"a\":[1,2]}", {}).ok());
  CHECK(document.root().Find("a").size() == 2);
  REQUIRE(document.Reparse("\"b\"", {}).ok());
  CHECK(document.root().Equals("b"));

  SECTION("and holds nothing after a fault") {
    REQUIRE_FALSE(document.Reparse("[1,", {}).ok());
    CHECK_FALSE(document.root());
    CHECK(document.root().type() == JsonType::kNone);
  }
}

TEST_CASE("A text cut at any byte is an error, never a crash",
          "[adapters][core][json]") {
  const std::string text =
      "{\"a\": [1, -2.5e+3, true, false, null, \"x\\n\\u00e9\\ud83d\\ude00\","
      " \"\xE4\xBD\xA0\xF0\x9F\x98\x80\"], \"b\": {\"c\": {}, \"d\": [[]]}}";
  REQUIRE(ParseStatus(text).ok());
  for (size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    // A copy of exactly this size, so that a read past it is seen by ASan.
    const std::string cut = text.substr(0, length);
    CHECK_FALSE(ParseStatus(cut).ok());
  }
}

}  // namespace
}  // namespace llm
