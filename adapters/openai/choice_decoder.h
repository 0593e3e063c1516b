// One choice of an answer: its deltas, or its whole message, made into
// canonical fragments in the order reasoning, text, refusal, tool calls.
//
// Reasoning is recognised under every name it goes by: reasoning_content,
// reasoning, reasoning_details (also kept whole, as an opaque part, for its
// maker), thinking blocks in a content array, and <think> tags at the start
// of the content (others.md, rule 2; 2026-11-20).
//
// Threads: Not safe; one object per choice.
#ifndef LLM_ADAPTERS_OPENAI_CHOICE_DECODER_H_
#define LLM_ADAPTERS_OPENAI_CHOICE_DECODER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/dialect/extra_fields.h"
#include "adapters/dialect/text_fragments.h"
#include "adapters/openai/reasoning_details.h"
#include "adapters/openai/tool_call_decoder.h"
#include "llm/v1/chat.pb.h"

namespace llm::openai {

class ChoiceDecoder {
 public:
  // `origin` marks opaque parts; `seed` is unique to answer and choice.
  ChoiceDecoder(std::string origin, std::string seed)
      : origin_(std::move(origin)), calls_(std::move(seed)) {}

  // One choice object. What is fit to pass on now is added to `out`.
  void Push(JsonValue choice, v1::ChunkChoice* out);
  // The choice ended, or the answer did: passes on what was held back and
  // the finish reason, once. Without a word from the provider the answer
  // itself tells.
  void Close(v1::ChunkChoice* out);

  // The provider's finish word; empty until it came.
  const std::string& finish_word() const { return finish_word_; }
  // The canonical reason; empty until Close.
  const std::string& finish_reason() const { return finish_reason_; }
  bool closed() const { return closed_; }
  // Text, refusal, tool call, media: anything but reasoning.
  bool has_answer() const { return has_answer_ || calls_.any(); }
  bool has_reasoning() const { return has_reasoning_; }
  int64_t characters() const { return characters_ + calls_.characters(); }

 private:
  void PushMessage(JsonValue message, bool repeated, v1::ChunkChoice* out);
  void PushReasoning(JsonValue message, v1::Message* out);
  void PushContent(JsonValue content, v1::Message* out);
  void PushContentPart(JsonValue part, v1::Message* out);
  void PushRest(JsonValue message, v1::Message* out);
  void AddReasoning(std::string text, v1::Message* out);
  void AddText(std::string text, v1::Message* out);
  void AddRefusal(std::string text, v1::Message* out);
  void AddOpaque(std::string json, v1::Message* out);
  void AddFunctionCall(JsonValue call);
  void FlushText(v1::Message* out);
  void SetFinishReason(v1::ChunkChoice* out);

  std::string origin_;
  ToolCallDecoder calls_;
  ThinkSplitter splitter_;
  ReasoningDetails details_;
  SurrogateJoiner text_joiner_;
  SurrogateJoiner reasoning_joiner_;
  SurrogateJoiner refusal_joiner_;
  ExtraFields choice_extra_;
  ExtraFields message_extra_;
  // OpenAI's old single call, gathered and passed on at the end.
  std::string function_name_;
  std::string function_arguments_;
  std::string finish_word_;
  std::string finish_reason_;
  bool closed_ = false;
  bool has_answer_ = false;
  bool has_reasoning_ = false;
  int64_t characters_ = 0;
};

// True where a fragment holds something a caller must see.
bool HoldsSomething(const v1::ChunkChoice& choice);
// True where it holds content: text, reasoning, refusal, audio, tool calls.
bool HoldsContent(const v1::ChunkChoice& choice);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_CHOICE_DECODER_H_
