// One message of an answer, or one delta of a stream, as OpenAI's JSON.
#ifndef LLM_SERVER_HTTP_RENDER_MESSAGE_H_
#define LLM_SERVER_HTTP_RENDER_MESSAGE_H_

#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"
#include "server/http/flat_place.h"

namespace llm::server {

enum class MessageForm {
  kWhole,  // every call with all its members; absent content is null
  kDelta,  // fragments: only what this chunk adds
};

// Writes the object's members; the caller has begun the object. `end` is how
// far the message had come before (a stream's deltas so far), and is moved on.
void WriteMessage(const v1::Message& message, MessageForm form, FlatEnd& end,
                  JsonWriter& json);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_RENDER_MESSAGE_H_
