// What each vendor of profiles.cc takes, drops and renames, and how its models
// are told to reason. Internal to this room.
//
// Fact: from each vendor's page as named with its row in profiles.cc,
//       2026-11-20. A list of fields that a vendor takes holds what others
//       lack; "refused" means a 400 or 422 there.
#ifndef LLM_ADAPTERS_OPENAI_VENDOR_FIELDS_H_
#define LLM_ADAPTERS_OPENAI_VENDOR_FIELDS_H_

#include <string_view>

#include "adapters/openai/profiles.h"

namespace llm::openai {

// Lists are read as lists.
// clang-format off

inline constexpr std::string_view kDeepSeekDropped[] = {
    "n", "seed", "logit_bias", "parallel_tool_calls", "store", "metadata",
    "service_tier", "modalities", "audio", "prediction", "web_search_options",
    "verbosity", "moderation", "functions", "function_call",
    "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options"};
inline constexpr std::string_view kDeepSeekFields[] = {"thinking", "user_id"};
inline constexpr Rename kDeepSeekRenames[] = {{"user", "user_id"}};
inline constexpr std::string_view kQwenDropped[] = {
    "frequency_penalty", "user", "store", "metadata", "service_tier",
    "logit_bias", "prediction", "web_search_options", "verbosity", "moderation",
    "functions", "function_call", "safety_identifier", "prompt_cache_key",
    "prompt_cache_retention", "prompt_cache_options"};
// The parameter matrix of openai.md section 6 (2026-07). The models before o1,
// and those tuned from them, refuse reasoning_effort with a 400; the o models
// and gpt-5 itself take no "none"; the o models from o3 on take no stop.
inline constexpr std::string_view kStop[] = {"stop"};
inline constexpr ModelKind kOpenAiKinds[] = {
    {"gpt-3.5*", ReasoningStyle::kNone},
    {"gpt-4*", ReasoningStyle::kNone},
    {"ft:gpt-3.5*", ReasoningStyle::kNone},
    {"ft:gpt-4*", ReasoningStyle::kNone},
    {"chatgpt-4o*", ReasoningStyle::kNone},
    {"gpt-audio*", ReasoningStyle::kNone},
    {"gpt-5-chat*", ReasoningStyle::kNone},
    {.pattern = "o1*", .style = ReasoningStyle::kLevelOnly,
     .refuses_sampling = true},
    {.pattern = "o3*", .style = ReasoningStyle::kLevelOnly, .dropped = kStop,
     .refuses_sampling = true},
    {.pattern = "o4-mini*", .style = ReasoningStyle::kLevelOnly,
     .dropped = kStop, .refuses_sampling = true},
    {.pattern = "o4*", .style = ReasoningStyle::kLevelOnly,
     .refuses_sampling = true},
    {.pattern = "gpt-5", .style = ReasoningStyle::kLevelOnly,
     .refuses_sampling = true},
    {.pattern = "gpt-5-*", .style = ReasoningStyle::kLevelOnly,
     .refuses_sampling = true},
    {.pattern = "gpt-5*", .style = ReasoningStyle::kEffort,
     .refuses_sampling = true}};

inline constexpr std::string_view kQwenFields[] = {
    "enable_thinking", "thinking_budget", "preserve_thinking", "enable_search",
    "search_options", "top_k", "repetition_penalty",
    "vl_high_resolution_images", "translation_options"};
// The kinds of qwen.md section 2; what matches none takes the plain switch.
// Models of other makers keep their makers' rule for reasoning in the history
// (the same page, 2026-11-20).
inline constexpr std::string_view kHighMax[] = {"high", "max"};
inline constexpr ModelKind kQwenKinds[] = {
    {"kimi-k3*", ReasoningStyle::kAlwaysOn, ReasoningReplay::kEcho},
    {"kimi-k2-thinking*", ReasoningStyle::kAlwaysOn, ReasoningReplay::kEcho},
    {"kimi-k2.*", ReasoningStyle::kEnable, ReasoningReplay::kEcho},
    {"deepseek-r1*", ReasoningStyle::kAlwaysOn},
    {"MiniMax-M2*", ReasoningStyle::kAlwaysOn},
    {"*-thinking*", ReasoningStyle::kAlwaysOn},
    {"qwq*", ReasoningStyle::kAlwaysOn},
    {"qvq*", ReasoningStyle::kAlwaysOn},
    {"qwen3-coder*", ReasoningStyle::kNone},
    {"*-instruct*", ReasoningStyle::kNone},
    {"qwen3.8-*", ReasoningStyle::kEnableLevel, {}, kHighMax},
    {"glm-5*", ReasoningStyle::kEnableLevel, {}, kHighMax},
    {"deepseek-v4*", ReasoningStyle::kEnableLevel, ReasoningReplay::kEcho,
     kHighMax}};
inline constexpr std::string_view kOllamaDropped[] = {
    "logit_bias", "user", "n", "store", "metadata", "prediction",
    "web_search_options", "moderation", "service_tier", "functions",
    "function_call", "parallel_tool_calls", "verbosity", "safety_identifier",
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"};
inline constexpr std::string_view kVllmDropped[] = {
    "store", "metadata", "prediction", "web_search_options", "moderation",
    "functions", "function_call", "verbosity", "prompt_cache_retention",
    "prompt_cache_options"};
inline constexpr std::string_view kVllmFields[] = {
    "top_k", "min_p", "repetition_penalty", "min_tokens",
    "stop_token_ids", "ignore_eos", "chat_template_kwargs", "guided_json",
    "guided_regex", "guided_choice", "guided_grammar", "structured_outputs",
    "return_token_ids"};

// Moonshot: k2.5 and later have fixed sampling values, any other is a 400; k3
// and the code and thinking models always reason. Reasoning must come back
// with tool calls, or the request is refused.
inline constexpr std::string_view kMoonshotDropped[] = {
    "seed", "logit_bias", "logprobs", "top_logprobs"};
inline constexpr std::string_view kMoonshotFields[] = {
    "thinking", "prompt_cache_key", "safety_identifier"};
inline constexpr std::string_view kFixedSampling[] = {
    "temperature", "top_p", "frequency_penalty", "presence_penalty"};
inline constexpr std::string_view kLowHighMax[] = {"low", "high", "max"};
inline constexpr ModelKind kMoonshotKinds[] = {
    {"kimi-k3*", ReasoningStyle::kLevelOnly, {}, kLowHighMax, kFixedSampling},
    {"kimi-k2.7-code*", ReasoningStyle::kAlwaysOn, {}, {}, kFixedSampling},
    {"kimi-k2.*", ReasoningStyle::kThinking, {}, {}, kFixedSampling},
    {"kimi-k2-thinking*", ReasoningStyle::kAlwaysOn},
    {"kimi-k2*", ReasoningStyle::kNone, ReasoningReplay::kStrip},
    {"moonshot-v1*", ReasoningStyle::kNone, ReasoningReplay::kStrip}};

// Zhipu and Z.ai: user_id is refused unless it has 6 to 128 characters.
inline constexpr std::string_view kZhipuDropped[] = {
    "n", "seed", "frequency_penalty", "presence_penalty", "logprobs",
    "top_logprobs", "logit_bias", "parallel_tool_calls"};
inline constexpr std::string_view kZhipuFields[] = {
    "thinking", "do_sample", "tool_stream", "request_id", "user_id"};
inline constexpr Rename kZhipuRenames[] = {{"user", "user_id", 6, 128}};
inline constexpr ModelKind kZhipuKinds[] = {
    {"glm-5.3*", ReasoningStyle::kLevelOnly, {}, kLowHighMax},
    {"glm-5.2*", ReasoningStyle::kThinkingEffort},
    {"glm-4-*", ReasoningStyle::kNone, ReasoningReplay::kStrip},
    {"glm-3*", ReasoningStyle::kNone, ReasoningReplay::kStrip}};
inline constexpr std::string_view kZhipuToolStream[] = {"glm-4.6*", "glm-4.7*", "glm-5*"};

// SiliconFlow: enable_thinking is for hybrids; the models of others keep their
// makers' rule for reasoning in the history.
inline constexpr std::string_view kSiliconFlowDropped[] = {"n", "logprobs", "top_logprobs"};
inline constexpr std::string_view kSiliconFlowFields[] = {
    "enable_thinking", "thinking_budget", "min_p", "top_k"};
inline constexpr ModelKind kSiliconFlowKinds[] = {
    {"*Kimi-K2-Thinking*", ReasoningStyle::kAlwaysOn, ReasoningReplay::kEcho},
    {"*DeepSeek-V4*", ReasoningStyle::kEnable, ReasoningReplay::kEcho},
    {"*DeepSeek-R1*", ReasoningStyle::kAlwaysOn},
    {"*-Thinking*", ReasoningStyle::kAlwaysOn},
    {"*QwQ*", ReasoningStyle::kAlwaysOn},
    {"*-Instruct*", ReasoningStyle::kNone}};

// OpenRouter forwards what its upstreams take.
inline constexpr std::string_view kOpenRouterDropped[] = {
    "store", "metadata", "moderation", "functions", "function_call",
    "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options"};
inline constexpr std::string_view kOpenRouterFields[] = {
    "reasoning", "provider", "models", "route", "plugins", "top_k",
    "transforms", "min_p", "top_a", "usage", "session_id", "include_reasoning",
    "repetition_penalty"};

// Groq: qwen3 writes <think> into the content unless reasoning_format says
// parsed, and refuses the other form beside tools and JSON.
inline constexpr std::string_view kGroqDropped[] = {
    "n", "logprobs", "top_logprobs", "logit_bias"};
inline constexpr std::string_view kGroqFields[] = {
    "reasoning_format", "include_reasoning", "service_tier"};
inline constexpr std::string_view kGroqTiers[] = {"auto", "on_demand", "flex", "performance"};
inline constexpr std::string_view kLowToHigh[] = {"low", "medium", "high"};
inline constexpr std::string_view kNoneOrDefault[] = {"none", "default"};
inline constexpr ModelKind kGroqKinds[] = {
    {"openai/gpt-oss*", ReasoningStyle::kLevelOnly, {}, kLowToHigh},
    {.pattern = "qwen/qwen3*",
     .style = ReasoningStyle::kEffort,
     .levels = kNoneOrDefault,
     .constants = R"({"reasoning_format":"parsed"})"}};

// Mistral: reasoning_effort on small-2603 and medium-3.5 and later only;
// magistral always reasons.
inline constexpr std::string_view kMistralDropped[] = {
    "user", "logprobs", "top_logprobs", "logit_bias"};
inline constexpr std::string_view kMistralFields[] = {
    "safe_prompt", "random_seed", "prompt_mode"};
inline constexpr Rename kMistralRenames[] = {{"seed", "random_seed"}};
inline constexpr std::string_view kNoneOrHigh[] = {"none", "high"};
inline constexpr ModelKind kMistralKinds[] = {
    {"magistral*", ReasoningStyle::kAlwaysOn},
    {"mistral-small-2603*", ReasoningStyle::kEffort, {}, kNoneOrHigh},
    {"mistral-small-latest", ReasoningStyle::kEffort, {}, kNoneOrHigh},
    {"mistral-medium-2604*", ReasoningStyle::kEffort, {}, kNoneOrHigh},
    {"mistral-medium-3.5*", ReasoningStyle::kEffort, {}, kNoneOrHigh}};

// clang-format on

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_VENDOR_FIELDS_H_
