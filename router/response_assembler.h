// Chunks put together to one whole answer, the same as the caller of a stream
// would read [STR-3]. Parts keep their order; consecutive fragments of one
// kind join, tool calls join by index wherever they come.
//
// Threads: One thread at a time.
#ifndef LLM_ROUTER_RESPONSE_ASSEMBLER_H_
#define LLM_ROUTER_RESPONSE_ASSEMBLER_H_

#include <map>

#include "llm/v1/chat.pb.h"

namespace llm {

class ResponseAssembler {
 public:
  void Add(v1::ChatCompletionChunk chunk);
  // The answer with choices, service_tier, system_fingerprint and extra_json;
  // ids, model, usage and llm_service are the router's to set. Once.
  v1::ChatCompletionResponse Take();

 private:
  void AddChoice(v1::ChunkChoice& from);

  std::map<int, v1::Choice> choices_;  // by index
  v1::ChatCompletionResponse frame_;
};

}  // namespace llm

#endif  // LLM_ROUTER_RESPONSE_ASSEMBLER_H_
