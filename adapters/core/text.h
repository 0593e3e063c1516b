// Between std::string_view, which our doors use, and Debian's Abseil, whose
// string_view is a type of its own; and a word in a list of words.
#ifndef LLM_ADAPTERS_CORE_TEXT_H_
#define LLM_ADAPTERS_CORE_TEXT_H_

#include <algorithm>
#include <span>
#include <string_view>

#include "absl/strings/string_view.h"

namespace llm {

inline absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view ToStd(absl::string_view text) {
  return {text.data(), text.size()};
}

// The byte that "%2F" at `at` stands for; -1 where there is no such escape.
inline int EscapedByte(std::string_view text, size_t at) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  if (at + 2 >= text.size() || text[at] != '%') return -1;
  const size_t high = kDigits.find(text[at + 1]);
  const size_t low = kDigits.find(text[at + 2]);
  if (high == std::string_view::npos || low == std::string_view::npos) {
    return -1;
  }
  const auto value = [](size_t i) {
    return static_cast<int>(i < 16 ? i : i - 6);
  };
  return value(high) * 16 + value(low);
}

// Whether `word` is one of `list`: for lists of a few dozen words.
inline bool Among(std::span<const std::string_view> list,
                  std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_TEXT_H_
