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

// Whether `word` is one of `list`: for lists of a few dozen words.
inline bool Among(std::span<const std::string_view> list,
                  std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_TEXT_H_
