#include "adapters/core/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "adapters/core/utf8.h"

namespace llm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void AppendUnicodeEscape(char32_t unit, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  const std::array<char, 6> escape = {'\\',
                                      'u',
                                      kHex[(unit >> 12) & 0xF],
                                      kHex[(unit >> 8) & 0xF],
                                      kHex[(unit >> 4) & 0xF],
                                      kHex[unit & 0xF]};
  out->append(escape.data(), escape.size());
}

void AppendAsciiEscape(char c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
      return;
    default:
      AppendUnicodeEscape(static_cast<unsigned char>(c), out);
  }
}

// Appends the surrogate `half` that ends at `next`, joined with the low half
// that may follow, and returns the place past it.
const char* AppendSurrogate(char32_t half, const char* next, const char* end,
                            std::string* out) {
  if (IsHighSurrogate(half) && next != end) {
    const Utf8Sequence low = ReadUtf8(next, end);
    if (low.kind == Utf8Kind::kSurrogate && IsLowSurrogate(low.code_point)) {
      AppendUtf8(JoinSurrogates(half, low.code_point), out);
      return next + low.length;
    }
  }
  AppendUnicodeEscape(half, out);
  return next;
}

const char* AppendNonAscii(const char* at, const char* end, std::string* out) {
  const Utf8Sequence sequence = ReadUtf8(at, end);
  const char* const next = at + sequence.length;
  switch (sequence.kind) {
    case Utf8Kind::kValid:
      out->append(at, static_cast<size_t>(sequence.length));
      return next;
    case Utf8Kind::kSurrogate:
      return AppendSurrogate(sequence.code_point, next, end, out);
    case Utf8Kind::kMalformed:
      break;
  }
  out->append(kReplacement);
  return next;
}

void AppendQuoted(std::string_view text, std::string* out) {
  // Long texts are rarely escaped, and what follows one is short: else the end
  // of the text would make it be copied once more.
  constexpr size_t kLong = 1024;
  if (text.size() >= kLong) out->reserve(out->size() + text.size() + kLong);
  out->push_back('"');
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const special = SkipPlainAscii(at, end);
    out->append(at, static_cast<size_t>(special - at));
    at = special;
    if (at == end) break;
    if (static_cast<unsigned char>(*at) < 0x80) {
      AppendAsciiEscape(*at++, out);
    } else {
      at = AppendNonAscii(at, end, out);
    }
  }
  out->push_back('"');
}

template <typename T>
void AppendNumber(T value, std::string* out) {
  std::array<char, 32> digits;  // the longest double takes 24
  const auto written =
      std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out->append(digits.data(), static_cast<size_t>(written.ptr - digits.data()));
}

std::string_view StripSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

void JsonWriter::Separate() {
  if (need_comma_) out_.push_back(',');
  need_comma_ = true;
}

void JsonWriter::BeginObject() {
  Separate();
  out_.push_back('{');
  need_comma_ = false;
}

void JsonWriter::EndObject() {
  out_.push_back('}');
  need_comma_ = true;
}

void JsonWriter::BeginArray() {
  Separate();
  out_.push_back('[');
  need_comma_ = false;
}

void JsonWriter::EndArray() {
  out_.push_back(']');
  need_comma_ = true;
}

void JsonWriter::Key(std::string_view name) {
  Separate();
  AppendQuoted(name, &out_);
  out_.push_back(':');
  need_comma_ = false;
}

void JsonWriter::String(std::string_view text) {
  Separate();
  AppendQuoted(text, &out_);
}

void JsonWriter::Int(int64_t value) {
  Separate();
  AppendNumber(value, &out_);
}

void JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  Separate();
  AppendNumber(value, &out_);
}

void JsonWriter::Bool(bool value) {
  Separate();
  out_.append(value ? "true" : "false");
}

void JsonWriter::Null() {
  Separate();
  out_.append("null");
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_.append(json);
}

void JsonWriter::RawMembers(std::string_view object) {
  object = StripSpace(object);
  if (object.size() < 2) return;
  const std::string_view members =
      StripSpace(object.substr(1, object.size() - 2));
  if (!members.empty()) Raw(members);
}

void JsonWriter::Member(std::string_view name, std::string_view text) {
  Key(name);
  String(text);
}

void JsonWriter::MemberInt(std::string_view name, int64_t value) {
  Key(name);
  Int(value);
}

void JsonWriter::MemberRaw(std::string_view name, std::string_view json) {
  Key(name);
  Raw(json);
}

std::string JsonQuote(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  AppendQuoted(text, &out);
  return out;
}

}  // namespace llm
