#include "adapters/openai/error_table.h"

namespace llm::openai {
namespace {

using enum FailureClass;

// A vendor's own meanings stand before the general ones.
constexpr ErrorRow kErrorRows[] = {
    // Qwen: here insufficient_quota is tokens per minute, not money.
    // https://help.aliyun.com/zh/model-studio/error-code, 2026-11-20
    {"qwen", 429, "insufficient_quota", "", kRateLimited},
    {"qwen", 429, "throttling*", "", kRateLimited},
    {"qwen", 429, "commoditynotpurchased", "", kOutOfMoney},
    {"qwen", 429, "prepaidbilloverdue", "", kOutOfMoney},
    {"qwen", 429, "postpaidbilloverdue", "", kOutOfMoney},
    {"qwen", 400, "", "range of input length", kContextLength},
    {"qwen", 403, "allocationquota*", "", kOutOfMoney},
    {"qwen", 500, "requesttimeout", "", kTimeout},
    // Moonshot: https://platform.moonshot.ai/docs/api/errors, 2026-11-20
    {"moonshot", 0, "exceeded_current_quota_error", "", kOutOfMoney},
    {"moonshot", 0, "engine_overloaded_error", "", kOverloaded},
    {"moonshot", 0, "rate_limit_reached_error", "", kRateLimited},
    {"moonshot", 400, "", "exceeded model token limit", kContextLength},
    // Zhipu and Z.ai: the code decides, the status is coarse.
    // https://docs.bigmodel.cn/cn/faq/api-code, 2026-11-20
    {"zhipu", 0, "100*", "", kBadKey},
    {"zhipu", 0, "1110", "", kPermission},
    {"zhipu", 0, "1111", "", kPermission},
    {"zhipu", 0, "1112", "", kPermission},
    {"zhipu", 0, "1113", "", kOutOfMoney},
    {"zhipu", 0, "1121", "", kPermission},
    {"zhipu", 0, "1211", "", kModelNotFound},
    {"zhipu", 0, "1220", "", kPermission},
    {"zhipu", 0, "1230", "", kServerError},
    {"zhipu", 0, "1234", "", kServerError},
    {"zhipu", 0, "1261", "", kContextLength},
    {"zhipu", 0, "1301", "", kContentFilter},
    {"zhipu", 0, "1302", "", kRateLimited},
    {"zhipu", 0, "1303", "", kRateLimited},
    {"zhipu", 0, "1304", "", kOutOfMoney},
    {"zhipu", 0, "1305", "", kOverloaded},
    {"zhipu", 0, "1308", "", kOutOfMoney},
    {"zhipu", 0, "1309", "", kOutOfMoney},
    {"zhipu", 0, "1310", "", kOutOfMoney},
    {"zhipu", 0, "1312", "", kOverloaded},
    {"zhipu", 434, "", "", kPermission},
    {"zhipu", 435, "", "", kInvalidRequest},
    // xAI: a wrong key is a 400, no credits a 403.
    // https://docs.x.ai/docs/key-information/debugging, 2026-11-20
    {"xai", 400, "", "incorrect api key", kBadKey},
    // With the code of a missing permission: only the words tell them apart.
    // Seen at xAI, not in its documentation, until 2026-08-07:
    // https://github.com/UKGovernmentBEIS/inspect_ai/pull/2267
    {"xai", 403, "", "violates usage guidelines", kContentFilter},
    {"xai", 403, "", "credit", kOutOfMoney},
    {"xai", 403, "", "spending limit", kOutOfMoney},
    // OpenRouter: 403 is its moderation; its codes are HTTP statuses, also
    // inside a 200. What its upstream said is part of the message.
    // https://openrouter.ai/docs/api-reference/errors, 2026-11-20
    {"openrouter", 403, "", "", kContentFilter},
    // Mistral: https://docs.mistral.ai/api/, 2026-11-20
    {"mistral", 429, "3505", "", kOverloaded},
    {"mistral", 429, "", "tier capacity exceeded", kOverloaded},
    // Groq: a request beyond the tokens per minute is too large for this
    // account whenever it is sent, so waiting does not help.
    // https://console.groq.com/docs/errors, 2026-11-20
    {"groq", 413, "rate_limit_exceeded", "", kContextLength},
    // The model wrote a call that Groq's own server refused; a second try is
    // reasonable.
    {"groq", 0, "tool_use_failed", "", kServerError},
    {"groq", 0, "json_validate_failed", "", kServerError},
    // Fireworks suspends accounts at their spending limit.
    // https://docs.fireworks.ai/guides/inference-error-codes, 2026-11-20
    {"fireworks", 412, "", "", kOutOfMoney},
    // Volcengine: https://www.volcengine.com/docs/82379/1299023, 2026-11-20
    {"volcengine", 0, "accountoverdue*", "", kOutOfMoney},
    {"volcengine", 0, "setlimitexceeded", "", kOutOfMoney},
    {"volcengine", 0, "modelaccount*", "", kRateLimited},
    {"volcengine", 0, "internalserviceerror", "", kServerError},
    // SiliconFlow: https://docs.siliconflow.cn/en/faqs/error-code, 2026-11-20
    {"siliconflow", 400, "20012", "", kModelNotFound},
    {"siliconflow", 403, "30001", "", kOutOfMoney},
    {"siliconflow", 0, "50505", "", kOverloaded},

    // MiniMax's base_resp, known by its type wherever it appears.
    // https://platform.minimax.io/docs/api-reference/errorcode, 2026-11-20
    {"", 0, "base_resp:1000", "", kServerError},
    {"", 0, "base_resp:1001", "", kTimeout},
    {"", 0, "base_resp:1002", "", kRateLimited},
    {"", 0, "base_resp:1004", "", kBadKey},
    {"", 0, "base_resp:1008", "", kOutOfMoney},
    {"", 0, "base_resp:1013", "", kOverloaded},
    {"", 0, "base_resp:1024", "", kServerError},
    {"", 0, "base_resp:1026", "", kContentFilter},
    {"", 0, "base_resp:1027", "", kContentFilter},
    {"", 0, "base_resp:1033", "", kServerError},
    {"", 0, "base_resp:1039", "", kRateLimited},
    {"", 0, "base_resp:1041", "", kRateLimited},
    {"", 0, "base_resp:1042", "", kInvalidRequest},
    {"", 0, "base_resp:2013", "", kInvalidRequest},
    {"", 0, "base_resp:2049", "", kBadKey},
    {"", 0, "base_resp:2056", "", kOutOfMoney},

    // Words that mean the same with everybody. Money before rate limits:
    // both are 429. https://platform.openai.com/docs/guides/error-codes,
    // 2026-08-21, and the pages above.
    {"", 0, "insufficient_quota", "", kOutOfMoney},
    {"", 0, "credit_balance_exhausted", "", kOutOfMoney},
    {"", 0, "organization_spend_limit_exceeded", "", kOutOfMoney},
    {"", 0, "project_spend_limit_exceeded", "", kOutOfMoney},
    {"", 0, "organization_usage_limit_exceeded", "", kOutOfMoney},
    {"", 0, "enforced_spend_limit_reached", "", kOutOfMoney},
    {"", 0, "exceeded_current_quota_error", "", kOutOfMoney},
    {"", 0, "billing_error", "", kOutOfMoney},
    {"", 0, "arrearage", "", kOutOfMoney},
    {"", 0, "accountoverdueerror", "", kOutOfMoney},
    {"", 0, "setlimitexceeded", "", kOutOfMoney},
    // Google's compatible endpoint, where billing is off.
    // https://ai.google.dev/gemini-api/docs/troubleshooting, 2026-11-20
    {"", 400, "failed_precondition", "", kOutOfMoney},
    {"", 402, "", "", kOutOfMoney},
    {"", 0, "", "credit balance is too low", kOutOfMoney},
    {"", 0, "", "insufficient balance", kOutOfMoney},
    {"", 0, "context_length_exceeded", "", kContextLength},
    {"", 0, "outofcontexterror", "", kContextLength},
    {"", 0, "model_context_window_exceeded", "", kContextLength},
    {"", 400, "", "maximum context length", kContextLength},
    {"", 400, "", "context window", kContextLength},
    {"", 400, "", "prompt is too long", kContextLength},
    {"", 400, "", "range of input length", kContextLength},
    {"", 400, "", "exceeds the maximum number of tokens", kContextLength},
    {"", 0, "content_filter", "", kContentFilter},
    {"", 0, "content_policy_violation", "", kContentFilter},
    {"", 0, "responsibleaipolicyviolation", "", kContentFilter},
    {"", 0, "datainspectionfailed", "", kContentFilter},
    {"", 0, "data_inspection_failed", "", kContentFilter},
    {"", 0, "sensitivecontentdetected*", "", kContentFilter},
    {"", 0, "inputtextsensitivecontentdetected*", "", kContentFilter},
    {"", 0, "outputtextsensitivecontentdetected*", "", kContentFilter},
    {"", 0, "invalid_api_key", "", kBadKey},
    {"", 0, "invalidapikey", "", kBadKey},
    {"", 0, "api_key_invalid", "", kBadKey},
    {"", 0, "incorrect_api_key_error", "", kBadKey},
    {"", 0, "invalid_authentication_error", "", kBadKey},
    {"", 0, "authentication_error", "", kBadKey},
    {"", 0, "authenticationerror", "", kBadKey},
    {"", 400, "", "api key not valid", kBadKey},
    {"", 400, "", "incorrect api key", kBadKey},
    {"", 0, "permission_error", "", kPermission},
    {"", 0, "permission_denied_error", "", kPermission},
    {"", 0, "unsupported_country_region_territory", "", kPermission},
    {"", 0, "model.accessdenied", "", kPermission},
    {"", 0, "accessdenied", "", kPermission},
    {"", 0, "access_denied", "", kPermission},
    {"", 0, "model_not_found", "", kModelNotFound},
    {"", 0, "modelnotfound", "", kModelNotFound},
    {"", 0, "deploymentnotfound", "", kModelNotFound},
    {"", 0, "modelnotopen", "", kModelNotFound},
    {"", 0, "invalidendpointormodel*", "", kModelNotFound},
    {"", 503, "", "", kOverloaded},
    {"", 0, "engine_overloaded_error", "", kOverloaded},
    {"", 0, "server_is_overloaded", "", kOverloaded},
    {"", 0, "serveroverloaded", "", kOverloaded},
    {"", 0, "overloaded*", "", kOverloaded},
    {"", 0, "modelservingerror", "", kOverloaded},
    {"", 0, "modelunavailable", "", kOverloaded},
    {"", 0, "rate_limit*", "", kRateLimited},
    {"", 0, "ratelimit*", "", kRateLimited},
    {"", 0, "limit_requests", "", kRateLimited},
    {"", 0, "limit_burst_rate", "", kRateLimited},
    {"", 0, "throttling*", "", kRateLimited},
    {"", 0, "slow_down", "", kRateLimited},
    {"", 0, "quotaexceeded", "", kRateLimited},
    // Groq's flex tier out of capacity; Anthropic's style of overload.
    {"", 498, "", "", kOverloaded},
    {"", 529, "", "", kOverloaded},
};

}  // namespace

FailureClass ClassifyError(const Profile& profile, int http_status,
                           const ErrorWords& words) {
  return ClassifyByRows(kErrorRows, profile.error_vendor, http_status, words);
}

UpstreamFailure DescribeError(const Profile& profile, int http_status,
                              const ErrorWords& words) {
  return DescribeFailure(ClassifyError(profile, http_status, words),
                         http_status, words);
}

}  // namespace llm::openai
