// What each vendor's refusals mean: (provider, status, body) to class [RTY-2].
// A row names the profile that the vendor's settings choose. Rows marked (+)
// are common knowledge of the API that no page at hand confirmed.
#include <catch2/catch.hpp>

#include "adapters/openai/error_table.h"

namespace llm::openai {
namespace {

using enum FailureClass;

struct Row {
  std::string profile;
  int status;
  std::string body;
  FailureClass want;
};

void Check(const Row& row) {
  CAPTURE(row.profile, row.status, row.body);
  const auto doc = JsonDocument::Parse(row.body);
  // Inside a 200 only what is recognisable as an error is one.
  ErrorWords words;
  if (row.status == 200) {
    REQUIRE(doc.ok());
    const auto found = FindError(doc->root());
    REQUIRE(found.has_value());
    words = *found;
  } else {
    words = ReadErrorBody(row.body);
  }
  CHECK(FailureClassName(ClassifyError(FindProfile(row.profile), row.status,
                                       words)) == FailureClassName(row.want));
}

std::string Code(const std::string& code, const std::string& type = "",
                 const std::string& message = "m") {
  return R"({"error":{"message":")" + message + R"(","type":")" + type +
         R"(","param":null,"code":")" + code + R"("}})";
}

std::string Type(const std::string& type, const std::string& message = "m") {
  return R"({"error":{"type":")" + type + R"(","message":")" + message +
         R"("}})";
}

std::string BaseResp(int code) {
  return R"({"base_resp":{"status_code":)" + std::to_string(code) +
         R"(,"status_msg":"m"}})";
}

// https://platform.openai.com/docs/guides/error-codes, 2026-08-21
TEST_CASE("OpenAI's refusals find their class", "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
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
  Check(GENERATE_COPY(values<Row>({
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
  Check(GENERATE(values<Row>({
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
  Check(GENERATE(values<Row>({
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
  Check({"zhipu", status,
         R"({"error":{"code":")" + code + R"(","message":"m"}})", want});
}

// https://docs.siliconflow.cn/en/faqs/error-code, 2026-11-20
TEST_CASE("SiliconFlow's flat and bare refusals find their class",
          "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
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
      {"siliconflow", 504, "upstream request timeout", kTimeout},
  })));
}

// https://openrouter.ai/docs/api-reference/errors, 2026-11-20
TEST_CASE("OpenRouter's refusals and those it passes on find their class",
          "[adapters][openai][RTY-2][STR-5]") {
  const auto error = [](int code, const std::string& metadata = "{}") {
    return R"({"error":{"code":)" + std::to_string(code) +
           R"(,"message":"Provider returned error","metadata":)" + metadata +
           R"(},"user_id":"u"})";
  };
  Check(GENERATE_COPY(values<Row>({
      {"openrouter", 400, error(400), kInvalidRequest},
      {"openrouter", 401, error(401), kBadKey},
      {"openrouter", 402, error(402), kOutOfMoney},
      {"openrouter", 403,
       error(403, R"({"reasons":["hate"],"flagged_input":"x"})"),
       kContentFilter},
      {"openrouter", 408, error(408), kTimeout},
      {"openrouter", 429, error(429), kRateLimited},
      {"openrouter", 502, error(502), kServerError},
      {"openrouter", 503, error(503), kOverloaded},
      // Inside a 200 the code is the status.
      {"openrouter", 200, error(402), kOutOfMoney},
      {"openrouter", 200, error(403, R"({"reasons":["hate"]})"),
       kContentFilter},
      {"openrouter", 200, error(429), kRateLimited},
      {"openrouter", 200, error(502), kServerError},
      {"openrouter", 200,
       R"({"choices":[{"error":{"code":503,"message":"m"}}]})", kOverloaded},
      // What its upstream said.
      {"openrouter", 400,
       error(400, R"({"provider_name":"X","raw":"{\"error\":{\"message\":)"
                  R"(\"maximum context length is 9\"}}"})"),
       kContextLength},
      {"openrouter", 400,
       error(400, R"({"raw":"prompt is too long: 5 tokens"})"), kContextLength},
  })));
}

// https://console.groq.com/docs/errors, 2026-11-20
TEST_CASE("Groq's refusals find their class", "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      {"groq", 400, Code("tool_use_failed", "invalid_request_error"),
       kServerError},
      {"groq", 400, Code("json_validate_failed", "invalid_request_error"),
       kServerError},
      {"groq", 400, Code("context_length_exceeded"), kContextLength},
      {"groq", 401, Code("invalid_api_key"), kBadKey},
      {"groq", 404, Code("model_not_found"), kModelNotFound},
      // (+)
      {"groq", 413, Code("rate_limit_exceeded", "tokens"), kContextLength},
      {"groq", 413, Type("invalid_request_error"), kInvalidRequest},
      {"groq", 429, Code("rate_limit_exceeded", "tokens"), kRateLimited},
      {"groq", 498, Type("capacity"), kOverloaded},
      {"groq", 200,
       R"({"x_groq":{"error":{"message":"m","type":)"
       R"("server_error"}}})",
       kServerError},
  })));
}

// https://docs.mistral.ai/api/, 2026-11-20
TEST_CASE("Mistral's refusals find their class", "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      {"mistral", 400,
       R"({"object":"error","message":"m","type":"invalid_request_error",)"
       R"("param":null,"code":"1500"})",
       kInvalidRequest},
      {"mistral", 401, R"({"message":"Unauthorized","request_id":"r"})",
       kBadKey},
      {"mistral", 401, R"({"detail":"Unauthorized"})", kBadKey},
      {"mistral", 422,
       R"({"detail":[{"type":"extra_forbidden","loc":["body","user"],)"
       R"("msg":"Extra inputs are not permitted","input":"u"}]})",
       kInvalidRequest},
      {"mistral", 429, R"({"message":"Requests rate limit exceeded"})",
       kRateLimited},
      {"mistral", 429,
       R"({"object":"error","message":"Service tier capacity exceeded for )"
       R"(this model.","type":"service_tier_capacity_exceeded",)"
       R"("param":null,"code":"3505"})",
       kOverloaded},
      {"mistral", 503, "", kOverloaded},
  })));
}

