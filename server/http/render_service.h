// Our own `llm_service` object, the same in every answer of a model.
//
// Threads: Pure.
#ifndef LLM_SERVER_HTTP_RENDER_SERVICE_H_
#define LLM_SERVER_HTTP_RENDER_SERVICE_H_

#include "adapters/core/json_writer.h"
#include "llm/v1/chat.pb.h"

namespace llm::server {

void WriteService(const v1::ServiceInfo& info, JsonWriter& json);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_RENDER_SERVICE_H_
