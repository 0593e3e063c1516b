// UTF-8 one sequence at a time, and the scan that JSON strings need.
//
// Generalised UTF-8 (WTF-8) is UTF-8 that may also hold surrogates: what a
// lone \uD83D escape decodes to.
//
// Threads: Pure functions.
#ifndef LLM_ADAPTERS_CORE_UTF8_H_
#define LLM_ADAPTERS_CORE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llm {

enum class Utf8Kind : uint8_t {
  kValid,
  kSurrogate,  // three bytes that spell U+D800 … U+DFFF
  kMalformed,
};

struct Utf8Sequence {
  Utf8Kind kind = Utf8Kind::kMalformed;
  // Bytes of the sequence, at least 1; for malformed bytes the longest part
  // that could have begun a sequence (Unicode 15, section 3.9), so that each
  // part becomes one U+FFFD.
  int length = 1;
  char32_t code_point = 0;  // unset for malformed bytes
};

// The sequence that begins at `at`. Requires at < end.
Utf8Sequence ReadUtf8(const char* at, const char* end);

// Appends `code_point` (below 0x110000; surrogates as WTF-8).
void AppendUtf8(char32_t code_point, std::string* out);

inline bool IsHighSurrogate(char32_t c) { return c >= 0xD800 && c < 0xDC00; }
inline bool IsLowSurrogate(char32_t c) { return c >= 0xDC00 && c < 0xE000; }
inline char32_t JoinSurrogates(char32_t high, char32_t low) {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

// True for the first byte of a character of U+3000..U+DFFF, of full-width
// forms, and of the planes beyond the first, where the rarer ideographs are.
bool BeginsCjk(char c);

struct CharacterCount {
  int64_t all = 0;
  int64_t cjk = 0;  // those that BeginsCjk says
};
// Of the characters that begin in `utf8`, which may be cut anywhere.
CharacterCount CountCharacters(std::string_view utf8);

// The first byte at or after `at` that a JSON string treats specially: a
// control character, quote, backslash or non-ASCII byte; or `end`.
const char* SkipPlainAscii(const char* at, const char* end);

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_UTF8_H_
