// What each vendor's refusals mean: (provider, status, body) to class [RTY-2].
// A row names the profile that the vendor's settings choose. Rows marked (+)
// are common knowledge of the API that no page at hand confirmed.
#include "tests/adapters/openai/vendor_errors.h"

#include <catch2/catch.hpp>

namespace llm::openai {
namespace {

// https://platform.openai.com/docs/guides/error-codes, 2026-08-21
TEST_CASE("OpenAI's refusals find their class", "[adapters][openai][RTY-2]") {
  CheckError(GENERATE(values<ErrorRow>({
      {"openai", 429, Code("insufficient_quota", "insufficient_quota"),
       kOutOfMoney},
      {"openai", 429, Code("credit_balance_exhausted", "insufficient_quota"),
       kOutOfMoney},
      {"openai", 429, Code("project_spend_limit_exceeded"), kOutOfMoney},
      {"openai", 429, Code("organization_spend_limit_exceeded"), kOutOfMoney},
      {"openai", 429, Code("organization_usage_limit_exceeded"), kOutOfMoney},
      {"openai", 429, Code("rate_limit_exceeded", "requests"), kRateLimited},
      {"openai", 429, Code("rate_limit_exceeded", "tokens"), kRateLimited},
      {"openai", 429, Code("slow_down"), kRateLimited},
      {"openai", 401, Code("invalid_api_key", "invalid_request_error"),
       kBadKey},
      {"openai", 401, Type("authentication_error"), kBadKey},
      {"openai", 403, Code("unsupported_country_region_territory"),
       kPermission},
      {"openai", 404, Code("model_not_found"), kModelNotFound},
      {"openai", 400, Code("context_length_exceeded"), kContextLength},
      {"openai", 400, Code("content_policy_violation"), kContentFilter},
      {"openai", 400, Code("unsupported_value"), kInvalidRequest},
      {"openai", 413, Type("invalid_request_error"), kInvalidRequest},
      {"openai", 500, Type("server_error"), kServerError},
      {"openai", 503, Code("server_is_overloaded"), kOverloaded},
  })));
}

// https://api-docs.deepseek.com/quick_start/error_codes, 2026-11-20
TEST_CASE("DeepSeek's refusals find their class", "[adapters][openai][RTY-2]") {
  const std::string body =
      Code("invalid_request_error", "invalid_request_error");
  CheckError(GENERATE_COPY(values<ErrorRow>({
      {"deepseek", 400, body, kInvalidRequest},
      {"deepseek", 401, Type("authentication_error"), kBadKey},
      {"deepseek", 402, Type("unknown_error", "Insufficient Balance"),
       kOutOfMoney},
      {"deepseek", 422, body, kInvalidRequest},
      {"deepseek", 429, "", kRateLimited},
      {"deepseek", 500, "", kServerError},
      {"deepseek", 503, "", kOverloaded},
  })));
}

// https://help.aliyun.com/zh/model-studio/error-code, 2026-11-20
TEST_CASE("Qwen's refusals find their class", "[adapters][openai][RTY-2]") {
  CheckError(GENERATE(values<ErrorRow>({
      {"qwen", 429, Code("insufficient_quota"), kRateLimited},
      {"qwen", 429, Code("Throttling.AllocationQuota"), kRateLimited},
      {"qwen", 429, Code("limit_requests"), kRateLimited},
      {"qwen", 429, Code("limit_burst_rate"), kRateLimited},
      {"qwen", 429, Code("SomethingNew"), kRateLimited},
      {"qwen", 429, Code("PrepaidBillOverdue"), kOutOfMoney},
      {"qwen", 400, R"({"code":"Arrearage","message":"m","request_id":"r"})",
       kOutOfMoney},
      {"qwen", 403, Code("AllocationQuota.FreeTierOnly"), kOutOfMoney},
      {"qwen", 403, Code("Model.AccessDenied"), kPermission},
      {"qwen", 403, Code("access_denied"), kPermission},
      {"qwen", 401, Code("invalid_api_key"), kBadKey},
      {"qwen", 404, Code("model_not_found"), kModelNotFound},
      {"qwen", 400, Code("data_inspection_failed"), kContentFilter},
      {"qwen", 400,
       Code("invalid_parameter_error", "",
            "Range of input length should be [1, 129024]"),
       kContextLength},
      {"qwen", 400, Code("invalid_parameter_error"), kInvalidRequest},
      {"qwen", 500, Code("RequestTimeOut"), kTimeout},
      {"qwen", 500, Code("InternalError"), kServerError},
      {"qwen", 503, Code("ModelServingError"), kOverloaded},
  })));
}

// https://platform.moonshot.ai/docs/api/errors, 2026-11-20
TEST_CASE("Moonshot's refusals find their class", "[adapters][openai][RTY-2]") {
  CheckError(GENERATE(values<ErrorRow>({
      {"moonshot", 400, Type("invalid_request_error"), kInvalidRequest},
      {"moonshot", 400, Type("content_filter"), kContentFilter},
      // (+)
      {"moonshot", 400,
       Type("invalid_request_error",
            "Invalid request: Your request exceeded model token limit: 8192"),
       kContextLength},
      {"moonshot", 401, Type("invalid_authentication_error"), kBadKey},
      {"moonshot", 401, Type("incorrect_api_key_error"), kBadKey},
      {"moonshot", 403, Type("permission_denied_error"), kPermission},
      {"moonshot", 403, Type("exceeded_current_quota_error"), kOutOfMoney},
      {"moonshot", 404, Type("resource_not_found_error"), kModelNotFound},
      {"moonshot", 429, Type("engine_overloaded_error"), kOverloaded},
      {"moonshot", 429, Type("rate_limit_reached_error"), kRateLimited},
      {"moonshot", 429, Type("exceeded_current_quota_error"), kOutOfMoney},
      {"moonshot", 500, Type("server_error"), kServerError},
      {"moonshot", 500, Type("unexpected_output"), kServerError},
  })));
}

// https://docs.bigmodel.cn/cn/faq/api-code, 2026-11-20
TEST_CASE("Zhipu's business codes decide", "[adapters][openai][RTY-2]") {
  const auto [code, status, want] =
      GENERATE(table<std::string, int, FailureClass>({
          {"1000", 401, kBadKey},         {"1003", 401, kBadKey},
          {"1110", 403, kPermission},     {"1112", 429, kPermission},
          {"1113", 429, kOutOfMoney},     {"1121", 403, kPermission},
          {"1210", 400, kInvalidRequest}, {"1211", 400, kModelNotFound},
          {"1213", 400, kInvalidRequest}, {"1214", 400, kInvalidRequest},
          {"1220", 403, kPermission},     {"1261", 400, kContextLength},
          {"1301", 400, kContentFilter},  {"1302", 429, kRateLimited},
          {"1303", 429, kRateLimited},    {"1304", 429, kOutOfMoney},
          {"1305", 429, kOverloaded},     {"1308", 429, kOutOfMoney},
          {"1309", 429, kOutOfMoney},     {"1310", 429, kOutOfMoney},
          {"1312", 429, kOverloaded},     {"1230", 500, kServerError},
          {"1234", 500, kServerError},    {"500", 500, kServerError},
          {"9999", 429, kRateLimited},    {"9999", 434, kPermission},
          {"9999", 435, kInvalidRequest},
      }));
  CheckError({"zhipu", status,
              R"({"error":{"code":")" + code + R"(","message":"m"}})", want});
}

// https://docs.siliconflow.cn/en/faqs/error-code, 2026-11-20
TEST_CASE("SiliconFlow's flat and bare refusals find their class",
          "[adapters][openai][RTY-2]") {
  CheckError(GENERATE(values<ErrorRow>({
      {"siliconflow", 400, R"({"code":20012,"message":"m","data":null})",
       kModelNotFound},
      {"siliconflow", 400, R"({"code":20015,"message":"m","data":null})",
       kInvalidRequest},
      {"siliconflow", 401, R"("Api key is invalid")", kBadKey},
      {"siliconflow", 403, R"({"code":30001,"message":"m","data":null})",
       kOutOfMoney},
      {"siliconflow", 403, R"({"code":30003,"message":"m","data":null})",
       kPermission},
      {"siliconflow", 404, R"("404 page not found")", kModelNotFound},
      {"siliconflow", 429, R"({"message":"rate limiting","data":null})",
       kRateLimited},
      {"siliconflow", 503, R"({"code":50505,"message":"m","data":null})",
       kOverloaded},
      {"siliconflow", 504, "upstream request timeout", kServerError},
  })));
}

}  // namespace
}  // namespace llm::openai
