// Chunks put together to one whole answer, the same as the caller of a stream
// would read [STR-3]. Parts keep their order; consecutive fragments of one
// kind join, tool calls join by index wherever they come.
//
// Threads: One thread at a time.
#ifndef LLM_ROUTER_RESPONSE_ASSEMBLER_H_
#define LLM_ROUTER_RESPONSE_ASSEMBLER_H_

#include <map>

#include "llm/v1/chat.pb.h"
#include "router/merge_fragments.h"

namespace llm {

class ResponseAssembler {
 public:
  void Add(v1::ChatCompletionChunk chunk);
  // The answer with choices, service_tier, system_fingerprint and extra_json;
  // ids, model, usage and llm_service are the router's to set. Once.
  v1::ChatCompletionResponse Take();

 private:
  // A choice, and those of its fields that are joined when it is whole.
  struct Growing {
    v1::Choice choice;
    Fragments audio;
    Fragments function_call;
    Fragments annotations;
    Fragments message_extra;
    Fragments logprobs;
    Fragments choice_extra;
    std::map<int, Fragments> call_extra;  // by the tool call's index
  };
  static void AddPart(v1::Part& part, Growing* to);
  static void AddDelta(v1::Message& delta, Growing* to);
  static void Close(Growing* whole);
  void AddChoice(v1::ChunkChoice& from);

  std::map<int, Growing> choices_;  // by index
  v1::ChatCompletionResponse frame_;
  Fragments frame_extra_;
};

}  // namespace llm

#endif  // LLM_ROUTER_RESPONSE_ASSEMBLER_H_
