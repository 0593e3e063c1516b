#include "adapters/core/utf8.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "adapters/core/json.h"

namespace llm {
namespace {

TEST_CASE("Every code point reads back as it was appended",
          "[adapters][core][utf8]") {
  for (char32_t c = 0; c < 0x110000; ++c) {
    std::string text;
    AppendUtf8(c, &text);
    const Utf8Sequence sequence =
        ReadUtf8(text.data(), text.data() + text.size());
    const bool surrogate = IsHighSurrogate(c) || IsLowSurrogate(c);
    REQUIRE(sequence.code_point == c);
    REQUIRE(static_cast<size_t>(sequence.length) == text.size());
    REQUIRE((sequence.kind == Utf8Kind::kSurrogate) == surrogate);
    REQUIRE(IsValidUtf8(text) != surrogate);
    // Cut short it is malformed.
    for (size_t cut = 1; cut < text.size(); ++cut) {
      REQUIRE(ReadUtf8(text.data(), text.data() + cut).kind ==
              Utf8Kind::kMalformed);
    }
  }
}

TEST_CASE("What UTF-8 cannot hold is replaced, the rest is kept",
          "[adapters][core][utf8]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
      {"a\x80z", "a\xEF\xBF\xBDz"},
      {"\xED\xA0\xBD", "\xEF\xBF\xBD"},
      {"\xED\xA0\xBDx", "\xEF\xBF\xBDx"},
      {"\xED\xB8\x80", "\xEF\xBF\xBD"},
      {"\xED\xA0\xBD\xED\xB8\x80", "\xF0\x9F\x98\x80"},
      {"\"\\\xC3\xA9\xFF\xC3\xA9", "\"\\\xC3\xA9\xEF\xBF\xBD\xC3\xA9"},
      {"\xE4\xBD", "\xEF\xBF\xBD"},
  }));
  CAPTURE(text);
  std::string clean = text;
  CHECK(ReplaceInvalidUtf8(&clean));
  CHECK(clean == want);
  CHECK(IsValidUtf8(clean));
  CHECK_FALSE(ReplaceInvalidUtf8(&clean));
  CHECK(clean == want);
}

TEST_CASE("Clean text is left alone", "[adapters][core][utf8]") {
  std::string text = "a\"b\\c\n\x01\xE4\xBD\xA0\xF0\x9F\x98\x80";
  const std::string before = text;
  CHECK_FALSE(ReplaceInvalidUtf8(&text));
  CHECK(text == before);
  CHECK(IsValidUtf8(""));
}

TEST_CASE("The plain scan stops at the first special byte, wherever it stands",
          "[adapters][core][utf8]") {
  for (int value = 0; value < 256; ++value) {
    const auto byte = static_cast<char>(value);
    const bool plain =
        value >= 0x20 && value < 0x80 && byte != '"' && byte != '\\';
    for (size_t size = 1; size <= 40; ++size) {
      for (size_t at = 0; at < size; ++at) {
        std::string text(size, 'x');
        text[at] = byte;
        const char* const stop =
            SkipPlainAscii(text.data(), text.data() + text.size());
        REQUIRE(stop - text.data() == static_cast<long>(plain ? size : at));
      }
    }
  }
}

}  // namespace
}  // namespace llm
