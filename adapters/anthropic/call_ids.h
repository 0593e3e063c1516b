// Ids of tool calls in the letters Anthropic takes (^[a-zA-Z0-9_-]+$), each
// used once in a conversation [TRN-4].
//
// Ids that fit stay as they are. Others are spelled out behind a mark: a byte
// that does not fit is "_" and two hex digits. An id that comes again in a
// later turn gets "_n" and a number. Both ways back are unambiguous.
//
// Threads: Not safe; one object per rendered request. DecodeCallId is pure.
#ifndef LLM_ADAPTERS_ANTHROPIC_CALL_IDS_H_
#define LLM_ADAPTERS_ANTHROPIC_CALL_IDS_H_

#include <map>
#include <string>
#include <string_view>

namespace llm::anthropic {

class CallIds {
 public:
  // The id of a call that is written now; results are given what this
  // returned.
  std::string ForCall(std::string_view id);

 private:
  std::map<std::string, int, std::less<>> used_;
};

// What ForCall was given.
std::string DecodeCallId(std::string_view id);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_CALL_IDS_H_
