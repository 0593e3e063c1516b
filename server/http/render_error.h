// The one error envelope of the HTTP door.
#ifndef LLM_SERVER_HTTP_RENDER_ERROR_H_
#define LLM_SERVER_HTTP_RENDER_ERROR_H_

#include <string>
#include <string_view>

#include "llm/v1/common.pb.h"

namespace llm::server {

// OpenAI's envelope {"error": {…, "llm_service": {…}}} as contract.md section
// 5 has it. `request_id` stands in where the detail has none. `http_status`
// decides OpenAI's `type` word.
std::string RenderError(const v1::UpstreamError& detail, int http_status,
                        std::string_view request_id);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_RENDER_ERROR_H_
