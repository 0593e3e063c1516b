// Gemini's `usageMetadata` as disjoint buckets [COST-1].
//
// Convention: promptTokenCount includes cached tokens, but not the prompts of
// Google's own tools; candidatesTokenCount does not include thoughts. A field
// that is missing is 0. Streams repeat running totals, some without a field
// they had before: of each field the last value above zero counts, and chunks
// are never added up. Where the total says something else, the parts count.
//
// Threads: Not safe; one object per answer.
// Units:   Tokens.
// Fact:    gemini.md sections 3 and 5 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_USAGE_DECODER_H_
#define LLM_ADAPTERS_GEMINI_USAGE_DECODER_H_

#include <optional>
#include <string>

#include "adapters/core/json.h"
#include "adapters/core/usage.h"

namespace llm::gemini {

class UsageDecoder {
 public:
  // One usageMetadata; anything else is nothing.
  void Push(JsonValue usage);
  // Unset while nothing was counted. `complete`: no more will come, so what
  // was not reported is none.
  std::optional<TokenUsage> Usage(bool complete) const;
  // The last object that counted something, fit for audits.
  const std::string& raw() const { return raw_; }
  // "flex", "priority" or empty: the usual one.
  const std::string& tier() const { return tier_; }

 private:
  struct Modalities {
    TokenCount audio = 0;
    TokenCount image = 0;
    TokenCount video = 0;
  };
  void ReadTier(JsonValue usage);
  static void ReadDetails(JsonValue list, Modalities* out);
  void FillInput(TokenUsage* out) const;

  std::optional<TokenCount> prompt_;
  std::optional<TokenCount> cached_;
  std::optional<TokenCount> tool_use_;
  std::optional<TokenCount> candidates_;
  std::optional<TokenCount> thoughts_;
  std::optional<TokenCount> total_;
  Modalities in_prompt_;
  Modalities in_cache_;
  Modalities in_tools_;
  Modalities in_answer_;
  std::string raw_;
  std::string tier_;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_USAGE_DECODER_H_
