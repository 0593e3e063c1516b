// The plain members of a request, each sent, dropped and named, or refused.
//
// Threads:   Not safe; one object per rendered request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      anthropic.md 2, 3 and 3.4 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_REQUEST_FIELDS_H_
#define LLM_ADAPTERS_ANTHROPIC_REQUEST_FIELDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/anthropic/block.h"
#include "adapters/anthropic/claude_models.h"
#include "adapters/core/provider.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

class FieldWriter {
 public:
  struct Setting {
    const ClaudeModel& model;
    const ModelTraits& traits;
    // The request as sent thinks.
    bool thinking = false;
  };
  FieldWriter(Setting setting, RenderNotes& notes, JsonWriter& out)
      : setting_(setting), notes_(notes), out_(out) {}

  // Sampling, stop sequences, metadata, tier.
  void WriteFields(const v1::ChatCompletionRequest& request, JsonValue extra);
  // The caller's own members that Anthropic knows; the rest is named.
  void WriteExtras(JsonValue extra);
  // Named, or refused where leaving it out would be another request.
  void NameUnsupported(const v1::ChatCompletionRequest& request);

 private:
  void WriteSampling(const v1::ChatCompletionRequest& request, JsonValue extra);
  void WriteStop(const v1::ChatCompletionRequest& request);
  void WriteUser(const v1::ChatCompletionRequest& request);
  void WriteTier(const v1::ChatCompletionRequest& request);

  const Setting setting_;
  RenderNotes& notes_;
  JsonWriter& out_;
};

// The beta names that a caller sends along, as a list or one text.
std::vector<std::string> BetasOf(JsonValue extra);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_REQUEST_FIELDS_H_
