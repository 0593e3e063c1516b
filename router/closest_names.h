// Names near a mistyped one, for "did you mean".
//
// Pure.
#ifndef LLM_ROUTER_CLOSEST_NAMES_H_
#define LLM_ROUTER_CLOSEST_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

namespace llm {

// At most three of `names`, nearest first by edit distance, then by name; only
// those within a third of the wanted name's length (at least 2 edits).
std::vector<std::string> ClosestNames(std::string_view wanted,
                                      std::vector<std::string> names);

// "; did you mean a, b?" or empty.
std::string DidYouMean(const std::vector<std::string>& names);

}  // namespace llm

#endif  // LLM_ROUTER_CLOSEST_NAMES_H_
