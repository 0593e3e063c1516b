// An error in whatever shape a server puts it: OpenAI's envelope, flat
// objects, bare strings, validation lists, MiniMax's base_resp, an error
// inside a choice (others.md, "Rules common to all", rule 4; 2026-11-20).
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_DIALECT_ERROR_BODY_H_
#define LLM_ADAPTERS_DIALECT_ERROR_BODY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/core/json.h"

namespace llm {

// Bytes read of an error's body; the rest is let go unread. Errors are short;
// what is longer is a page for browsers.
inline constexpr size_t kMaxErrorBody = size_t{64} << 10;

// The provider's words, uncut: only error_table.h lets them out.
struct ErrorWords {
  // A status named inside the body; 0 where there is none.
  int status = 0;
  std::string code;
  std::string type;
  std::string param;
  std::string message;
  std::string request_id;
  // Google's RetryInfo ("34s"); empty where there is none.
  std::string retry_delay;
  // Google's name of the quota that is used up; empty where none is named.
  std::string quota;
};

// The error inside a 200: a body or a stream event. An answer that merely has
// `error: null` is none.
std::optional<ErrorWords> FindError(JsonValue root);

// The words of a body that is known to be an error: any of the shapes, an
// event stream with one, or text that is no JSON at all.
ErrorWords ReadErrorBody(std::string_view body);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_ERROR_BODY_H_
