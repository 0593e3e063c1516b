// Tools, tool choice and response format of an OpenAI chat request.
#ifndef LLM_SERVER_HTTP_PARSE_TOOLS_H_
#define LLM_SERVER_HTTP_PARSE_TOOLS_H_

#include "absl/status/status.h"
#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"
#include "server/http/json_fields.h"

namespace llm::server {

// Types other than function and custom are kept whole.
absl::Status ParseTool(const JsonValue& json, const JsonPath& path,
                       v1::Tool* out);

absl::Status ParseToolChoice(const JsonValue& json, const JsonPath& path,
                             v1::ToolChoice* out);

absl::Status ParseResponseFormat(const JsonValue& json, const JsonPath& path,
                                 v1::ResponseFormat* out);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_PARSE_TOOLS_H_
