#include "adapters/openai/profiles.h"

#include <algorithm>

namespace llm::openai {
namespace {

using sv = std::string_view;

constexpr Site kOpenAiSites[] = {{.id = "openai",
                                  .base_url = "https://api.openai.com/v1",
                                  .key_variable = "OPENAI_API_KEY",
                                  .price_provider = "openai"}};

constexpr sv kDeepSeekDropped[] = {"n",
                                   "seed",
                                   "logit_bias",
                                   "parallel_tool_calls",
                                   "store",
                                   "metadata",
                                   "service_tier",
                                   "modalities",
                                   "audio",
                                   "prediction",
                                   "web_search_options",
                                   "verbosity",
                                   "moderation",
                                   "functions",
                                   "function_call",
                                   "safety_identifier",
                                   "prompt_cache_key",
                                   "prompt_cache_retention",
                                   "prompt_cache_options"};
constexpr sv kDeepSeekFields[] = {"thinking", "user_id"};
constexpr Rename kDeepSeekRenames[] = {{"user", "user_id"}};
constexpr Site kDeepSeekSites[] = {{.id = "deepseek",
                                    .base_url = "https://api.deepseek.com",
                                    .key_variable = "DEEPSEEK_API_KEY",
                                    .price_provider = "deepseek"}};

constexpr sv kQwenDropped[] = {"frequency_penalty",
                               "user",
                               "store",
                               "metadata",
                               "service_tier",
                               "logit_bias",
                               "prediction",
                               "web_search_options",
                               "verbosity",
                               "moderation",
                               "functions",
                               "function_call",
                               "safety_identifier",
                               "prompt_cache_key",
                               "prompt_cache_retention",
                               "prompt_cache_options"};
constexpr sv kQwenFields[] = {"enable_thinking",    "thinking_budget",
                              "preserve_thinking",  "enable_search",
                              "search_options",     "top_k",
                              "repetition_penalty", "vl_high_resolution_images",
                              "translation_options"};
// The kinds of qwen.md section 2; what matches none takes the plain switch.
// Models of other makers keep their makers' rule for reasoning in the history
// (the same page, 2026-11-20).
constexpr ModelKind kQwenKinds[] = {
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
    {"qwen3.8-*", ReasoningStyle::kEnableLevel},
    {"glm-5*", ReasoningStyle::kEnableLevel},
    {"deepseek-v4*", ReasoningStyle::kEnableLevel, ReasoningReplay::kEcho}};
// A key belongs to one region, so the second site never turns on by itself.
constexpr Site kQwenSites[] = {
    {.id = "qwen",
     .base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1",
     .key_variable = "DASHSCOPE_API_KEY",
     .currency = "CNY",
     .price_provider = "qwen"},
    {.id = "qwen-intl",
     .base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
     .key_variable = "DASHSCOPE_API_KEY",
     .price_provider = "qwen-intl",
     .on_by_default = false}};

constexpr sv kOllamaDropped[] = {"logit_bias",
                                 "user",
                                 "n",
                                 "store",
                                 "metadata",
                                 "prediction",
                                 "web_search_options",
                                 "moderation",
                                 "service_tier",
                                 "functions",
                                 "function_call",
                                 "parallel_tool_calls",
                                 "verbosity",
                                 "safety_identifier",
                                 "prompt_cache_key",
                                 "prompt_cache_retention",
                                 "prompt_cache_options"};
constexpr Site kOllamaSites[] = {{.id = "ollama",
                                  .base_url = "http://localhost:11434/v1",
                                  .key_variable = "",
                                  .price_provider = "ollama",
                                  .on_by_default = false}};

constexpr sv kVllmDropped[] = {"store",
                               "metadata",
                               "prediction",
                               "web_search_options",
                               "moderation",
                               "functions",
                               "function_call",
                               "verbosity",
                               "prompt_cache_retention",
                               "prompt_cache_options"};
constexpr sv kVllmFields[] = {"top_k",
                              "min_p",
                              "repetition_penalty",
                              "min_tokens",
                              "priority",
                              "stop_token_ids",
                              "ignore_eos",
                              "chat_template_kwargs",
                              "guided_json",
                              "guided_regex",
                              "guided_choice",
                              "guided_grammar",
                              "structured_outputs",
                              "return_token_ids"};
constexpr Site kVllmSites[] = {{.id = "vllm",
                                .base_url = "http://localhost:8000/v1",
                                .key_variable = "VLLM_API_KEY",
                                .price_provider = "vllm",
                                .on_by_default = false}};

constexpr Profile kProfiles[] = {
    // The plain dialect: any compatible server. What the caller sent is sent.
    // Unary calls stay whole, since nobody knows that its streams carry
    // usage; streams ask for it, which most servers honour or ignore.
    {.checks_extra_fields = false},
    // Refuses unknown fields with a 400, so vendor fields are held back.
    {.id = "openai",
     .error_vendor = "openai",
     .token_cap = TokenCap::kMaxCompletionTokens,
     .stream_unary = true,
     .pads_streams = true,
     .reasoning = ReasoningStyle::kEffort,
     .sampling_without_reasoning = true,
     .replay = ReasoningReplay::kStrip,
     .metadata_needs_store = true,
     .page = "https://platform.openai.com/docs/api-reference/chat",
     .date = "2026-08-21",
     .sites = kOpenAiSites},
    // The isolation field is user_id; in thinking mode every assistant turn
    // with tool calls must bring its reasoning back, else 400.
    {.id = "deepseek",
     .error_vendor = "deepseek",
     .token_cap = TokenCap::kMaxTokens,
     .stream_unary = true,
     .developer_role = false,
     .reasoning = ReasoningStyle::kThinkingEffort,
     .thinks_by_default = true,
     .replay = ReasoningReplay::kEcho,
     .tool_choice = ToolChoiceRule::kNotWhenThinking,
     .json_schema = false,
     .custom_tools = false,
     .strict_tools = false,
     .flatten_text = true,
     .max_stop = 16,
     .extra_fields = kDeepSeekFields,
     .dropped = kDeepSeekDropped,
     .renames = kDeepSeekRenames,
     .page = "https://api-docs.deepseek.com/api/create-chat-completion",
     .date = "2026-11-20",
     .sites = kDeepSeekSites},
    // parallel_tool_calls is false there unless sent; open-weights models
    // reason only in streams, so unary calls are streamed.
    {.id = "qwen",
     .error_vendor = "qwen",
     .token_cap = TokenCap::kMaxTokens,
     .stream_unary = true,
     .developer_role = false,
     .reasoning = ReasoningStyle::kEnable,
     .model_kinds = kQwenKinds,
     .replay = ReasoningReplay::kStrip,
     .tool_choice = ToolChoiceRule::kNamedWhenNotThinking,
     .custom_tools = false,
     .explicit_parallel_calls = true,
     .extra_fields = kQwenFields,
     .dropped = kQwenDropped,
     .page = "https://help.aliyun.com/zh/model-studio/"
             "compatibility-of-openai-with-dashscope",
     .date = "2026-11-20",
     .sites = kQwenSites},
    {.id = "ollama",
     .token_cap = TokenCap::kMaxTokens,
     .stream_unary = true,
     .developer_role = false,
     .reasoning = ReasoningStyle::kEffort,
     .replay = ReasoningReplay::kStrip,
     .tool_choice = ToolChoiceRule::kUnsupported,
     .custom_tools = false,
     .dropped = kOllamaDropped,
     .page = "https://docs.ollama.com/openai",
     .date = "2026-11-20",
     .sites = kOllamaSites},
    {.id = "vllm",
     .token_cap = TokenCap::kMaxTokens,
     .stream_unary = true,
     .reasoning = ReasoningStyle::kTemplate,
     .replay = ReasoningReplay::kStrip,
     .custom_tools = false,
     .extra_fields = kVllmFields,
     .dropped = kVllmDropped,
     .page = "https://docs.vllm.ai/en/stable/serving/"
             "openai_compatible_server.html",
     .date = "2026-11-20",
     .sites = kVllmSites},
};

// Added to the dialect by some vendor or other; OpenAI refuses every one of
// them. From the "extras" of each vendor's page, 2026-11-20.
constexpr sv kVendorFields[] = {
    "top_k",
    "top_a",
    "min_p",
    "typical_p",
    "repetition_penalty",
    "length_penalty",
    "mirostat_target",
    "mirostat_lr",
    "min_tokens",
    "ignore_eos",
    "stop_token_ids",
    "priority",
    "chat_template_kwargs",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
    "return_token_ids",
    "enable_thinking",
    "thinking",
    "thinking_budget",
    "preserve_thinking",
    "clear_thinking",
    "enable_search",
    "search_options",
    "search_parameters",
    "vl_high_resolution_images",
    "translation_options",
    "reasoning",
    "reasoning_format",
    "reasoning_history",
    "reasoning_split",
    "include_reasoning",
    "provider",
    "models",
    "route",
    "plugins",
    "transforms",
    "usage",
    "session_id",
    "safe_prompt",
    "random_seed",
    "prompt_mode",
    "do_sample",
    "tool_stream",
    "request_id",
    "user_id",
    "echo",
    "safety_model",
    "context_length_exceeded_behavior",
    "prompt_truncate_len",
    "raw_output",
    "perf_metrics_in_response",
    "chunk_include_usage",
    "deferred",
    "num_ctx",
    "keep_alive",
    "options",
};

bool Matches(sv pattern, sv text) {
  const size_t star = pattern.find('*');
  if (star == sv::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  pattern.remove_prefix(star + 1);
  for (size_t at = star; at <= text.size(); ++at) {
    if (Matches(pattern, text.substr(at))) return true;
  }
  return false;
}

const ModelKind* KindOf(const Profile& profile, sv upstream_model) {
  for (const ModelKind& kind : profile.model_kinds) {
    if (Matches(kind.pattern, upstream_model)) return &kind;
  }
  return nullptr;
}

}  // namespace

std::span<const Profile> AllProfiles() { return kProfiles; }

const Profile& FindProfile(std::string_view id) {
  for (const Profile& profile : kProfiles) {
    if (profile.id == id) return profile;
  }
  return kProfiles[0];
}

ReasoningStyle ReasoningStyleFor(const Profile& profile,
                                 std::string_view upstream_model) {
  const ModelKind* const kind = KindOf(profile, upstream_model);
  return kind == nullptr ? profile.reasoning : kind->style;
}

ReasoningReplay ReasoningReplayFor(const Profile& profile,
                                   std::string_view upstream_model) {
  const ModelKind* const kind = KindOf(profile, upstream_model);
  return kind == nullptr ? profile.replay
                         : kind->replay.value_or(profile.replay);
}

bool IsVendorField(std::string_view name) {
  return std::find(std::begin(kVendorFields), std::end(kVendorFields), name) !=
         std::end(kVendorFields);
}

}  // namespace llm::openai
