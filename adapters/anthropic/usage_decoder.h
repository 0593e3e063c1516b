// Anthropic's `usage` objects as disjoint buckets [COST-1].
//
// Convention: input_tokens leaves both cache counts out, so the three are
// buckets already. output_tokens includes thinking. In a stream a later record
// replaces an earlier one member by member, null says nothing. Cache writes
// are split by age in `cache_creation` only. What compaction consumed stands
// in `iterations` alone and is added; other iterations are contained already,
// or are another model's (advisor). Web searches and inference in the United
// States are charged beside (platform.claude.com/docs/en/about-claude/pricing,
// .../manage-claude/data-residency, 2026-11-27: Opus 4.6 and later; an older
// model refuses the parameter).
//
// Threads: Not safe; one object per answer.
// Units:   Tokens.
// Fact:    anthropic.md 4 and 5 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_USAGE_DECODER_H_
#define LLM_ADAPTERS_ANTHROPIC_USAGE_DECODER_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/core/usage.h"

namespace llm::anthropic {

class UsageDecoder {
 public:
  // One more `usage` value; what is no object is nothing. True where it says
  // something new.
  bool Push(JsonValue usage);
  // Prices go by it; empty for the usual one.
  std::string service_tier() const { return fast_ ? "fast" : tier_; }
  // Unset where nothing was counted.
  std::optional<TokenUsage> usage() const;
  // All records as one, for audits; empty if there was none.
  std::string raw_json() const;

 private:
  void ReadTier(JsonValue usage);

  // The newest value of each member, in order of first appearance.
  std::vector<std::pair<std::string, std::string>> members_;
  std::string tier_;
  bool fast_ = false;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_USAGE_DECODER_H_
