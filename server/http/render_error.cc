#include "server/http/render_error.h"

#include "adapters/core/json.h"

namespace llm::server {
namespace {

// OpenAI's `type` words (platform.openai.com/docs/guides/error-codes,
// 2026-11); clients branch on status and code, people read the type.
std::string_view TypeOf(std::string_view code, int http_status) {
  if (code == "budget_exceeded") return "insufficient_quota";
  switch (http_status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    default:
      return http_status >= 500 ? "server_error" : "invalid_request_error";
  }
}

void TextOrNull(std::string_view key, std::string_view text, JsonWriter& json) {
  if (text.empty()) {
    json.MemberRaw(key, "null");
  } else {
    json.Member(key, text);
  }
}

void WriteService(const v1::UpstreamError& detail, std::string_view request_id,
                  JsonWriter& json) {
  json.Key("llm_service");
  json.BeginObject();
  json.Member("request_id", detail.request_id().empty()
                                ? request_id
                                : std::string_view(detail.request_id()));
  json.Member("source", detail.source().empty() ? "gateway" : detail.source());
  TextOrNull("provider", detail.provider(), json);
  if (detail.upstream_status() == 0) {
    json.MemberRaw("upstream_status", "null");
  } else {
    json.MemberInt("upstream_status", detail.upstream_status());
  }
  if (!detail.upstream_code().empty()) {
    json.Member("upstream_code", detail.upstream_code());
  }
  json.MemberInt("attempts", detail.attempts());
  json.Key("retry_after_s");
  if (detail.has_retry_after_s()) {
    json.Double(detail.retry_after_s());
  } else {
    json.Null();
  }
  json.EndObject();
}

}  // namespace

std::string RenderError(const v1::UpstreamError& detail, int http_status,
                        std::string_view request_id) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("error");
  json.BeginObject();
  json.Member("message", detail.message());
  json.Member("type", TypeOf(detail.code(), http_status));
  TextOrNull("param", detail.param(), json);
  TextOrNull("code", detail.code(), json);
  WriteService(detail, request_id, json);
  json.EndObject();
  json.EndObject();
  return out;
}

}  // namespace llm::server
