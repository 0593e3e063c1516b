// Content parts as Anthropic's blocks: text, pictures, documents, and what
// came from Anthropic and goes back as it is.
//
// Threads:   Not safe; one object per rendered request.
// Ownership: `notes` outlives the writer.
// Fact:      anthropic.md 2 and 3.2 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_CONTENT_WRITER_H_
#define LLM_ADAPTERS_ANTHROPIC_CONTENT_WRITER_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/anthropic/block.h"
#include "adapters/dialect/data_url.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

class ContentWriter {
 public:
  explicit ContentWriter(RenderNotes& notes) : notes_(notes) {}

  // Text, refusal, media and opaque parts. White space alone is refused
  // upstream and says nothing, so it makes no block. `out` holds what the same
  // message has said so far: citations go to the text before them.
  void Add(const v1::Part& part, std::vector<Block>* out);

  // A text part, behind the `blank` ones before it: white space between two
  // texts is no block, but must not be lost.
  void AddSaid(const v1::Part& part, std::string* blank,
               std::vector<Block>* out);

  // Members of `extra` (an object) that are `allowed` are written; its
  // cache_control goes to `cache`; others are named behind `name`.
  void AddExtra(std::string_view extra,
                std::span<const std::string_view> allowed,
                std::string_view name, JsonWriter* out, std::string* cache);

 private:
  void AddText(const v1::Part& part, std::vector<Block>* out);
  void AddMedia(const v1::Part& part, std::vector<Block>* out);
  void AddOpaque(const v1::OpaquePart& part, std::vector<Block>* out);
  void Cite(JsonValue citations, std::vector<Block>* out);
  std::optional<DataUrl> Inline(const v1::MediaPart& media);
  void WriteImageSource(const v1::MediaPart& media, JsonWriter* out);
  void WriteDocumentSource(const v1::MediaPart& media, JsonWriter* out);

  RenderNotes& notes_;
};

// True for text that is nothing but white space.
bool IsBlank(std::string_view text);

// The block types that only Anthropic has, so that they are its own whoever
// wrote them down: a caller of the OpenAI door may use them, too.
bool IsNativeBlock(JsonValue block);

// A block in Anthropic's own shape: as it is, but its own cache mark apart, so
// that it can be taken away. `json` is the text of `value`.
void CopyNative(JsonValue value, std::string_view json, Block* block);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_CONTENT_WRITER_H_
