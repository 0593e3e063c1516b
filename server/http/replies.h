// Replies made from statuses and call results.
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_REPLIES_H_
#define LLM_SERVER_HTTP_REPLIES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "llm/v1/chat.pb.h"
#include "server/http/http_message.h"

namespace llm::server {

// The envelope and headers of a failed call [contract.md section 5].
HttpReply ErrorReply(const absl::Status& status, std::string_view request_id);

// A refusal by the door itself, before any call exists.
HttpReply DoorReply(int http_status, std::string_view code,
                    std::string_view message, std::string_view request_id = {});

// The x-llm-… headers that `info` knows.
void AddCallHeaders(const v1::ServiceInfo& info, HttpReply* reply);

std::string_view ReasonPhrase(int http_status);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_REPLIES_H_
