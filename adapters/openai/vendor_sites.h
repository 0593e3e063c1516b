// Where each vendor of profiles.cc can be reached, and whose key opens it.
// Internal to this room.
//
// Fact: base URLs and key variables from each vendor's page as named with its
//       row in profiles.cc, 2026-11-20.
#ifndef LLM_ADAPTERS_OPENAI_VENDOR_SITES_H_
#define LLM_ADAPTERS_OPENAI_VENDOR_SITES_H_

#include "adapters/openai/profiles.h"

namespace llm::openai {

inline constexpr Site kOpenAiSites[] = {
    {.id = "openai",
     .base_url = "https://api.openai.com/v1",
     .key_variable = "OPENAI_API_KEY",
     .price_provider = "openai",
     .on_by_default = true}};
inline constexpr Site kDeepSeekSites[] = {
    {.id = "deepseek",
     .base_url = "https://api.deepseek.com",
     .key_variable = "DEEPSEEK_API_KEY",
     .price_provider = "deepseek",
     .on_by_default = true}};
// A key belongs to one region, so the second site never turns on by itself.
inline constexpr Site kQwenSites[] = {
    {.id = "qwen",
     .base_url = "https://dashscope.aliyuncs.com/compatible-mode/v1",
     .key_variable = "DASHSCOPE_API_KEY",
     .currency = "CNY",
     .price_provider = "qwen",
     .on_by_default = true},
    {.id = "qwen-intl",
     .base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
     .key_variable = "DASHSCOPE_API_KEY",
     .price_provider = "qwen-intl"}};
inline constexpr Site kOllamaSites[] = {
    {.id = "ollama",
     .base_url = "http://localhost:11434/v1",
     .key_variable = "",
     .price_provider = "ollama",
     .needs_key = false}};
inline constexpr Site kVllmSites[] = {{.id = "vllm",
                                       .base_url = "http://localhost:8000/v1",
                                       .key_variable = "VLLM_API_KEY",
                                       .price_provider = "vllm",
                                       .needs_key = false}};
// Keys of one site are refused at the other.
inline constexpr Site kMoonshotSites[] = {
    {.id = "moonshot",
     .base_url = "https://api.moonshot.ai/v1",
     .key_variable = "MOONSHOT_API_KEY",
     .price_provider = "moonshot"},
    {.id = "moonshot-cn",
     .base_url = "https://api.moonshot.cn/v1",
     .key_variable = "MOONSHOT_API_KEY",
     .currency = "CNY",
     .price_provider = "moonshot-cn"}};
inline constexpr Site kZhipuSites[] = {
    {.id = "zhipu",
     .base_url = "https://open.bigmodel.cn/api/paas/v4",
     .key_variable = "ZHIPU_API_KEY",
     .other_key_variable = "ZHIPUAI_API_KEY",
     .currency = "CNY",
     .price_provider = "zhipu"},
    {.id = "zai",
     .base_url = "https://api.z.ai/api/paas/v4",
     .key_variable = "ZAI_API_KEY",
     .price_provider = "zai"}};
inline constexpr Site kSiliconFlowSites[] = {
    {.id = "siliconflow",
     .base_url = "https://api.siliconflow.cn/v1",
     .key_variable = "SILICONFLOW_API_KEY",
     .currency = "CNY",
     .price_provider = "siliconflow"},
    {.id = "siliconflow-intl",
     .base_url = "https://api.siliconflow.com/v1",
     .key_variable = "SILICONFLOW_API_KEY",
     .price_provider = "siliconflow-intl"}};
inline constexpr Site kOpenRouterSites[] = {
    {.id = "openrouter",
     .base_url = "https://openrouter.ai/api/v1",
     .key_variable = "OPENROUTER_API_KEY",
     .price_provider = "openrouter"}};
inline constexpr Site kGroqSites[] = {
    {.id = "groq",
     .base_url = "https://api.groq.com/openai/v1",
     .key_variable = "GROQ_API_KEY",
     .price_provider = "groq"}};
inline constexpr Site kMistralSites[] = {
    {.id = "mistral",
     .base_url = "https://api.mistral.ai/v1",
     .key_variable = "MISTRAL_API_KEY",
     .price_provider = "mistral"}};
inline constexpr Site kXaiSites[] = {{.id = "xai",
                                      .base_url = "https://api.x.ai/v1",
                                      .key_variable = "XAI_API_KEY",
                                      .price_provider = "xai"}};
inline constexpr Site kVolcengineSites[] = {
    {.id = "volcengine",
     .base_url = "https://ark.cn-beijing.volces.com/api/v3",
     .key_variable = "ARK_API_KEY",
     .currency = "CNY",
     .price_provider = "volcengine"}};
inline constexpr Site kMiniMaxSites[] = {
    {.id = "minimax",
     .base_url = "https://api.minimax.io/v1",
     .key_variable = "MINIMAX_API_KEY",
     .price_provider = "minimax"},
    {.id = "minimax-cn",
     .base_url = "https://api.minimaxi.com/v1",
     .key_variable = "MINIMAX_API_KEY",
     .currency = "CNY",
     .price_provider = "minimax-cn"}};
// Every customer has a host of its own, so the base URL is configuration.
inline constexpr Site kAzureSites[] = {
    {.id = "azure",
     .base_url = "",
     .key_variable = "AZURE_OPENAI_API_KEY",
     .price_provider = "azure",
     .base_url_variable = "AZURE_OPENAI_ENDPOINT"}};
inline constexpr Site kTogetherSites[] = {
    {.id = "together",
     .base_url = "https://api.together.xyz/v1",
     .key_variable = "TOGETHER_API_KEY",
     .price_provider = "together"}};
inline constexpr Site kFireworksSites[] = {
    {.id = "fireworks",
     .base_url = "https://api.fireworks.ai/inference/v1",
     .key_variable = "FIREWORKS_API_KEY",
     .price_provider = "fireworks"}};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_VENDOR_SITES_H_
