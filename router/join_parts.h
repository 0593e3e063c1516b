// How fragments of one message join [STR-3]: consecutive fragments of one
// kind are one part, tool calls join by index wherever they come. Used for
// whole answers and for what is remembered of streamed ones.
//
// Pure.
#ifndef LLM_ROUTER_JOIN_PARTS_H_
#define LLM_ROUTER_JOIN_PARTS_H_

#include "llm/v1/chat.pb.h"

namespace llm {

// True where `part` was joined to one that `message` has already; otherwise
// it is the caller's to add. A tool call's extra_json is never joined.
bool JoinPart(const v1::Part& part, v1::Message* message);

// An empty text that stands for nothing: between two fragments it would keep
// them apart.
bool IsEmptyFragment(const v1::Part& part);

}  // namespace llm

#endif  // LLM_ROUTER_JOIN_PARTS_H_
