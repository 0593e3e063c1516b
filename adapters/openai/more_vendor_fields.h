// vendor_fields.h, from xAI on. Internal to this room.
//
// Fact: as there.
#ifndef LLM_ADAPTERS_OPENAI_MORE_VENDOR_FIELDS_H_
#define LLM_ADAPTERS_OPENAI_MORE_VENDOR_FIELDS_H_

#include "adapters/openai/vendor_fields.h"

namespace llm::openai {

// clang-format off
// xAI: the model's name decides who takes reasoning_effort; models that
// reason refuse penalties and stop. Deferred answers are a 202 without one.
inline constexpr std::string_view kXaiDropped[] = {"search_parameters", "deferred"};
inline constexpr std::string_view kXaiFields[] = {"user", "service_tier"};
inline constexpr std::string_view kXaiTiers[] = {"default", "priority"};
inline constexpr std::string_view kXaiReasoningDropped[] = {
    "frequency_penalty", "presence_penalty", "stop"};
inline constexpr std::string_view kNoneToHigh[] = {"none", "low", "medium", "high"};
inline constexpr std::string_view kLowToXHigh[] = {"low", "medium", "high", "xhigh"};
inline constexpr std::string_view kLowOrHigh[] = {"low", "high"};
inline constexpr ModelKind kXaiKinds[] = {
    {"*-non-reasoning*", ReasoningStyle::kNone},
    {"grok-4.3*",
     ReasoningStyle::kEffort,
     {},
     kNoneToHigh,
     kXaiReasoningDropped},
    {"grok-4.5*",
     ReasoningStyle::kLevelOnly,
     {},
     kLowToHigh,
     kXaiReasoningDropped},
    {"grok-4.6*",
     ReasoningStyle::kLevelOnly,
     {},
     kLowToXHigh,
     kXaiReasoningDropped},
    {"grok-3-mini*",
     ReasoningStyle::kLevelOnly,
     {},
     kLowOrHigh,
     kXaiReasoningDropped},
    {"grok-4*", ReasoningStyle::kAlwaysOn, {}, {}, kXaiReasoningDropped},
    {"grok-code*", ReasoningStyle::kAlwaysOn, {}, {}, kXaiReasoningDropped},
    {"grok-build*", ReasoningStyle::kAlwaysOn, {}, {}, kXaiReasoningDropped}};

// Volcengine: max_completion_tokens covers reasoning and answer; penalties are
// refused by the models that always think.
inline constexpr std::string_view kVolcengineFields[] = {"thinking", "service_tier"};
inline constexpr std::string_view kVolcengineTiers[] = {"auto", "default"};
inline constexpr std::string_view kPenalties[] = {"frequency_penalty", "presence_penalty"};
inline constexpr ModelKind kVolcengineKinds[] = {
    {"kimi-k2-thinking*", ReasoningStyle::kAlwaysOn, ReasoningReplay::kEcho},
    {"deepseek-v4*", ReasoningStyle::kThinking, ReasoningReplay::kEcho},
    {"deepseek-r1*", ReasoningStyle::kAlwaysOn, {}, {}, kPenalties},
    {"*-thinking-*", ReasoningStyle::kAlwaysOn, {}, {}, kPenalties}};

// MiniMax ignores penalties and logit_bias, and answers once.
inline constexpr std::string_view kMiniMaxDropped[] = {
    "n", "frequency_penalty", "presence_penalty", "logit_bias"};
inline constexpr std::string_view kMiniMaxFields[] = {"reasoning_split"};

// Azure before 2024-12-01-preview.
inline constexpr std::string_view kAzureClassicDropped[] = {
    "store", "metadata", "prediction", "service_tier", "web_search_options",
    "moderation", "verbosity", "prompt_cache_key", "prompt_cache_retention",
    "modalities", "audio", "prompt_cache_options", "safety_identifier"};

// Together's logprobs is a number, and what it answers has another shape.
inline constexpr std::string_view kTogetherDropped[] = {"logprobs", "top_logprobs"};
inline constexpr std::string_view kTogetherFields[] = {
    "top_k", "min_p", "repetition_penalty", "echo", "safety_model",
    "context_length_exceeded_behavior", "reasoning", "chat_template_kwargs"};
inline constexpr ModelKind kTogetherKinds[] = {
    {"openai/gpt-oss*", ReasoningStyle::kLevelOnly, {}, kLowToHigh},
    {"*DeepSeek-R1*", ReasoningStyle::kAlwaysOn},
    {"*-Thinking*", ReasoningStyle::kAlwaysOn},
    {"*-Instruct*", ReasoningStyle::kNone}};

inline constexpr std::string_view kFireworksFields[] = {
    "user", "top_k", "min_p", "typical_p", "repetition_penalty",
    "mirostat_target", "mirostat_lr", "context_length_exceeded_behavior",
    "prompt_truncate_len", "reasoning_history", "raw_output",
    "perf_metrics_in_response"};
// clang-format on

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_MORE_VENDOR_FIELDS_H_
