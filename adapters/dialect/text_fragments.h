// Text that arrives in fragments, cut anywhere.
//
// Threads: Not safe; one object per choice and kind of text.
// Errors:  None: whatever comes is passed on.
#ifndef LLM_ADAPTERS_DIALECT_TEXT_FRAGMENTS_H_
#define LLM_ADAPTERS_DIALECT_TEXT_FRAGMENTS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace llm {

// Joins a surrogate pair whose halves came in two JSON strings. A lone half
// is three bytes of WTF-8 (see core/json.h); the pair becomes one character.
class SurrogateJoiner {
 public:
  // What can be passed on now; a trailing first half is held back.
  std::string Push(std::string text);
  // The half that never found its other.
  std::string Flush();

 private:
  std::string held_;
};

// Splits `<think>…</think>` at the very start of an answer from what follows
// it, whatever the fragments: some servers send reasoning inside the content.
// White space before and right after either tag goes with the tag.
class ThinkSplitter {
 public:
  struct Pieces {
    std::string reasoning;
    std::string text;
  };
  Pieces Push(std::string_view text);
  // What was held back as the possible start of a tag.
  Pieces Flush();

 private:
  enum class State {
    kStart,       // nothing but white space or a part of <think> so far
    kAfterOpen,   // skipping white space after <think>
    kInside,      // reasoning
    kAfterClose,  // skipping white space after </think>
    kPlain,       // the answer
  };
  void AtStart(Pieces& out);
  void Inside(Pieces& out);
  void SkipSpace(State next);

  State state_ = State::kStart;
  std::string held_;
};

// Unicode characters in UTF-8 or WTF-8 text.
int64_t CountCodePoints(std::string_view text);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_TEXT_FRAGMENTS_H_
