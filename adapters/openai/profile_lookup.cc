#include <algorithm>

#include "adapters/core/text.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {
namespace {

using sv = std::string_view;

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

// OpenAI's own (openai.md section 2); few of the others follow.
constexpr sv kOpenAiOnly[] = {"modalities",
                              "audio",
                              "prediction",
                              "service_tier",
                              "store",
                              "metadata",
                              "user",
                              "verbosity",
                              "safety_identifier",
                              "web_search_options",
                              "moderation",
                              "functions",
                              "function_call",
                              "prompt_cache_key",
                              "prompt_cache_options",
                              "prompt_cache_retention"};

}  // namespace

bool MatchesPattern(sv pattern, sv text) {
  const size_t star = pattern.find('*');
  if (star == sv::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  pattern.remove_prefix(star + 1);
  for (size_t at = star; at <= text.size(); ++at) {
    if (MatchesPattern(pattern, text.substr(at))) return true;
  }
  return false;
}

const Profile& FindProfile(sv id) {
  for (const Profile& profile : AllProfiles()) {
    if (profile.id == id) return profile;
  }
  return AllProfiles().front();
}

const ModelKind* FindKind(const Profile& profile, sv upstream_model) {
  for (const ModelKind& kind : profile.model_kinds) {
    if (MatchesPattern(kind.pattern, upstream_model)) return &kind;
  }
  return nullptr;
}

ReasoningStyle ReasoningStyleFor(const Profile& profile, sv upstream_model) {
  const ModelKind* const kind = FindKind(profile, upstream_model);
  return kind == nullptr ? profile.reasoning : kind->style;
}

ReasoningReplay ReasoningReplayFor(const Profile& profile, sv upstream_model) {
  const ModelKind* const kind = FindKind(profile, upstream_model);
  return kind == nullptr ? profile.replay
                         : kind->replay.value_or(profile.replay);
}

bool TakesField(const Profile& profile, sv upstream_model, sv name) {
  if (Among(profile.dropped, name)) return false;
  const ModelKind* const kind = FindKind(profile, upstream_model);
  if (kind != nullptr && Among(kind->dropped, name)) return false;
  return !profile.core_fields_only || !IsOpenAiOnly(name) ||
         Among(profile.extra_fields, name);
}

bool IsVendorField(sv name) { return Among(kVendorFields, name); }

bool IsOpenAiOnly(sv name) { return Among(kOpenAiOnly, name); }

}  // namespace llm::openai
