// A provider's `usage` object as disjoint buckets [COST-1].
//
// Convention: OpenAI's. prompt_tokens includes cache reads, cache writes,
// audio and images; completion_tokens includes reasoning and audio. Vendors
// that differ are recognised by arithmetic, not by name:
//  * cached > prompt: the prompt leaves the cached tokens out (xAI).
//  * total - prompt as reported >= completion + reasoning: reasoning is
//    outside (xAI).
//  * total - prompt > completion without reasoning: the rest is reasoning
//    that nobody counted (Gemini's compatible endpoint).
//
// Threads: Pure.
// Units:   Tokens.
#ifndef LLM_ADAPTERS_OPENAI_USAGE_DECODER_H_
#define LLM_ADAPTERS_OPENAI_USAGE_DECODER_H_

#include <optional>
#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/core/usage.h"

namespace llm::openai {

// Unset where `usage` is no object or counts nothing. Inconsistent servers
// are bent to the nearest record without negative buckets.
std::optional<TokenUsage> DecodeUsage(JsonValue usage);

// A JSON number as plain decimal text: "8.5e-05" is "0.000085". Empty for
// what is not a non-negative number of sane size.
std::string PlainDecimal(std::string_view number);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_USAGE_DECODER_H_
