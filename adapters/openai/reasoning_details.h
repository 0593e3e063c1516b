// One choice's reasoning_details as they stream: the text that is new in each
// event, and the list with only that text, so that lists put together are one
// answer whichever way the server counts.
//
// Most servers send fragments; old MiniMax versions sent all text so far with
// every event (others.md, MiniMax, 2026-11-20). Which it is shows with the
// second text of an entry: one that goes on from the whole first is
// cumulative, and stays so.
//
// Threads: Not safe; one object per choice.
#ifndef LLM_ADAPTERS_OPENAI_REASONING_DETAILS_H_
#define LLM_ADAPTERS_OPENAI_REASONING_DETAILS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "adapters/core/json.h"

namespace llm::openai {

class ReasoningDetails {
 public:
  struct Step {
    std::string text;  // new text and summaries
    std::string list;  // the JSON array; empty for nothing
  };
  // `details` is the array of one event or message.
  Step Push(JsonValue details);

 private:
  enum class Form { kUnknown, kFragments, kCumulative };
  struct Entry {
    Form form = Form::kUnknown;
    std::string seen;
  };
  // What `text` adds to the entry.
  static std::string_view NewText(std::string_view text, Entry* entry);

  std::map<int64_t, Entry> entries_;
};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_REASONING_DETAILS_H_
