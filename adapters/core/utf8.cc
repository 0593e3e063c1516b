#include "adapters/core/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstring>
#include <string_view>

#include "adapters/core/json_writer.h"

namespace llm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct LeadByte {
  int length = 0;  // 0: cannot begin a sequence
  // Allowed range of the second byte: excludes overlong forms and values
  // past U+10FFFF (RFC 3629 section 4). Surrogates are told apart later.
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
};

LeadByte ClassifyLead(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

bool IsPlainAscii(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

}  // namespace

Utf8Sequence ReadUtf8(const char* at, const char* end) {
  const auto lead = static_cast<unsigned char>(*at);
  const LeadByte form = ClassifyLead(lead);
  if (form.length == 0) return {};
  if (form.length == 1) return {Utf8Kind::kValid, 1, lead};
  char32_t code_point = lead & (0x7FU >> form.length);
  for (int i = 1; i < form.length; ++i) {
    if (at + i == end) return {Utf8Kind::kMalformed, i, 0};
    const auto byte = static_cast<unsigned char>(at[i]);
    const unsigned char low = i == 1 ? form.second_min : 0x80;
    const unsigned char high = i == 1 ? form.second_max : 0xBF;
    if (byte < low || byte > high) return {Utf8Kind::kMalformed, i, 0};
    code_point = (code_point << 6) | (byte & 0x3FU);
  }
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  return {surrogate ? Utf8Kind::kSurrogate : Utf8Kind::kValid, form.length,
          code_point};
}

void AppendUtf8(char32_t code_point, std::string* out) {
  const auto tail = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | ((code_point >> shift) & 0x3F)));
  };
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code_point >> 6)));
    tail(0);
  } else if (code_point < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code_point >> 12)));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xF0 | (code_point >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

const char* SkipPlainAscii(const char* at, const char* end) {
  const char* const begin = at;
#ifdef __SSE2__
  // Sixteen bytes in eight instructions; every text of every request comes by
  // here several times (3 % of a request's instructions against 1).
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i quote16 = _mm_set1_epi8('"');
  const __m128i backslash16 = _mm_set1_epi8('\\');
  for (; end - at >= 16; at += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed: what has the high bit is below a space, too.
    const __m128i found = _mm_or_si128(
        _mm_cmplt_epi8(x, space), _mm_or_si128(_mm_cmpeq_epi8(x, quote16),
                                               _mm_cmpeq_epi8(x, backslash16)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  // Eight bytes at once. `x - kOnes * n` sets the high bit of each byte below
  // n; borrows can only reach bytes after a real hit, so "any" is exact.
  const auto plain = [](const char* word) {
    uint64_t x;
    std::memcpy(&x, word, sizeof x);
    const uint64_t quote = x ^ (kOnes * '"');
    const uint64_t backslash = x ^ (kOnes * '\\');
    const uint64_t special =
        (x - kOnes * 0x20) | (quote - kOnes) | (backslash - kOnes) | x;
    // The three differences need "and the high bit was clear", which `| x`
    // makes moot: a set high bit is special by itself.
    return (special & kHighs) == 0;
  };
  while (end - at >= 8 && plain(at)) at += 8;
  // The last bytes together with some that were looked at.
  if (at != begin && end - at < 8 && plain(end - 8)) return end;
  while (at != end && IsPlainAscii(static_cast<unsigned char>(*at))) ++at;
  return at;
}

bool IsValidUtf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    at = SkipPlainAscii(at, end);
    if (at == end) break;
    const Utf8Sequence sequence = ReadUtf8(at, end);
    if (sequence.kind != Utf8Kind::kValid) return false;
    at += sequence.length;
  }
  return true;
}

bool ReplaceInvalidUtf8(std::string* text) {
  if (IsValidUtf8(*text)) return false;
  std::string clean;
  clean.reserve(text->size() + 8);
  const char* at = text->data();
  const char* const end = at + text->size();
  while (at != end) {
    const Utf8Sequence sequence = ReadUtf8(at, end);
    const char* const next = at + sequence.length;
    if (sequence.kind == Utf8Kind::kValid) {
      clean.append(at, next);
      at = next;
      continue;
    }
    at = next;
    // Two halves that met by concatenation are a character after all.
    if (sequence.kind == Utf8Kind::kSurrogate &&
        IsHighSurrogate(sequence.code_point) && next != end) {
      const Utf8Sequence low = ReadUtf8(next, end);
      if (low.kind == Utf8Kind::kSurrogate && IsLowSurrogate(low.code_point)) {
        AppendUtf8(JoinSurrogates(sequence.code_point, low.code_point), &clean);
        at = next + low.length;
        continue;
      }
    }
    clean.append(kReplacement);
  }
  *text = std::move(clean);
  return true;
}

namespace {

// 1 for the first byte of a character.
uint8_t Begins(char c) {
  return (static_cast<uint8_t>(c) & 0xC0) != 0x80 ? 1 : 0;
}

// 1 or 0, without a branch.
uint8_t Cjk(char c) {
  const auto byte = static_cast<uint8_t>(c);
  const auto from_e3 = static_cast<uint8_t>(byte - 0xE3);
  return static_cast<uint8_t>(static_cast<uint8_t>(from_e3 <= 0xED - 0xE3) |
                              static_cast<uint8_t>(byte >= 0xEF));
}

}  // namespace

bool BeginsCjk(char c) { return Cjk(c) != 0; }

CharacterCount CountCharacters(std::string_view utf8) {
  CharacterCount count;
  // Twenty megabytes may come by on an event loop. A loop of known length
  // without branches becomes vector code: 0.25 ns a byte where one with both
  // takes 1 to 2 (GCC 12, 2026-11-27).
  constexpr size_t kBlock = 64;
  while (utf8.size() >= kBlock) {
    uint8_t all = 0;
    uint8_t cjk = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      all = static_cast<uint8_t>(all + Begins(utf8[i]));
      cjk = static_cast<uint8_t>(cjk + Cjk(utf8[i]));
    }
    count.all += all;
    count.cjk += cjk;
    utf8.remove_prefix(kBlock);
  }
  for (const char c : utf8) {
    count.all += Begins(c);
    count.cjk += Cjk(c);
  }
  return count;
}

}  // namespace llm
