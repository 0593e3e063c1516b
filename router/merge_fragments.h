// Joins the JSON fields of two stream fragments as text.
//
// Pure. Text that is not the expected JSON loses to the other; where both
// are, neither order nor number text changes.
#ifndef LLM_ROUTER_MERGE_FRAGMENTS_H_
#define LLM_ROUTER_MERGE_FRAGMENTS_H_

#include <string>
#include <string_view>

namespace llm {

// Members of both objects. Where both have one: arrays are concatenated,
// objects merged, the strings that providers cut into pieces (data,
// transcript, arguments) concatenated; otherwise the later value wins unless
// it is null.
std::string MergeObjects(std::string_view first, std::string_view second);

// The elements of both arrays.
std::string MergeArrays(std::string_view first, std::string_view second);

}  // namespace llm

#endif  // LLM_ROUTER_MERGE_FRAGMENTS_H_