// https://docs.x.ai/docs/key-information/debugging, 2026-11-20
TEST_CASE("xAI's three shapes find their class", "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      // (+)
      {"xai", 400,
       R"({"code":"Client specified an invalid argument","error":)"
       R"("Incorrect API key provided: xa***"})",
       kBadKey},
      {"xai", 400,
       R"({"code":"Client specified an invalid argument","error":"m"})",
       kInvalidRequest},
      {"xai", 403,
       R"({"code":"The caller does not have permission","error":)"
       R"("Your team has run out of credits"})",
       kOutOfMoney},
      {"xai", 403, R"({"error":"You may not use this model"})", kPermission},
      {"xai", 404, R"({"error":{"message":"m","type":"","code":""}})",
       kModelNotFound},
      {"xai", 422, R"({"error":"Failed to deserialize"})", kInvalidRequest},
      {"xai", 429, R"({"error":"m"})", kRateLimited},
      {"xai", 200, R"({"code":"Some internal thing","error":"m"})",
       kServerError},
  })));
}

// https://www.volcengine.com/docs/82379/1299023, 2026-11-20
TEST_CASE("Volcengine's codes find their class", "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      {"volcengine", 401, Code("AuthenticationError"), kBadKey},
      {"volcengine", 403, Code("AccessDenied"), kPermission},
      {"volcengine", 403, Code("AccountOverdueError"), kOutOfMoney},
      {"volcengine", 404, Code("InvalidEndpointOrModel.NotFound"),
       kModelNotFound},
      {"volcengine", 404, Code("ModelNotOpen"), kModelNotFound},
      {"volcengine", 400, Code("InvalidParameter"), kInvalidRequest},
      {"volcengine", 400, Code("MissingParameter"), kInvalidRequest},
      {"volcengine", 400, Code("OutofContextError"), kContextLength},
      {"volcengine", 400, Code("SensitiveContentDetected"), kContentFilter},
      {"volcengine", 400, Code("SensitiveContentDetected.SevereViolation"),
       kContentFilter},
      {"volcengine", 400, Code("InputTextSensitiveContentDetected"),
       kContentFilter},
      {"volcengine", 429, Code("RateLimitExceeded.EndpointTPMExceeded"),
       kRateLimited},
      {"volcengine", 429, Code("ModelAccountRpmRateLimitExceeded"),
       kRateLimited},
      {"volcengine", 429, Code("QuotaExceeded"), kRateLimited},
      {"volcengine", 429, Code("ServerOverloaded"), kOverloaded},
      {"volcengine", 429, Code("SetLimitExceeded"), kOutOfMoney},
      {"volcengine", 500, Code("InternalServiceError"), kServerError},
  })));
}

