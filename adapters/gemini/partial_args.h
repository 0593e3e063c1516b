// Arguments of a function call that come in pieces: (JSON path, value) pairs
// of which strings may go on in the next.
//
//   {"partialArgs":[{"jsonPath":"$.a.b[0]","stringValue":"x",
//                    "willContinue":true}]}
//
// Threads: Not safe; one object per call.
// Errors:  A path that cannot be followed is left out.
// Fact:    Vertex only, where asked for; python-genai PartialArg
//          (2026-08-21), https://googleapis.github.io/js-genai (2026-11-27).
#ifndef LLM_ADAPTERS_GEMINI_PARTIAL_ARGS_H_
#define LLM_ADAPTERS_GEMINI_PARTIAL_ARGS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"

namespace llm::gemini {

class PartialArgs {
 public:
  // The list `partialArgs`.
  void Push(JsonValue list);
  bool empty() const { return root_.members.empty(); }
  // A piece had no place: what is here is not the call that was made.
  bool broken() const { return broken_; }
  // Everything so far, as one JSON object.
  std::string Json() const;

 private:
  struct Node {
    enum class Kind { kNone, kObject, kArray, kText, kRaw };
    Kind kind = Kind::kNone;
    std::string text;
    // A string that goes on.
    bool open = false;
    // In order of arrival; array elements have no names.
    std::vector<std::pair<std::string, std::unique_ptr<Node>>> members;
    // Of an object: where each name stands among them.
    std::map<std::string, size_t, std::less<>> places = {};
  };
  // One step of a path: a name, or an index where `name` is empty.
  struct Step {
    std::string name;
    size_t index = 0;
    bool is_index = false;
  };
  static bool ReadPath(std::string_view path, std::vector<Step>* steps);
  Node* Reach(const std::vector<Step>& steps);
  void PushOne(JsonValue piece);
  static void Write(const Node& node, JsonWriter& out);

  Node root_{Node::Kind::kObject, {}, false, {}, {}};
  // Places are few, but a path may name a far one.
  size_t nodes_ = 0;
  bool broken_ = false;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_PARTIAL_ARGS_H_
