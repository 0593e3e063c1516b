// Chat answers as OpenAI's JSON: the flat view of canonical parts, and our
// `llm_service` object beside it.
//
// Text parts join into `content`, reasoning into `reasoning_content`, and so
// on. Reasoning that carries a signature or is redacted also appears as
// `reasoning_details`, which ParseChatRequest takes back. A message without
// parts is rendered from its flat fields.
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_RENDER_CHAT_H_
#define LLM_SERVER_HTTP_RENDER_CHAT_H_

#include <string>

#include "llm/v1/chat.pb.h"
#include "server/http/flat_place.h"

namespace llm::server {

// A chat.completion object.
std::string RenderCompletion(const v1::ChatCompletionResponse& response);

// Appends a chat.completion.chunk object, without SSE framing. `places` belongs
// to the stream: how far each of its choices has come.
void RenderChunk(const v1::ChatCompletionChunk& chunk, StreamPlaces& places,
                 std::string* out);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_RENDER_CHAT_H_
