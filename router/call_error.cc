#include "router/call_error.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// A caller told to come back must be told when.
constexpr double kDefaultRetryAfterSeconds = 1;
constexpr double kDefaultRateLimitSeconds = 5;

struct ContractRow {
  std::string_view code;
  int http;
  absl::StatusCode grpc;
  bool retry_after;
};

constexpr std::array<ContractRow, 19> kContract = {{
    {"invalid_request", 400, absl::StatusCode::kInvalidArgument, false},
    {"invalid_api_key", 401, absl::StatusCode::kUnauthenticated, false},
    {"model_not_allowed", 403, absl::StatusCode::kPermissionDenied, false},
    {"model_not_found", 404, absl::StatusCode::kNotFound, false},
    {"body_too_large", 413, absl::StatusCode::kResourceExhausted, false},
    {"rate_limited", 429, absl::StatusCode::kResourceExhausted, true},
    {"budget_exceeded", 429, absl::StatusCode::kResourceExhausted, true},
    {"context_length_exceeded", 400, absl::StatusCode::kInvalidArgument, false},
    {"content_filter", 400, absl::StatusCode::kInvalidArgument, false},
    {"provider_rejected", 400, absl::StatusCode::kInvalidArgument, false},
    {"provider_rate_limited", 429, absl::StatusCode::kResourceExhausted, true},
    {"provider_unavailable", 502, absl::StatusCode::kUnavailable, false},
    {"timeout", 504, absl::StatusCode::kDeadlineExceeded, false},
    {"overloaded", 503, absl::StatusCode::kUnavailable, true},
    {"idempotency_conflict", 409, absl::StatusCode::kAborted, false},
    // Beside the contract's table: nobody reads the first; not_found is a thing
    // that is no model, such as a key; the other two mean
    // that we are at fault, or that a route is not served yet.
    {"client_cancelled", 499, absl::StatusCode::kCancelled, false},
    {"not_found", 404, absl::StatusCode::kNotFound, false},
    {"internal", 500, absl::StatusCode::kInternal, false},
    {"not_implemented", 501, absl::StatusCode::kUnimplemented, false},
}};

const ContractRow* FindRow(std::string_view code) {
  for (const ContractRow& row : kContract) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

// The contract's word for a status that came without a payload.
std::string_view CodeForBareStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return "invalid_request";
    case absl::StatusCode::kUnauthenticated:
      return "invalid_api_key";
    case absl::StatusCode::kPermissionDenied:
      return "model_not_allowed";
    case absl::StatusCode::kNotFound:
      return "model_not_found";
    case absl::StatusCode::kResourceExhausted:
      return "rate_limited";
    case absl::StatusCode::kDeadlineExceeded:
      return "timeout";
    case absl::StatusCode::kUnavailable:
      return "overloaded";
    case absl::StatusCode::kCancelled:
      return "client_cancelled";
    case absl::StatusCode::kUnimplemented:
      return "not_implemented";
    default:
      return "internal";
  }
}

std::string_view SourceFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return "client";
    default:
      return "gateway";
  }
}

// Upstream statuses that a refused request keeps.
int RejectedStatus(int upstream) {
  switch (upstream) {
    case 404:
    case 409:
    case 413:
    case 422:
      return upstream;
    default:
      return 400;
  }
}

