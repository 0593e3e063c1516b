// Text of a JSON string from its escaped form.
#include <cstring>

#include "adapters/core/json_writer.h"
#include "adapters/core/utf8.h"

namespace llm {
namespace {

char32_t HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<char32_t>(c - '0');
  return static_cast<char32_t>((c | 0x20) - 'a' + 10);
}

// The four digits of a \u escape.
char32_t HexUnit(const char* at) {
  char32_t unit = 0;
  for (int i = 0; i < 4; ++i) unit = unit << 4 | HexDigit(at[i]);
  return unit;
}

// Reads the \uXXXX at `at` (which points at the backslash), joined with a low
// half after it, and returns the place past it.
const char* AppendUnicodeEscape(const char* at, const char* end,
                                std::string* out) {
  char32_t unit = HexUnit(at + 2);
  at += 6;
  if (IsHighSurrogate(unit) && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
    const char32_t low = HexUnit(at + 2);
    if (IsLowSurrogate(low)) {
      unit = JoinSurrogates(unit, low);
      at += 6;
    }
  }
  AppendUtf8(unit, out);
  return at;
}

char SimpleEscape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // quote, backslash, slash
  }
}

}  // namespace

std::string JsonUnescape(std::string_view inner) {
  std::string out;
  out.reserve(inner.size());
  const char* at = inner.data();
  const char* const end = at + inner.size();
  while (at != end) {
    const void* hit = std::memchr(at, '\\', static_cast<size_t>(end - at));
    const char* const backslash =
        hit == nullptr ? end : static_cast<const char*>(hit);
    out.append(at, backslash);
    at = backslash;
    if (at == end) break;
    // Well-formed text has an escape here; the checks only bound the reads.
    const bool unicode = end - at >= 6 && at[1] == 'u';
    if (unicode) {
      at = AppendUnicodeEscape(at, end, &out);
    } else if (end - at >= 2) {
      out.push_back(SimpleEscape(at[1]));
      at += 2;
    } else {
      break;
    }
  }
  return out;
}

}  // namespace llm
