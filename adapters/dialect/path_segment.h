// A model's name as one segment of a path: whatever it holds, it stays there
// [SEC-1].
//
// Names are taken as they are, never as already escaped: a '%' is a '%'. The
// transport escapes nothing.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_DIALECT_PATH_SEGMENT_H_
#define LLM_ADAPTERS_DIALECT_PATH_SEGMENT_H_

#include <string>
#include <string_view>

namespace llm {

// `plain` are characters beside RFC 3986's unreserved ones that stay.
std::string EscapeSegment(std::string_view text, std::string_view plain = {});

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_PATH_SEGMENT_H_
