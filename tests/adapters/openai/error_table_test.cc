#include "adapters/openai/error_table.h"

#include <catch2/catch.hpp>

namespace llm::openai {
namespace {

using enum FailureClass;

TEST_CASE("every provider's refusal finds its class",
          "[adapters][openai][errors][RTY-2]") {
  const auto [vendor, status, body,
              failure] = GENERATE(table<std::string, int, std::string,
                                        FailureClass>({
      // The same word, different meanings.
      {"openai", 429, R"({"error":{"code":"insufficient_quota"}})",
       kOutOfMoney},
      {"qwen", 429, R"({"error":{"code":"insufficient_quota"}})", kRateLimited},
      {"deepseek", 402, R"({"error":{"message":"Insufficient Balance"}})",
       kOutOfMoney},
      {"qwen", 400, R"({"code":"Arrearage","message":"Access denied"})",
       kOutOfMoney},
      {"moonshot", 429, R"({"error":{"type":"exceeded_current_quota_error"}})",
       kOutOfMoney},
      {"moonshot", 429, R"({"error":{"type":"engine_overloaded_error"}})",
       kOverloaded},
      {"zhipu", 429, R"({"error":{"code":"1113","message":""}})", kOutOfMoney},
      {"zhipu", 429, R"({"error":{"code":"1302","message":""}})", kRateLimited},
      {"zhipu", 429, R"({"error":{"code":"1305","message":""}})", kOverloaded},
      {"xai", 400, R"({"code":"x","error":"Incorrect API key provided"})",
       kBadKey},
      {"openrouter", 403, R"({"error":{"code":403,"message":"flagged"}})",
       kContentFilter},
      // Words that everybody shares.
      {"openai", 429, R"({"error":{"code":"rate_limit_exceeded"}})",
       kRateLimited},
      {"openai", 400, R"({"error":{"code":"context_length_exceeded"}})",
       kContextLength},
      {"vllm", 400,
       R"({"object":"error","message":"maximum context length is 4",)"
       R"("code":400})",
       kContextLength},
      {"qwen", 400,
       R"({"error":{"code":"invalid_parameter_error","message":)"
       R"("Range of input length should be [1, 9]"}})",
       kContextLength},
      {"qwen", 400, R"({"error":{"code":"data_inspection_failed"}})",
       kContentFilter},
      {"", 400, R"({"error":{"code":"content_filter","innererror":{}}})",
       kContentFilter},
      {"openai", 404, R"({"error":{"code":"model_not_found"}})",
       kModelNotFound},
      {"openai", 401, R"({"error":{"code":"invalid_api_key"}})", kBadKey},
      {"openai", 503, R"({"error":{"code":"server_is_overloaded"}})",
       kOverloaded},
      {"openai", 400, R"({"error":{"code":"unsupported_parameter"}})",
       kInvalidRequest},
      // Shapes.
      {"", 422, R"({"detail":[{"loc":["body","n"],"msg":"bad"}]})",
       kInvalidRequest},
      {"", 401, R"({"error":"Unauthorized"})", kBadKey},
      {"", 401, R"("Invalid token")", kBadKey},
      {"", 404, "404 page not found", kModelNotFound},
      {"", 502, "<html>", kServerError},
      {"", 504, "", kServerError},
      {"", 429, "", kRateLimited},
      // The address is wrong, or something before the provider answers.
      {"", 405, "", kBadAnswer},
      {"", 415, "", kBadAnswer},
      {"", 418, "", kBadAnswer},
      {"", 409, "", kInvalidRequest},
      {"", 413, "", kInvalidRequest},
      {"", 410, "", kModelNotFound},
      {"", 529, "", kOverloaded},
      {"", 302, "", kBadAnswer},
      {"", 400,
       R"([{"error":{"status":"INVALID_ARGUMENT","message":)"
       R"("API key not valid."}}])",
       kBadKey},
      {"", 200, R"({"base_resp":{"status_code":1002,"status_msg":"x"}})",
       kRateLimited},
      {"", 200, R"({"error":{"message":"x","type":"server_error"}})",
       kServerError},
      {"", 200, R"({"error":{"message":"x","type":"invalid_request_error"}})",
       kInvalidRequest},
  }));
  CAPTURE(vendor, status, body);
  Profile profile;
  profile.error_vendor = vendor;
  CHECK(FailureClassName(ClassifyError(profile, status, ReadErrorBody(body))) ==
        FailureClassName(failure));
}

TEST_CASE("a validation list names the field at fault",
          "[adapters][openai][errors]") {
  const ErrorWords words = ReadErrorBody(
      R"({"detail":[{"type":"int","loc":["body","n",0],"msg":"bad"}]})");
  CHECK(words.param == "body.n.0");
  CHECK(words.message == "bad");
}

TEST_CASE("words leave cut and cleaned", "[adapters][openai][errors][ERR-1]") {
  ErrorWords words;
  words.code = std::string(100, 'a') + "\n<script>";
  words.message = std::string(1000, 'b');
  const UpstreamFailure failure = DescribeError(Profile{}, 500, words);
  CHECK(failure.code.size() <= 64);
  CHECK(failure.message.size() <= 512);
  CHECK(failure.http_status == 500);
}

}  // namespace
}  // namespace llm::openai