// https://platform.minimax.io/docs/api-reference/errorcode, 2026-11-20
TEST_CASE("MiniMax's codes inside a 200 find their class",
          "[adapters][openai][RTY-2][STR-5]") {
  const auto [code, want] = GENERATE(table<int, FailureClass>({
      {1000, kServerError},
      {1001, kTimeout},
      {1002, kRateLimited},
      {1004, kBadKey},
      {1008, kOutOfMoney},
      {1013, kOverloaded},
      {1024, kServerError},
      {1026, kContentFilter},
      {1027, kContentFilter},
      {1033, kServerError},
      {1039, kRateLimited},
      {1041, kRateLimited},
      {1042, kInvalidRequest},
      {2013, kInvalidRequest},
      {2049, kBadKey},
      {2056, kOutOfMoney},
      {9999, kServerError},
  }));
  Check({"minimax", 200, BaseResp(code), want});
  Check({"", 200, BaseResp(code), want});
}

// https://learn.microsoft.com/azure/ai-foundry/openai/reference, 2026-11-20
TEST_CASE("Azure's refusals find their class", "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      {"azure", 400,
       R"({"error":{"code":"content_filter","message":"m","param":"prompt",)"
       R"("status":400,"innererror":{"code":)"
       R"("ResponsibleAIPolicyViolation","content_filter_result":{}}}})",
       kContentFilter},
      {"azure", 400, Code("context_length_exceeded"), kContextLength},
      {"azure", 401, Code("401"), kBadKey},
      {"azure", 404, Code("DeploymentNotFound"), kModelNotFound},
      {"azure", 404, Code("404"), kModelNotFound},
      {"azure", 429, Code("429"), kRateLimited},
      {"azure", 500, Code("InternalServerError"), kServerError},
  })));
}

// https://docs.together.ai/docs/error-codes and
// https://docs.fireworks.ai/guides/inference-error-codes, 2026-11-20
TEST_CASE("Together's and Fireworks' refusals find their class",
          "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      {"together", 402, Type("credit_limit"), kOutOfMoney},
      {"together", 401, Code("invalid_api_key"), kBadKey},
      {"together", 404, Code("model_not_found"), kModelNotFound},
      {"together", 429, Type("rate_limit"), kRateLimited},
      {"together", 503, Type("service_unavailable"), kOverloaded},
      {"fireworks", 412, Code("", "error"), kOutOfMoney},
      {"fireworks", 429, "", kRateLimited},
      {"fireworks", 503, "", kOverloaded},
      {"vllm", 401, R"({"error":"Unauthorized"})", kBadKey},
      {"ollama", 404, Type("not_found_error"), kModelNotFound},
  })));
}

// https://ai.google.dev/gemini-api/docs/troubleshooting, 2026-11-20
TEST_CASE("Google's compatible endpoint keeps its own words",
          "[adapters][openai][RTY-2]") {
  Check(GENERATE(values<Row>({
      {"", 400,
       R"([{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT",)"
       R"("details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
       R"("reason":"API_KEY_INVALID"}]}}])",
       kBadKey},
      {"", 400,
       R"([{"error":{"code":400,"message":"API key not valid. Please pass )"
       R"(a valid API key.","status":"INVALID_ARGUMENT"}}])",
       kBadKey},
      {"", 400,
       R"({"error":{"code":400,"message":"m","status":)"
       R"("FAILED_PRECONDITION"}})",
       kOutOfMoney},
      {"", 400,
       R"({"error":{"code":400,"message":"The input token count exceeds )"
       R"(the maximum number of tokens allowed","status":)"
       R"("INVALID_ARGUMENT"}})",
       kContextLength},
      {"", 400,
       R"({"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}})",
       kInvalidRequest},
      {"", 403, R"({"error":{"code":403,"status":"PERMISSION_DENIED"}})",
       kPermission},
      {"", 429, R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}})",
       kRateLimited},
      {"", 503, R"({"error":{"code":503,"status":"UNAVAILABLE"}})",
       kOverloaded},
  })));
}

TEST_CASE("Google's delay in the body is a retry-after",
          "[adapters][openai][retry]") {
  const std::string body =
      R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED",)"
      R"("details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
      R"("retryDelay":"34.5s"}]}})";
  const UpstreamFailure failure =
      DescribeError(FindProfile(""), 429, ReadErrorBody(body));
  CHECK(failure.retry_after == absl::Milliseconds(34500));
}

TEST_CASE("What an upstream of OpenRouter said is told, cut and cleaned",
          "[adapters][openai][errors]") {
  const std::string body =
      R"({"error":{"code":400,"message":"Provider returned error","metadata":)"
      R"({"raw":"{\"error\":{\"message\":\"bad temperature\"}}"}}})";
  CHECK(DescribeError(FindProfile("openrouter"), 400, ReadErrorBody(body))
            .message == "Provider returned error: bad temperature");
}

}  // namespace
}  // namespace llm::openai
