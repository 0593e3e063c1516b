// Joins the chunks of a stream to the answer that a unary call would give:
// text, reasoning, tool calls with their arguments, signatures in their
// places, finish reason, usage and `llm_service`.
//
// ChatStream keeps one of its own (Answer()); this is for whoever takes
// chunks in another way.
//
// Threads: One at a time.
// Errors:  None: what a cut stream did not bring is missing from the answer.
// Limits:  What comes as pieces of JSON (`logprobs`, `audio`, `annotations`,
//          `extra_json`) is not joined: of several pieces the last is kept,
//          the chunks have them all.
#ifndef LLM_SERVICE_ANSWER_BUILDER_H_
#define LLM_SERVICE_ANSWER_BUILDER_H_

#include "llm/v1/chat.pb.h"

namespace llm::client {

class AnswerBuilder {
 public:
  // Chunks in the order they came.
  void Add(const v1::ChatCompletionChunk& chunk);

  // What has come so far; costs a copy. `parts` of a message are filled only
  // where its flat fields would lose something (chat.proto, "Flat view and
  // parts").
  v1::ChatCompletionResponse Answer() const;

 private:
  // Messages hold parts alone until Answer() makes the flat view of them.
  v1::ChatCompletionResponse grown_;
};

}  // namespace llm::client

#endif  // LLM_SERVICE_ANSWER_BUILDER_H_
