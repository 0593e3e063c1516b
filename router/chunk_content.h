// What a chunk carries, in the words of the contract: content is non-empty
// text, reasoning, refusal, audio or a tool call.
//
// Pure.
#ifndef LLM_ROUTER_CHUNK_CONTENT_H_
#define LLM_ROUTER_CHUNK_CONTENT_H_

#include <string>
#include <string_view>

#include "llm/v1/chat.pb.h"
#include "router/token_estimate.h"

namespace llm {

bool PartHasContent(const v1::Part& part);
// True if any choice of the chunk carries content.
bool ChunkHasContent(const v1::ChatCompletionChunk& chunk);
// True if the delta says anything beyond its role.
bool DeltaSaysAnything(const v1::Message& delta);

// Adds the chunk's output (text, reasoning, refusal, tool calls) to a guess.
void CountOutput(const v1::ChatCompletionChunk& chunk, TokenEstimate* estimate);

// The one finish reason of a choice: a finished tool call ends in
// "tool_calls" whatever word the provider used; a cut or filtered one stays
// "length" or "content_filter", since its arguments may not be whole.
std::string FinishReason(std::string_view said, bool has_tool_call);

}  // namespace llm

#endif  // LLM_ROUTER_CHUNK_CONTENT_H_
