// One candidate of an answer: its chunks, or the whole of it, made into
// canonical fragments in the order they came.
//
// A signature stays on the part it came with, which then joins no other. A
// call that comes in pieces is opened at once and gets its arguments when it
// ends, and its signature with the piece that has it; pieces may repeat name
// and id. What only Gemini understands (code it ran, its tools' calls) is an
// opaque part of origin "gemini", as it came.
//
// Threads: Not safe; one object per candidate.
// Fact:    gemini.md sections 3 to 5 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_CANDIDATE_DECODER_H_
#define LLM_ADAPTERS_GEMINI_CANDIDATE_DECODER_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/dialect/extra_fields.h"
#include "adapters/dialect/function_names.h"
#include "adapters/dialect/text_fragments.h"
#include "adapters/gemini/partial_args.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

class CandidateDecoder {
 public:
  // `model` made the signatures, as requests name it; `seed` is unique to
  // answer and candidate; `names` outlives the decoder.
  CandidateDecoder(std::string model, std::string seed,
                   const FunctionNames& names)
      : model_(std::move(model)), seed_(std::move(seed)), names_(names) {}

  // What is fit to pass on now is added to `out`.
  void Push(JsonValue candidate, v1::ChunkChoice* out);
  // The prompt was blocked, for this reason.
  void Block(std::string_view reason);
  // The answer ended: what was held back, and the finish reason.
  void Close(v1::ChunkChoice* out);

  // The provider's finish word; empty until it came.
  const std::string& finish_word() const { return finish_word_; }
  // The canonical reason; empty until Close.
  const std::string& finish_reason() const { return finish_reason_; }
  bool blocked() const { return blocked_; }
  // Text, tool call, media, code: anything but reasoning.
  bool has_answer() const { return has_answer_; }
  // A call's arguments came in pieces that are no whole.
  bool broken() const { return broken_; }
  bool has_reasoning() const { return has_reasoning_; }
  int64_t characters() const { return characters_; }
  // A call is coming in pieces: there is progress that is not passed on.
  bool in_call() const { return in_call_; }

 private:
  void PushPart(JsonValue part, v1::Message* out);
  void PushText(JsonValue part, v1::Message* out);
  void PushCall(JsonValue part, v1::Message* out);
  void OpenCall(JsonValue function, v1::Message* out);
  void EndCall(v1::Message* out);
  void SignCall(v1::ToolCall* call);
  v1::ToolCall* Fragment(v1::Message* out);
  void PushMedia(JsonValue part, v1::Message* out);
  void PushOpaque(JsonValue part, v1::Message* out);
  void AddText(const std::string& text, v1::Message* out);
  void FlushText(v1::Message* out);
  std::string GoogleNote(const std::string& signature) const;

  std::string model_;
  std::string seed_;
  const FunctionNames& names_;
  SurrogateJoiner text_joiner_;
  SurrogateJoiner reasoning_joiner_;
  ExtraFields extra_;
  PartialArgs args_;
  // A whole `args` that came with a call that goes on.
  std::string whole_args_;
  bool in_call_ = false;
  // The provider's own; empty where it gave none.
  std::string open_id_;
  std::string call_signature_;
  bool call_signed_ = false;
  int calls_ = 0;
  std::set<std::string> ids_;
  std::string finish_word_;
  std::string finish_reason_;
  bool blocked_ = false;
  bool broken_ = false;
  bool has_answer_ = false;
  bool has_reasoning_ = false;
  int64_t characters_ = 0;
};

// True where a fragment holds something a caller must see.
bool HoldsSomething(const v1::ChunkChoice& choice);
// True where it holds content: anything but empty text with a signature.
bool HoldsContent(const v1::ChunkChoice& choice);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_CANDIDATE_DECODER_H_
