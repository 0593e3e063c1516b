// What the refusals of further vendors mean: (provider, status, body) to class
// [RTY-2]. A row names the profile that the vendor's settings choose. Rows
// marked (+) are common knowledge of the API that no page at hand confirmed.
#include <catch2/catch.hpp>

#include "tests/adapters/openai/vendor_errors.h"

namespace llm::openai {
namespace {

// https://openrouter.ai/docs/api-reference/errors, 2026-11-20
TEST_CASE("OpenRouter's refusals and those it passes on find their class",
          "[adapters][openai][RTY-2][STR-5]") {
  const auto error = [](int code, const std::string& metadata = "{}") {
    return R"({"error":{"code":)" + std::to_string(code) +
           R"(,"message":"Provider returned error","metadata":)" + metadata +
           R"(},"user_id":"u"})";
  };
  CheckError(GENERATE_COPY(values<ErrorRow>({
      {"openrouter", 400, error(400), kInvalidRequest},
      {"openrouter", 401, error(401), kBadKey},
      {"openrouter", 402, error(402), kOutOfMoney},
      {"openrouter", 403,
       error(403, R"({"reasons":["hate"],"flagged_input":"x"})"),
       kContentFilter},
      {"openrouter", 408, error(408), kServerError},
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
  CheckError(GENERATE(values<ErrorRow>({
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
  CheckError(GENERATE(values<ErrorRow>({
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
  CheckError(GENERATE(values<ErrorRow>({
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
      {"xai", 403,
       R"({"code":"permission-denied","error":)"
       R"("Content violates usage guidelines. Failed check: X"})",
       kContentFilter},
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
  CheckError(GENERATE(values<ErrorRow>({
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
  CheckError({"minimax", 200, BaseResp(code), want});
  CheckError({"", 200, BaseResp(code), want});
}

// https://learn.microsoft.com/azure/ai-foundry/openai/reference, 2026-11-20
TEST_CASE("Azure's refusals find their class", "[adapters][openai][RTY-2]") {
  CheckError(GENERATE(values<ErrorRow>({
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
  CheckError(GENERATE(values<ErrorRow>({
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
  CheckError(GENERATE(values<ErrorRow>({
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
