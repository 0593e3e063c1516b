// Between OpenAI's flat message fields and the ordered parts behind them
// (chat.proto, "Flat view and parts").
//
// A flat answer that goes back into a conversation as it was received becomes
// the same parts again: where the flat fields alone could not promise that,
// the parts go out beside them.
//
// Threads: Pure; any.
// Errors:  kInvalidArgument, invalid_request, with the field in `param`.
#ifndef LLM_SERVER_CORE_MESSAGE_VIEW_H_
#define LLM_SERVER_CORE_MESSAGE_VIEW_H_

#include "absl/status/status.h"
#include "llm/v1/chat.pb.h"

namespace llm::server {

// Moves the flat fields of every message into `parts` (reasoning, text,
// refusal, tool calls) and clears them; where there are parts, they win.
// Numbers tool calls by position. Checks what the rooms below rely on: known
// roles, whole parts, a tool_call_id on tool results.
absl::Status NormaliseMessages(v1::ChatCompletionRequest* request);

// Fills the flat fields from `parts`, and clears `parts` where nothing is
// lost by that: at most one plain reasoning, text and refusal each, then tool
// calls, in this order; no signature, redacted data, media, opaque part or
// unmodelled field. In chunks, fragments of one kind may repeat: they join.
void FillFlatView(v1::ChatCompletionResponse* response);
void FillFlatView(v1::ChatCompletionChunk* chunk);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_MESSAGE_VIEW_H_
