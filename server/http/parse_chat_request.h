// An OpenAI chat request, as JSON text, made into the canonical request.
//
// What the service itself relies on is checked here (shapes, types, what gets
// recorded); the providers' own rules are theirs. Null means not set. Unknown
// members are kept as JSON text at their level (`extra_json`), or, inside
// objects that have no such place, in the source span alone.
//
// Spans: one per message and per tool, and one per other top-level member,
// ours (task_type, run_id, agent) and `stream` included.
//
// Ownership: The request holds `body`; its spans point into it.
// Errors:    kInvalidArgument (invalid_request) whose `param` is the path of
//            the member at fault. Never the member's value. body_too_large
//            for more than kMaxRequestValues (read_request.h).
// Fact:      platform.openai.com/docs/api-reference/chat/create and its
//            OpenAPI file 2.3.0, read 2026-08-21.
#ifndef LLM_SERVER_HTTP_PARSE_CHAT_REQUEST_H_
#define LLM_SERVER_HTTP_PARSE_CHAT_REQUEST_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/core/chat_request.h"

namespace llm::server {

absl::StatusOr<ChatRequest> ParseChatRequest(
    std::shared_ptr<const std::string> body);

// True where the caller asked for a stream (`"stream": true`).
bool WantsStream(const ChatRequest& request);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_PARSE_CHAT_REQUEST_H_
