#include "server/http/replies.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "router/call_error.h"
#include "server/core/call_headers.h"
#include "server/http/render_error.h"

namespace llm::server {
namespace {

void AddRetryHeaders(const v1::UpstreamError& detail, HttpReply* reply) {
  if (detail.has_retry_after_s()) {
    const double seconds = std::ceil(std::max(detail.retry_after_s(), 0.0));
    reply->With("Retry-After",
                absl::StrCat(static_cast<int64_t>(std::min(seconds, 1e9))));
  } else if (reply->status == 429 || reply->status == 503) {
    reply->With("Retry-After", "1");
  }
  if (detail.no_retry()) reply->With("x-should-retry", "false");
}

}  // namespace

HttpReply ErrorReply(const absl::Status& status, std::string_view request_id) {
  const v1::UpstreamError detail = CallErrorDetail(status);
  HttpReply reply;
  reply.status = CallErrorHttpStatus(status);
  reply.error_code = detail.code();
  reply.body = RenderError(detail, reply.status, request_id);
  AddRetryHeaders(detail, &reply);
  if (reply.status == 401) reply.With("WWW-Authenticate", "Bearer");
  return reply;
}

HttpReply DoorReply(int http_status, std::string_view code,
                    std::string_view message, std::string_view request_id) {
  v1::UpstreamError detail;
  detail.set_code(std::string(code));
  detail.set_message(std::string(message));
  detail.set_source(http_status >= 500 ? "gateway" : "client");
  HttpReply reply;
  reply.status = http_status;
  reply.error_code = std::string(code);
  reply.body = RenderError(detail, http_status, request_id);
  AddRetryHeaders(detail, &reply);
  return reply;
}

void AddCallHeaders(const v1::ServiceInfo& info, HttpReply* reply) {
  for (const auto& [name, value] : FactHeaders(info)) reply->With(name, value);
}

std::string_view ReasonPhrase(int http_status) {
  switch (http_status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return http_status < 400 ? "OK" : "Error";
  }
}

}  // namespace llm::server
