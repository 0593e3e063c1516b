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
#include "adapters/dialect/answer_decoder.h"
#include "adapters/dialect/extra_fields.h"
#include "adapters/openai/choice_decoder.h"
#include "llm/v1/chat.pb.h"

namespace llm::openai {

class OpenAiDecoder : public AnswerDecoder {
 public:
  // `origin` marks opaque parts (the provider's id); `seed` is unique to the
  // attempt and makes ids for calls that came without one.
  OpenAiDecoder(std::string origin, std::string seed)
      : origin_(std::move(origin)), seed_(std::move(seed)) {}

  void OnWhole(std::string_view body, Chunks* out) override;
  void OnEvent(std::string_view type, std::string_view data,
               Chunks* out) override;
  // `[DONE]`, in whatever wrapping.
  void OnDone() override { done_ = true; }
  void OnEnd(bool clean, Chunks* out) override;

 private:
  bool FailOnError(JsonValue root, bool error_event);
  void ReadTop(JsonValue root);
  void ReadUsage(JsonValue usage);
  void ReadChoices(JsonValue root, bool whole, v1::ChatCompletionChunk* chunk);
  void CloseChoices(Chunks* out);
  void Emit(v1::ChatCompletionChunk&& chunk, Chunks* out);
  void Judge();
  void CountOutput();
  ChoiceDecoder& ChoiceAt(int index);
  bool CheckFinishWord(const ChoiceDecoder& choice);

  std::string origin_;
  std::string seed_;
  JsonDocument document_;
  std::map<int, std::unique_ptr<ChoiceDecoder>> choices_;
  ExtraFields extra_;
  std::string service_tier_;
  std::string fingerprint_;
};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_OPENAI_DECODER_H_
