// Tool calls as compatible servers send them, made into canonical fragments:
// indexes count from zero in order of appearance, id, type and name are on
// the first fragment only and never empty, empty arguments become "{}"
// [TRN-4].
//
// Seen in the wild (openai.md 7, qwen.md 3, others.md): index missing or the
// same for every call, not counted from zero; id missing, "", "null", or
// repeated on each fragment; name repeated or ""; the whole call in one
// chunk; arguments as an object, or null.
//
// Threads: Not safe; one object per choice.
#ifndef LLM_ADAPTERS_OPENAI_TOOL_CALL_DECODER_H_
#define LLM_ADAPTERS_OPENAI_TOOL_CALL_DECODER_H_

#include <optional>
#include <string>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/dialect/text_fragments.h"
#include "llm/v1/chat.pb.h"

namespace llm::openai {

class ToolCallDecoder {
 public:
  // Ids that the server leaves out are made from `seed`, which must be unique
  // to the answer and choice.
  explicit ToolCallDecoder(std::string seed) : seed_(std::move(seed)) {}

  // One `tool_calls` value; appends fragments to `out`.
  void Push(JsonValue tool_calls, v1::Message* out);
  // The choice ended: what was held back, and "{}" for empty arguments.
  void Close(v1::Message* out);

  bool any() const { return !calls_.empty(); }
  // Characters of names and arguments so far.
  int64_t characters() const { return characters_; }

 private:
  struct Call {
    std::optional<int64_t> upstream_index;
    std::string upstream_id;
    bool custom = false;
    bool opened = false;  // the first fragment is out
    bool empty = true;    // no argument text yet
    std::string held;     // arguments that came before the name
    SurrogateJoiner joiner;
  };

  size_t FindOrAdd(JsonValue entry, const std::string& id,
                   const std::string& name);
  void PushOne(JsonValue entry, v1::Message* out);
  void Open(size_t at, JsonValue entry, const std::string& name,
            v1::Message* out);
  void Append(size_t at, std::string text, v1::Message* out);
  std::string MakeId(size_t at) const;

  std::string seed_;
  std::vector<Call> calls_;
  int64_t characters_ = 0;
};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_TOOL_CALL_DECODER_H_
