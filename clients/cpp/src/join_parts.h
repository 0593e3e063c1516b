// How fragments of one message join, and the flat view of what they became.
// The service joins the same way (router/join_parts.h there): both follow
// chat.proto, "Flat view and parts".
//
// Threads: Pure; any.
#ifndef LLM_SERVICE_SRC_JOIN_PARTS_H_
#define LLM_SERVICE_SRC_JOIN_PARTS_H_

#include "llm/v1/chat.pb.h"

namespace llm::client {

// Adds what a chunk brings to the parts of `message`, which has no flat
// fields.
void AddDelta(const v1::Message& delta, v1::Message* message);

// Fills the flat fields from `parts`, and clears those where nothing is lost
// by that.
void FillFlatView(v1::Message* message);

}  // namespace llm::client

#endif  // LLM_SERVICE_SRC_JOIN_PARTS_H_
