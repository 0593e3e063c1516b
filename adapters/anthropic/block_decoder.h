// One content block of an answer, from its start to its stop, as canonical
// fragments.
//
// Text and thinking are passed on as they come; a signature at the block's
// end, whole. Calls open with their first event and their arguments follow.
// Everything else is Anthropic's own and comes out at its end as one opaque
// part, the block as it would stand in a whole answer.
//
// Threads:   Not safe; one object per block.
// Fact:      anthropic.md 4 and 5 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_BLOCK_DECODER_H_
#define LLM_ADAPTERS_ANTHROPIC_BLOCK_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/dialect/function_names.h"
#include "adapters/dialect/text_fragments.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

class BlockDecoder {
 public:
  enum class Kind { kText, kThinking, kCall, kAnswer, kOpaque };

  // `start` is the content_block, or a delta of a block whose start did not
  // come. `call_index` counts calls from 0; `id` is for one that has none.
  // `answer_tool` is the tool whose input is the answer; empty for none.
  // `names` are those that the request was sent with; they outlive the block.
  BlockDecoder(JsonValue start, int call_index, std::string id,
               std::string_view answer_tool, const FunctionNames& names);

  // What the start itself holds.
  void Open(JsonValue start, v1::Message* out);
  void Push(JsonValue delta, v1::Message* out);
  // The end; later calls do nothing.
  void Close(v1::Message* out);

  Kind kind() const { return kind_; }
  bool closed() const { return closed_; }
  // Text, call or opaque content came; thinking is none.
  bool has_answer() const { return has_answer_; }
  bool has_reasoning() const { return has_reasoning_; }
  int64_t characters() const { return characters_; }
  int64_t text_characters() const { return text_characters_; }
  bool has_citations() const { return !citations_.empty(); }
  // The citations, each one JSON object.
  const std::vector<std::string>& citations() const { return citations_; }

 private:
  void AddText(std::string text, v1::Message* out);
  void AddReasoning(std::string text, v1::Message* out);
  void AddArguments(std::string text, v1::Message* out);
  void OpenCall(JsonValue start, v1::Message* out);
  void CloseCall(v1::Message* out);
  void CloseOpaque(v1::Message* out);
  void Keep(JsonValue delta);

  Kind kind_ = Kind::kOpaque;
  bool closed_ = false;
  bool has_answer_ = false;
  bool has_reasoning_ = false;
  int64_t characters_ = 0;
  int64_t text_characters_ = 0;
  SurrogateJoiner joiner_;
  std::vector<std::string> citations_;
  std::string signature_;
  int call_index_ = 0;
  std::string id_;
  const FunctionNames& names_;
  // The start's input, JSON, for a call whose arguments never come.
  std::string input_;
  bool arguments_came_ = false;
  // An opaque block's members, JSON by name; what deltas add to the input.
  std::vector<std::pair<std::string, std::string>> members_;
  // Where in `members_` each name stands first.
  std::map<std::string, size_t> member_at_;
  std::string partial_input_;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_BLOCK_DECODER_H_
