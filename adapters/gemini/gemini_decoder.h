// Reads generateContent's answers: whole JSON, a JSON array of them, and
// stream events. There is no `[DONE]`: a stream is complete when every
// candidate has its finishReason (or the prompt was blocked) and the body
// ended as its framing says; what comes after a finishReason still counts.
//
// Order: OnWhole once, or OnEvent per event and then OnEnd.
//
// Threads:   Not safe; one object per attempt.
// Ownership: `out` grows by what is fit to pass on; chunks that would hold
//            nothing are not made.
// Errors:    In facts().failure; nothing is decoded after a failure.
// Units:     Tokens; characters are Unicode code points.
// Fact:      gemini.md sections 3 to 6 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_GEMINI_DECODER_H_
#define LLM_ADAPTERS_GEMINI_GEMINI_DECODER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/dialect/answer_decoder.h"
#include "adapters/dialect/extra_fields.h"
#include "adapters/dialect/function_names.h"
#include "adapters/gemini/candidate_decoder.h"
#include "adapters/gemini/usage_decoder.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

class GeminiDecoder : public AnswerDecoder {
 public:
  // `model` as the request names it: signatures are its own. `seed` is unique
  // to the attempt and makes ids for calls that came without one. `names` are
  // those that the request was sent with.
  GeminiDecoder(std::string model, std::string seed, FunctionNames names = {})
      : model_(std::move(model)),
        seed_(std::move(seed)),
        names_(std::move(names)) {}

  void OnWhole(std::string_view body, Chunks* out) override;
  void OnEvent(std::string_view type, std::string_view data,
               Chunks* out) override;
  void OnEnd(bool clean, Chunks* out) override;

 private:
  void ReadEvent(JsonValue response, bool error_event, Chunks* out);
  bool FailOnError(JsonValue root, bool error_event);
  void ReadTop(JsonValue root);
  void ReadPromptFeedback(JsonValue root);
  void ReadCandidates(JsonValue root, v1::ChatCompletionChunk* chunk);
  void CloseChoices(v1::ChatCompletionChunk* chunk);
  void Emit(v1::ChatCompletionChunk&& chunk, Chunks* out);
  void NoteUsage();
  void Finish();
  void Judge();
  CandidateDecoder& ChoiceAt(int index);

  std::string model_;
  std::string seed_;
  const FunctionNames names_;
  JsonDocument document_;
  std::map<int, std::unique_ptr<CandidateDecoder>> choices_;
  UsageDecoder usage_;
  ExtraFields extra_;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_GEMINI_DECODER_H_
