// Citations that come back before their text, as they do in OpenAI's flat
// messages, where all text is one string: the marks say where in it they
// belong. See README, "Citations".
//
// Threads: Not safe; one object per message.
// Units:   Unicode code points of the message's text.
#ifndef LLM_ADAPTERS_ANTHROPIC_CITATION_MARKS_H_
#define LLM_ADAPTERS_ANTHROPIC_CITATION_MARKS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

// What a decoder leaves behind a text block with citations: an object with
// `citations` and no `type`.
bool IsCitationMark(JsonValue value);
// That object: `list` is a JSON array without its brackets.
std::string CitationMark(std::string_view list, int64_t start, int64_t end);

// Each of the message's annotations (JSON) is a link that Anthropic's citations
// in the message hold, too: what our own answer said, come back. Also where
// there are none.
bool HoldsAnnotations(const v1::Message& message);

class CitationMarks {
 public:
  // True where the mark was taken: it is one, and says where it belongs.
  bool Add(std::string_view json);
  // Marks that no text has been found for.
  bool empty() const { return marks_.empty(); }
  // The message's next text, cut where the marks say, each piece with its
  // citations as Anthropic's own member. A blank piece would be no block, so
  // it is joined to its neighbour.
  std::vector<v1::Part> Split(const v1::Part& part);

 private:
  struct Mark {
    int64_t start = 0;
    int64_t end = 0;
    std::string citations;
  };
  // In the order of the text.
  std::deque<Mark> marks_;
  // Where the next text begins.
  int64_t at_ = 0;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_CITATION_MARKS_H_
