#include "adapters/openai/embed_rules.h"

#include "adapters/openai/profiles.h"

namespace llm::openai {
namespace {

constexpr EmbedRules kPlain;

constexpr EmbedRules kRules[] = {
    // The specification allows no other members. 300,000 tokens a request:
    // the same page, "input", and langchain-ai/langchain#33668.
    {.profile = "openai",
     .max_inputs = 2048,
     .max_tokens = 300'000,
     .format = VectorFormat::kBase64,
     .extra_fields = false,
     .page = "https://platform.openai.com/docs/api-reference/embeddings/create",
     .date = "2026-08-21"},
    {.profile = "azure",
     .max_inputs = 2048,
     .max_tokens = 300'000,
     .format = VectorFormat::kBase64,
     .extra_fields = false,
     .page = "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
     .date = "2026-11-20"},
    {.profile = "azure-2024",
     .max_inputs = 2048,
     .max_tokens = 300'000,
     .format = VectorFormat::kBase64,
     .extra_fields = false,
     .page = "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
     .date = "2026-11-20"},
    // Texts only, "float" only. 10 texts for v3 and v4, 25 for v1 and v2.
    {.profile = "qwen",
     .models = "text-embedding-v1",
     .max_inputs = 25,
     .format = VectorFormat::kFloat,
     .token_inputs = false,
     .user = false,
     .page =
         "https://help.aliyun.com/en/model-studio/text-embedding-synchronous-"
         "api",
     .date = "2026-11-27"},
    {.profile = "qwen",
     .models = "text-embedding-v2",
     .max_inputs = 25,
     .format = VectorFormat::kFloat,
     .token_inputs = false,
     .user = false,
     .page =
         "https://help.aliyun.com/en/model-studio/text-embedding-synchronous-"
         "api",
     .date = "2026-11-27"},
    {.profile = "qwen",
     .max_inputs = 10,
     .format = VectorFormat::kFloat,
     .token_inputs = false,
     .user = false,
     .page =
         "https://help.aliyun.com/en/model-studio/text-embedding-synchronous-"
         "api",
     .date = "2026-11-27"},
    {.profile = "zhipu",
     .max_inputs = 64,
     .token_inputs = false,
     .page = "https://docs.bigmodel.cn/api-reference",
     .date = "2026-11-20"},
    // 16,000 tokens a request: MAX_TOKENS of langchain_mistralai, which says
    // that it is the API's.
    {.profile = "mistral",
     .max_inputs = 64,
     .max_tokens = 16'000,
     .format = VectorFormat::kFloat,
     .token_inputs = false,
     .dimensions = "output_dimension",
     .user = false,
     .page = "https://docs.mistral.ai/api/endpoint/embeddings",
     .date = "2026-11-20"},
    // 32 inputs are what its page allows; not confirmed by a recording.
    {.profile = "siliconflow",
     .max_inputs = 32,
     .format = VectorFormat::kFloat,
     .token_inputs = false,
     .user = false,
     .page = "https://docs.siliconflow.cn/api-reference/embeddings/"
             "create-embeddings",
     .date = "2026-11-20"},
    {.profile = "vllm",
     .max_inputs = 256,
     .format = VectorFormat::kBase64,
     .page = "https://docs.vllm.ai/en/latest/serving/openai_compatible_server",
     .date = "2026-11-20"},
};

}  // namespace

const EmbedRules& EmbedRulesFor(std::string_view profile,
                                std::string_view upstream_model) {
  for (const EmbedRules& rules : kRules) {
    if (rules.profile == profile &&
        MatchesPattern(rules.models, upstream_model)) {
      return rules;
    }
  }
  return kPlain;
}

}  // namespace llm::openai
