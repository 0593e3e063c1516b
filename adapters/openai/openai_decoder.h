// The one reader of OpenAI-like answers, whoever serves them: whole JSON and
// stream events. It knows no vendor; every deviation of openai.md 4 and 7,
// deepseek.md, qwen.md and others.md is read leniently (2026-11-20).
//
// Order: OnWhole once, or OnEvent per event and then OnEnd.
//
// Threads:   Not safe; one object per attempt.
// Ownership: `out` grows by what is fit to pass on; chunks that would hold
//            nothing are not made.
// Errors:    In facts().failure; nothing is decoded after a failure.
// Units:     Tokens; characters are Unicode code points.
#ifndef LLM_ADAPTERS_OPENAI_OPENAI_DECODER_H_
#define LLM_ADAPTERS_OPENAI_OPENAI_DECODER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/failure.h"
#include "adapters/core/json.h"
#include "adapters/core/usage.h"
#include "adapters/openai/choice_decoder.h"
#include "adapters/openai/error_body.h"
#include "adapters/openai/extra_fields.h"
#include "llm/v1/chat.pb.h"

namespace llm::openai {

struct AnswerFacts {
  FailureClass failure = FailureClass::kNone;
  // Set where the provider itself reported the failure, inside a 200 [STR-5].
  std::optional<ErrorWords> error;
  // A terminal event was seen [STR-4].
  bool complete = false;
  bool content_seen = false;
  bool reasoning_exhausted = false;
  std::optional<TokenUsage> usage;
  std::string raw_usage_json;
  std::string served_model;
  std::string answer_id;
  int64_t output_chars = 0;
};

class OpenAiDecoder {
 public:
  using Chunks = std::vector<v1::ChatCompletionChunk>;

  // `origin` marks opaque parts (the provider's id); `seed` is unique to the
  // attempt and makes ids for calls that came without one.
  OpenAiDecoder(std::string origin, std::string seed)
      : origin_(std::move(origin)), seed_(std::move(seed)) {}

  // A whole body, as one chunk.
  void OnWhole(std::string_view body, Chunks* out);
  // The `data` of one event; `type` is its `event` field.
  void OnEvent(std::string_view type, std::string_view data, Chunks* out);
  // `[DONE]`, in whatever wrapping.
  void OnDone() { done_ = true; }
  // No more events. `clean`: the body ended as its framing says.
  void OnEnd(bool clean, Chunks* out);

  // The wrapping around the events was at fault.
  void FailAs(FailureClass failure) { Fail(failure); }
  // True where content has come since the last call.
  bool TakeContentMark() { return std::exchange(new_content_, false); }

  const AnswerFacts& facts() const { return facts_; }
  bool failed() const { return facts_.failure != FailureClass::kNone; }
  bool done() const { return done_; }

 private:
  void Fail(FailureClass failure) { facts_.failure = failure; }
  bool FailOnError(JsonValue root, bool error_event);
  void ReadTop(JsonValue root, v1::ChatCompletionChunk* chunk);
  void ReadUsage(JsonValue usage);
  void ReadChoices(JsonValue root, bool whole, v1::ChatCompletionChunk* chunk);
  void CloseChoices(Chunks* out);
  void Emit(v1::ChatCompletionChunk chunk, Chunks* out);
  void Judge();
  void CountOutput();
  ChoiceDecoder& ChoiceAt(int index);
  bool CheckFinishWord(const ChoiceDecoder& choice);

  std::string origin_;
  std::string seed_;
  JsonDocument document_;
  std::map<int, std::unique_ptr<ChoiceDecoder>> choices_;
  std::vector<int> role_sent_;
  ExtraFields extra_;
  AnswerFacts facts_;
  std::string service_tier_;
  std::string fingerprint_;
  int64_t created_ = 0;
  bool done_ = false;
  bool new_content_ = false;
};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_OPENAI_DECODER_H_
