// Which turns are worth keeping, and how a kept one is put back into a
// conversation whose client has dropped parts of it.
//
// A client that sent proofs or opaque parts itself, or as much reasoning as is
// kept, is left alone; a turn is put back once in a request, and all together
// are bounded.
//
// Put back: reasoning, its signatures, signatures of calls and of text, opaque
// parts, in their places. Not touched: what the client says itself, its text
// and its calls. A turn whose calls are not the kept ones (another name, other
// arguments) is left as it came: ids are the providers', and some of them
// count from one.
//
// Pure, but for the memory.
#ifndef LLM_ROUTER_KEPT_TURN_H_
#define LLM_ROUTER_KEPT_TURN_H_

#include <memory>
#include <optional>
#include <string_view>

#include "adapters/core/chat_request.h"
#include "llm/v1/chat.pb.h"
#include "router/turn_memory.h"

namespace llm {

// It calls a tool, and holds something that clients drop.
bool WorthKeeping(const v1::Message& turn);

// Keeps the first choice's turn, if it is worth it.
void KeepTurn(std::string_view tenant, const v1::Message& turn,
              TurnMemory& memory);

// `request` with what is kept for it, each such message marked in `restored`;
// null where nothing is put back: nothing is copied then.
std::unique_ptr<ChatRequest> RestoreTurns(std::string_view tenant,
                                          const ChatRequest& request,
                                          TurnMemory& memory);

// Puts together the first choice's turn of a stream, as far as `max_bytes`
// allow: beyond them it is no turn to keep.
class TurnRecorder {
 public:
  explicit TurnRecorder(size_t max_bytes) : left_(max_bytes) {}
  void Add(const v1::ChatCompletionChunk& chunk);
  // Once; nullopt where it is not whole or not worth keeping.
  std::optional<v1::Message> Take();

 private:
  void AddPart(const v1::Part& part);

  v1::Message turn_;
  size_t left_;
  bool whole_ = true;
};

}  // namespace llm

#endif  // LLM_ROUTER_KEPT_TURN_H_
