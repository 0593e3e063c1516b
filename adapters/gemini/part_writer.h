// One canonical part as one of Gemini's, its signature with it.
//
// A thought signature goes back to the model that made it, byte for byte and
// on the same part; for any other it is left out and named [TRN-2]. Where
// nobody says which model made it, it goes if it can be a signature at all.
//
// Threads:   Not safe; one object per request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      gemini.md sections 2 and 4 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_PART_WRITER_H_
#define LLM_ADAPTERS_GEMINI_PART_WRITER_H_

#include <string>
#include <string_view>

#include "adapters/gemini/rendering.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

struct WrittenPart {
  // Without the closing brace, so that a signature can still be added; empty:
  // nothing is sent. An opaque part is whole.
  std::string json;
  bool call = false;
  bool signed_part = false;
  bool whole = false;
};

class PartWriter {
 public:
  explicit PartWriter(Rendering& to) : to_(to) {}

  WrittenPart Write(const v1::Part& part);
  WrittenPart Text(std::string_view text);
  // OpenAI's old single call, {"name", "arguments"} as JSON.
  WrittenPart FunctionCall(std::string_view json);

 private:
  WrittenPart WriteText(const v1::TextPart& text);
  WrittenPart WriteReasoning(const v1::ReasoningPart& reasoning);
  WrittenPart WriteCall(const v1::ToolCall& call);
  WrittenPart WriteOpaque(const v1::Part& part);
  WrittenPart Call(std::string_view id, std::string_view name,
                   std::string_view arguments);
  void WriteModifiers(std::string_view extra_json, WrittenPart& out);
  void NameCallExtra(std::string_view extra_json);
  std::string Arguments(std::string_view text);
  bool Takes(std::string_view signature, std::string_view origin,
             std::string_view origin_model) const;
  void Sign(std::string_view signature, WrittenPart& out);

  Rendering& to_;
};

// Names what stood beside a part that takes nothing along.
void NamePartExtra(std::string_view extra_json, Rendering& to);

// The stand-in that Google documents for a call whose signature is not at
// hand, put on `part`.
void SignWithStandIn(WrittenPart& part);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_PART_WRITER_H_
