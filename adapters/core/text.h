// Between std::string_view, which our doors use, and Debian's Abseil, whose
// string_view is a type of its own.
#ifndef LLM_ADAPTERS_CORE_TEXT_H_
#define LLM_ADAPTERS_CORE_TEXT_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace llm {

inline absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view ToStd(absl::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_TEXT_H_
