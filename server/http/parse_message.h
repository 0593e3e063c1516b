// One message of an OpenAI chat request made into canonical parts.
//
// An assistant message's parts stand in the order reasoning, text, refusal,
// tool calls, which is the order in which a model makes them.
#ifndef LLM_SERVER_HTTP_PARSE_MESSAGE_H_
#define LLM_SERVER_HTTP_PARSE_MESSAGE_H_

#include "absl/status/status.h"
#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"
#include "server/http/json_fields.h"

namespace llm::server {

absl::Status ParseMessage(const JsonValue& json, const JsonPath& path,
                          v1::Message* out);

// An element of a content array as a part. Kinds we do not know become opaque
// parts of origin "openai".
absl::Status ParseContentPart(const JsonValue& json, const JsonPath& path,
                              v1::Part* out);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_PARSE_MESSAGE_H_
