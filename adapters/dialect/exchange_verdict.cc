#include "adapters/dialect/exchange_verdict.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/dialect/error_rows.h"
#include "adapters/dialect/provider_words.h"

namespace llm {
namespace {

// A connection that had died while idle says so as soon as it is used. One
// that dies later took the request with it: the provider may have worked on
// it, and a repeat would be a second bill.
constexpr absl::Duration kStaleWithin = absl::Seconds(1);

}  // namespace

AttemptResult RefuseAttempt(FailureClass failure, std::string message) {
  AttemptResult result;
  result.dispatched = false;
  result.failure.failure = failure;
  result.failure.message = std::move(message);
  result.status =
      absl::Status(FailureStatusCode(failure), result.failure.message);
  return result;
}

AttemptResult RefuseField(std::string param, std::string message) {
  AttemptResult result =
      RefuseAttempt(FailureClass::kUnsupported, std::move(message));
  result.failure.code = "unsupported_parameter";
  result.failure.param = std::move(param);
  return result;
}

AttemptResult RefuseDrops(std::vector<std::string> dropped) {
  AttemptResult result = RefuseField(
      dropped.front(), absl::StrCat("strict: the provider does not take ",
                                    absl::StrJoin(dropped, ", ")));
  result.dropped = std::move(dropped);
  return result;
}

std::string ProviderRequestId(const std::vector<HttpHeader>& headers) {
  for (const std::string_view name :
       {"x-request-id", "request-id", "apim-request-id",
        "x-siliconcloud-trace-id", "mistral-correlation-id",
        "x-generation-id"}) {
    if (const std::string* id = FindHeader(headers, name)) {
      return SanitiseUpstreamText(OneWord(*id, 128), 128);
    }
  }
  return {};
}

FailureClass TransportFailure(const HttpResult& http, bool streamed) {
  switch (http.status.code()) {
    case absl::StatusCode::kCancelled:
      return FailureClass::kCancelled;
    case absl::StatusCode::kDeadlineExceeded:
      // No connection: nothing was sent, so nothing can be billed.
      return http.phase == HttpPhase::kConnect &&
                     absl::StrContains(http.status.message(), "connect")
                 ? FailureClass::kConnect
                 : FailureClass::kTimeout;
    case absl::StatusCode::kUnavailable:
      if (http.phase == HttpPhase::kConnect) return FailureClass::kConnect;
      return http.phase == HttpPhase::kBody && streamed
                 ? FailureClass::kIncomplete
                 : FailureClass::kTransport;
    default:
      return FailureClass::kBadAnswer;
  }
}

bool MayBeStale(const HttpResult& http) {
  if (http.status.code() != absl::StatusCode::kUnavailable ||
      !http.reused_connection) {
    return false;
  }
  // Half a request is none.
  if (http.phase == HttpPhase::kConnect || http.phase == HttpPhase::kSend) {
    return true;
  }
  return http.phase == HttpPhase::kWait && http.timings.total <= kStaleWithin;
}

UpstreamFailure DescribeRefusal(const ErrorClassifier& classify,
                                int http_status, ErrorWords words,
                                const ApiKey& key) {
  words = WithoutKey(std::move(words), key);
  return DescribeFailure(classify(http_status, words), http_status, words);
}

}  // namespace llm
