// Protobuf strings are UTF-8 or the receiver refuses the whole message; what
// providers send need not be.
//
// Threads: Pure; any.
#ifndef LLM_SERVER_CORE_CLEAN_TEXT_H_
#define LLM_SERVER_CORE_CLEAN_TEXT_H_

#include <google/protobuf/message.h>

namespace llm::server {

// Replaces what is not UTF-8 by U+FFFD in every string field, however deep.
// `bytes` fields are left alone.
void CleanText(google::protobuf::Message* message);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_CLEAN_TEXT_H_
