// The reader of Anthropic's answers: whole messages and stream events, from
// Anthropic itself and from those that imitate it.
//
// Threads:   Not safe; one object per attempt.
// Errors:    In facts().failure; nothing is decoded after a failure.
// Units:     Tokens; characters are Unicode code points.
// Fact:      anthropic.md 4, 5 and 9 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_DECODER_H_
#define LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_DECODER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/anthropic/block_decoder.h"
#include "adapters/anthropic/usage_decoder.h"
#include "adapters/core/json.h"
#include "adapters/dialect/answer_decoder.h"
#include "adapters/dialect/extra_fields.h"
#include "adapters/dialect/function_names.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

class AnthropicDecoder : public AnswerDecoder {
 public:
  // `seed` is unique to the attempt and makes ids for calls that came without
  // one. `answer_tool` is the tool whose input is the answer's content.
  // `model` made what it signs, by the name it was asked under. `names` are
  // those that the request was sent with. `only_warms`: no tokens were asked
  // for.
  AnthropicDecoder(std::string seed, std::string answer_tool,
                   std::string model = {}, FunctionNames names = {},
                   bool only_warms = false)
      : seed_(std::move(seed)),
        answer_tool_(std::move(answer_tool)),
        model_(std::move(model)),
        names_(std::move(names)),
        only_warms_(only_warms) {}

  void OnWhole(std::string_view body, Chunks* out) override;
  void OnEvent(std::string_view type, std::string_view data,
               Chunks* out) override;
  void OnEnd(bool clean, Chunks* out) override;
  void Settle() override;

 private:
  bool FailOnError(JsonValue root, bool error_event);
  void OnMessageStart(JsonValue message, v1::Message* out);
  void OnBlockStart(JsonValue event, v1::Message* out);
  void OnBlockDelta(JsonValue event, v1::Message* out);
  void OnBlockStop(JsonValue event, v1::Message* out);
  void OnMessageDelta(JsonValue event);
  void ReadMessage(JsonValue message);
  void ReadStop(JsonValue holder);

  void CloseBefore(int64_t index, BlockDecoder::Kind kind, v1::Message* out);
  BlockDecoder& AddBlock(int64_t index, JsonValue start, v1::Message* out);
  void ReadEvent(std::string_view type, JsonValue event, v1::Message* out);
  void CloseBlock(BlockDecoder& block, v1::Message* out);
  void SeparateTexts(v1::Message* out);
  void AddAnnotations(const BlockDecoder& block, v1::Message* out);
  v1::Message* TargetOf(const BlockDecoder& block, v1::Message* out);
  void CloseAll(v1::Message* out);
  void CountOutput();
  void Finish(v1::ChunkChoice* choice);
  void Emit(v1::ChunkChoice choice, Chunks* out);
  void Judge();

  const std::string seed_;
  const std::string answer_tool_;
  const std::string model_;
  const FunctionNames names_;
  const bool only_warms_;
  JsonDocument document_;
  std::map<int64_t, std::unique_ptr<BlockDecoder>> open_;
  UsageDecoder usage_;
  // It says more than the facts do.
  bool usage_news_ = false;
  ExtraFields extra_;
  bool started_ = false;
  bool role_sent_ = false;
  int calls_ = 0;
  // What closed blocks came to.
  bool has_answer_ = false;
  bool has_reasoning_ = false;
  int64_t characters_ = 0;
  // Visible characters of content so far, for annotations.
  int64_t text_at_ = 0;
  // The last block was text and left no mark of its end.
  bool unmarked_text_ = false;
  // Text that came beside an answer tool, whose input is the content; passed
  // on only where the tool was not called.
  v1::Message held_;
  bool answered_by_tool_ = false;
  std::string stop_reason_;
  std::string finish_reason_;
  std::string choice_extra_;
  std::string refusal_;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_DECODER_H_
