// What a dialect makes of an answer's bytes: canonical chunks, and the facts
// that the verdict on an attempt is made from.
//
// Order: OnWhole once, or OnEvent per event and then OnEnd. OnDone is the
// `[DONE]` line; only dialects that have one mind it.
//
// Threads:   Not safe; one object per attempt.
// Ownership: `out` grows by what is fit to pass on; chunks that would hold
//            nothing are not made.
// Errors:    In facts().failure; nothing is decoded after a failure.
// Units:     Tokens; characters are Unicode code points.
#ifndef LLM_ADAPTERS_DIALECT_ANSWER_DECODER_H_
#define LLM_ADAPTERS_DIALECT_ANSWER_DECODER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/failure.h"
#include "adapters/core/usage.h"
#include "adapters/dialect/error_body.h"
#include "llm/v1/chat.pb.h"

namespace llm {

struct AnswerFacts {
  FailureClass failure = FailureClass::kNone;
  // Set where the provider itself reported the failure, inside a 200 [STR-5].
  std::optional<ErrorWords> error;
  // A terminal event was seen [STR-4].
  bool complete = false;
  bool content_seen = false;
  bool reasoning_exhausted = false;
  std::optional<TokenUsage> usage;
  // The usage's output is a count from the start of the stream, and the last
  // one has not come.
  bool output_is_early = false;
  std::string raw_usage_json;
  std::string served_model;
  std::string answer_id;
  int64_t output_chars = 0;
};

class AnswerDecoder {
 public:
  using Chunks = std::vector<v1::ChatCompletionChunk>;

  virtual ~AnswerDecoder() = default;
  // A whole body, as one chunk.
  virtual void OnWhole(std::string_view body, Chunks* out) = 0;
  // The `data` of one event; `type` is its `event` field.
  virtual void OnEvent(std::string_view type, std::string_view data,
                       Chunks* out) = 0;
  virtual void OnDone() {}
  // No more events. `clean`: the body ended as its framing says.
  virtual void OnEnd(bool clean, Chunks* out) = 0;

  // However it ended, before the facts are judged: what costs too much to keep
  // up at every event.
  virtual void Settle() {}

  // The wrapping around the events was at fault.
  void FailAs(FailureClass failure) { Fail(failure); }
  // True where content has come since the last call.
  bool TakeContentMark() { return std::exchange(new_content_, false); }

  const AnswerFacts& facts() const { return facts_; }
  bool failed() const { return facts_.failure != FailureClass::kNone; }
  // The protocol's own end has come; what follows says nothing.
  bool done() const { return done_; }

 protected:
  void Fail(FailureClass failure) { facts_.failure = failure; }
  // A chunk's last step: the role on the first of each choice.
  void PassOn(v1::ChatCompletionChunk&& chunk, Chunks* out);

  AnswerFacts facts_;
  bool done_ = false;
  bool new_content_ = false;

 private:
  // Choices whose role is out.
  std::set<int> introduced_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_ANSWER_DECODER_H_
