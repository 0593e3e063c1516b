// Joins the JSON fields of two stream fragments as text.
//
// Pure. Text that is not the expected JSON loses to the other; where both
// are, neither order nor number text changes.
#ifndef LLM_ROUTER_MERGE_FRAGMENTS_H_
#define LLM_ROUTER_MERGE_FRAGMENTS_H_

#include <string>
#include <string_view>
#include <vector>

namespace llm {

// Members of both objects. Where both have one: arrays are concatenated,
// objects merged, the strings that providers cut into pieces (data,
// transcript, arguments) concatenated; otherwise the later value wins unless
// it is null.
std::string MergeObjects(std::string_view first, std::string_view second);

// The elements of both arrays.
std::string MergeArrays(std::string_view first, std::string_view second);

// Fragments of one field, joined once at the end: joining each to what is
// there already would read the whole field again for every chunk.
class Fragments {
 public:
  void Add(std::string_view fragment) {
    if (!fragment.empty()) pieces_.emplace_back(fragment);
  }
  // All of them in order, by MergeObjects or MergeArrays; empty if none.
  // Leaves nothing behind.
  std::string JoinObjects();
  std::string JoinArrays();

 private:
  std::vector<std::string> pieces_;
};

}  // namespace llm

#endif  // LLM_ROUTER_MERGE_FRAGMENTS_H_
