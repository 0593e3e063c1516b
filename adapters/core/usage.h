// What one attempt consumed, in disjoint buckets.
//
// Units: Tokens. Missing is not zero: an unset bucket was not reported.
// Input buckets are disjoint: fresh_input + cache_read + cache_write_5m +
// cache_write_1h is the whole prompt. `output` is all output, `reasoning` the
// part of it spent on reasoning. Audio counts say how much of fresh_input,
// cache_read and output was audio; image and video how much of fresh_input;
// image_cache_read how much of cache_read was either, which no price tells.
// Each codec converts its provider's convention once, in one function, and
// says there which one it is.
#ifndef LLM_ADAPTERS_CORE_USAGE_H_
#define LLM_ADAPTERS_CORE_USAGE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace llm {

using TokenCount = int64_t;

// Where the numbers come from; `kPartial` is a stream that was cut after some
// usage had been reported.
enum class UsageSource { kNone, kProvider, kPartial, kEstimated };

struct TokenUsage {
  std::optional<TokenCount> fresh_input;
  std::optional<TokenCount> cache_read;
  std::optional<TokenCount> cache_write_5m;
  std::optional<TokenCount> cache_write_1h;
  // True where cache_read came from an explicitly requested cache (Qwen
  // prices those hits differently).
  bool cache_read_explicit = false;
  std::optional<TokenCount> output;
  std::optional<TokenCount> reasoning;
  std::optional<TokenCount> audio_input;
  std::optional<TokenCount> audio_cache_read;
  std::optional<TokenCount> audio_output;
  std::optional<TokenCount> image_input;
  std::optional<TokenCount> video_input;
  std::optional<TokenCount> image_cache_read;
  std::optional<TokenCount> accepted_prediction;
  std::optional<TokenCount> rejected_prediction;
  // Web searches that the provider ran, each charged beside the tokens.
  std::optional<TokenCount> web_searches;
  // Where the provider says it served, if that is priced by itself ("us").
  // Empty: anywhere.
  std::string geo;
  // The tier that the provider says it served ("flex", "priority"); prices
  // depend on it. Empty: the usual one.
  std::string service_tier;
  // Exact charge reported by the provider itself (OpenRouter's usage.cost),
  // decimal text in USD; kept beside our own computation.
  std::string reported_cost;

  // The whole prompt; unset when no input bucket is set.
  std::optional<TokenCount> TotalInput() const;
  bool empty() const { return !TotalInput() && !output; }
  friend bool operator==(const TokenUsage&, const TokenUsage&) = default;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_USAGE_H_