absl::StatusCode RejectedCode(int upstream) {
  switch (RejectedStatus(upstream)) {
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
      return absl::StatusCode::kAborted;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

bool All(const std::vector<FailedAttempt>& attempts, FailureClass failure) {
  return !attempts.empty() &&
         std::all_of(attempts.begin(), attempts.end(),
                     [failure](const FailedAttempt& attempt) {
                       return attempt.failure.failure == failure;
                     });
}

// The contract's word for what the attempts came to. A failure that stopped
// the loop decides alone; the others only where they are unanimous.
std::string_view Verdict(const std::vector<FailedAttempt>& attempts,
                         bool deadline_passed) {
  const FailureClass last =
      attempts.empty() ? FailureClass::kNone : attempts.back().failure.failure;
  if (last == FailureClass::kCancelled || last == FailureClass::kSinkFailed) {
    return "client_cancelled";
  }
  if (last == FailureClass::kInvalidRequest) return "provider_rejected";
  if (last == FailureClass::kContentFilter) return "content_filter";
  if (All(attempts, FailureClass::kUnsupported)) return "invalid_request";
  if (deadline_passed) return "timeout";
  if (All(attempts, FailureClass::kContextLength)) {
    return "context_length_exceeded";
  }
  if (All(attempts, FailureClass::kModelNotFound)) return "provider_rejected";
  if (All(attempts, FailureClass::kRateLimited)) return "provider_rate_limited";
  return "provider_unavailable";
}

// Beside candidates that were asked, those that could not take the request say
// nothing about how it ended.
std::vector<FailedAttempt> Telling(const std::vector<FailedAttempt>& all) {
  std::vector<FailedAttempt> asked;
  for (const FailedAttempt& attempt : all) {
    if (attempt.failure.failure != FailureClass::kUnsupported) {
      asked.push_back(attempt);
    }
  }
  return asked.empty() ? all : asked;
}

double EarliestRetry(const std::vector<FailedAttempt>& attempts) {
  std::optional<absl::Duration> earliest;
  for (const FailedAttempt& attempt : attempts) {
    const auto& after = attempt.failure.retry_after;
    if (after && (!earliest || *after < *earliest)) earliest = after;
  }
  return earliest ? absl::ToDoubleSeconds(*earliest) : kDefaultRateLimitSeconds;
}

// Words for people. The provider's own only where they are about the request:
// elsewhere they would speak of our account.
std::string Describe(std::string_view code, const FailedAttempt* last) {
  const std::string said = last != nullptr && !last->failure.message.empty()
                               ? absl::StrCat(": ", last->failure.message)
                               : "";
  if (code == "provider_rejected") {
    return absl::StrCat("The provider refused the request", said);
  }
  if (code == "invalid_request") {
    return absl::StrCat("No candidate takes this request as it stands", said);
  }
  if (code == "content_filter") {
    return absl::StrCat("The provider's content filter refused the prompt",
                        said);
  }
  if (code == "context_length_exceeded") {
    return "The prompt is too long for every candidate model";
  }
  if (code == "provider_rate_limited") {
    return "Every candidate provider is rate limited";
  }
  if (code == "timeout") return "The deadline passed before an answer came";
  if (code == "client_cancelled") return "The caller left";
  return absl::StrCat(
      "No candidate provider could answer; the last failure was ",
      ToAbsl(last == nullptr ? "unknown"
                             : FailureClassName(last->failure.failure)));
}

}  // namespace

absl::Status MakeCallError(absl::StatusCode code, v1::UpstreamError detail) {
  const ContractRow* row = FindRow(detail.code());
  if (row != nullptr && row->retry_after && !detail.has_retry_after_s()) {
    detail.set_retry_after_s(kDefaultRetryAfterSeconds);
  }
  if (detail.code() == "budget_exceeded") detail.set_no_retry(true);
  absl::Status status(code, detail.message());
  status.SetPayload(ToAbsl(kUpstreamErrorUrl),
                    absl::Cord(detail.SerializeAsString()));
  return status;
}

absl::Status RefuseCall(absl::StatusCode code, std::string_view contract_code,
                        std::string_view message, std::string_view param) {
  v1::UpstreamError detail;
  detail.set_code(std::string(contract_code));
  detail.set_source(std::string(SourceFor(code)));
  detail.set_message(std::string(message));
  detail.set_param(std::string(param));
  return MakeCallError(code, std::move(detail));
}

v1::UpstreamError CallErrorDetail(const absl::Status& status) {
  v1::UpstreamError detail;
  const auto payload = status.GetPayload(ToAbsl(kUpstreamErrorUrl));
  if (payload && detail.ParseFromString(std::string(*payload))) return detail;
  detail.Clear();
  detail.set_code(std::string(CodeForBareStatus(status.code())));
  detail.set_source(std::string(SourceFor(status.code())));
  detail.set_message(std::string(status.message()));
  const ContractRow* row = FindRow(detail.code());
  if (row != nullptr && row->retry_after) {
    detail.set_retry_after_s(kDefaultRetryAfterSeconds);
  }
  return detail;
}

int CallErrorHttpStatus(const absl::Status& status) {
  if (status.ok()) return 200;
  const v1::UpstreamError detail = CallErrorDetail(status);
  if (detail.code() == "provider_rejected") {
    return RejectedStatus(detail.upstream_status());
  }
  const ContractRow* row = FindRow(detail.code());
  return row == nullptr ? 500 : row->http;
}

absl::Status ErrorAfterAttempts(const std::vector<FailedAttempt>& failed,
                                bool deadline_passed,
                                std::string_view request_id) {
  const std::vector<FailedAttempt> attempts = Telling(failed);
  const FailedAttempt* last = attempts.empty() ? nullptr : &attempts.back();
  const std::string_view code = Verdict(attempts, deadline_passed);
  v1::UpstreamError detail;
  detail.set_code(std::string(code));
  detail.set_request_id(std::string(request_id));
  detail.set_attempts(static_cast<int32_t>(attempts.size()));
  detail.set_message(Describe(code, last));
  // The retries are ours, and they are spent: a client that repeats them
  // multiplies the load (users.md section 2, retry multiplication).
  detail.set_no_retry(true);
  const bool client = code == "client_cancelled" || code == "invalid_request";
  detail.set_source(client            ? "client"
                    : last == nullptr ? "gateway"
                                      : "provider");
  if (last != nullptr) {
    detail.set_provider(last->provider.value);
    detail.set_upstream_status(last->failure.http_status);
    detail.set_upstream_code(last->failure.code);
    if (code == "provider_rejected" || code == "invalid_request") {
      detail.set_param(last->failure.param);
    }
  }
  if (code == "provider_rate_limited") {
    detail.set_retry_after_s(EarliestRetry(attempts));
  }
  const ContractRow* row = FindRow(code);
  const absl::StatusCode grpc = code == "provider_rejected"
                                    ? RejectedCode(detail.upstream_status())
                                    : row->grpc;
  return MakeCallError(grpc, std::move(detail));
}

absl::Status ErrorWhenAllOut(bool all_rate_limited, absl::Duration back_in) {
  const double seconds = std::max(absl::ToDoubleSeconds(back_in), 0.0);
  v1::UpstreamError detail;
  detail.set_code(all_rate_limited ? "provider_rate_limited"
                                   : "provider_unavailable");
  detail.set_source("gateway");
  detail.set_retry_after_s(seconds);
  detail.set_message(absl::StrCat(
      all_rate_limited ? "Every candidate provider is rate limited"
                       : "Every candidate provider is being left alone after "
                         "failures",
      "; the first is back in ", std::ceil(seconds), " s"));
  const ContractRow* row = FindRow(detail.code());
  return MakeCallError(row->grpc, std::move(detail));
}

}  // namespace llm
