// Small text helpers over std::string_view; see adapters/core/text.h for why
// they are not Abseil's.
#ifndef LLM_SERVER_CONFIG_TEXT_H_
#define LLM_SERVER_CONFIG_TEXT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "adapters/core/text.h"

namespace llm::server {

namespace text_internal {
inline absl::string_view Part(std::string_view text) { return ToAbsl(text); }
inline absl::string_view Part(const std::string& text) { return text; }
inline absl::string_view Part(const char* text) { return text; }
inline absl::string_view Part(absl::string_view text) { return text; }
template <typename T>
const T& Part(const T& value) {
  return value;
}
}  // namespace text_internal

// absl::StrCat for both kinds of views.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  return absl::StrCat(text_internal::Part(parts)...);
}

// The message of a status.
inline std::string Words(const absl::Status& status) {
  return std::string(status.message());
}

// Drops `prefix` from `text` if it is there.
inline bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_TEXT_H_
