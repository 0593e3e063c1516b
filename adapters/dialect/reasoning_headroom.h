// What a cap on the answer's tokens means for a model that reasons [TRN-8].
//
// `max_completion_tokens` is the whole: reasoning and answer. It is sent as it
// is. `max_tokens` is the older word of callers that know no reasoning: they
// mean the answer. Where a provider's cap covers both, and the model will
// reason, it is raised by what reasoning of that effort is given, so that a
// small cap does not come back as an empty answer. Never beyond the model's
// own limit.
//
// Pure.
// Fact: the numbers are the budgets that Anthropic's and Google's own
//       compatible endpoints use for these words, the smaller of both
//       (anthropic.md 3.4, gemini.md 2.3; 2026-11-20).
#ifndef LLM_ADAPTERS_DIALECT_REASONING_HEADROOM_H_
#define LLM_ADAPTERS_DIALECT_REASONING_HEADROOM_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace llm {

// Tokens of reasoning for an effort; "" is what the model does by itself.
inline int64_t ReasoningHeadroom(std::string_view effort) {
  if (effort == "none") return 0;
  if (effort == "minimal" || effort == "low") return 1024;
  if (effort == "high") return 16'384;
  if (effort == "xhigh" || effort == "max") return 32'768;
  return 8192;
}

// Both are not negative; callers' numbers can be as large as they like.
inline int64_t SaturatingSum(int64_t cap, int64_t more) {
  return cap + std::min(more, std::numeric_limits<int64_t>::max() - cap);
}

// `cap` with room for reasoning; `limit` is the model's, 0 where unknown.
inline int64_t WithHeadroom(int64_t cap, std::string_view effort,
                            int64_t limit) {
  const int64_t roomy =
      SaturatingSum(std::max<int64_t>(cap, 0), ReasoningHeadroom(effort));
  return limit > 0 ? std::max(cap, std::min(roomy, limit)) : roomy;
}

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_REASONING_HEADROOM_H_
