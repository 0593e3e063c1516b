#include "adapters/gemini/error_table.h"

#include <string_view>

#include "adapters/dialect/error_rows.h"

namespace llm::gemini {
namespace {

using enum FailureClass;

constexpr ErrorRow kErrorRows[] = {
    // A wrong key is a 400 here, told apart by its reason alone.
    {"", 0, "api_key_invalid", "", kBadKey},
    {"", 0, "api_key_expired", "", kBadKey},
    {"", 400, "", "api key not valid", kBadKey},
    {"", 400, "", "api key expired", kBadKey},
    {"", 0, "unauthenticated", "", kBadKey},
    {"", 0, "access_token_expired", "", kBadKey},
    {"", 401, "", "", kBadKey},
    // Not enabled for this account: money or region.
    {"", 0, "billing_disabled", "", kOutOfMoney},
    {"", 400, "failed_precondition", "location is not supported", kPermission},
    {"", 400, "failed_precondition", "", kOutOfMoney},
    {"", 402, "", "", kOutOfMoney},
    {"", 429, "", "prepayment credits are depleted", kOutOfMoney},
    {"", 429, "", "spending cap", kOutOfMoney},
    {"", 400, "", "exceeds the maximum number of tokens", kContextLength},
    {"", 400, "", "input token count", kContextLength},
    // An over-long context has been a 500 as well.
    {"", 500, "", "input context is too long", kContextLength},
    // What the caller named, and not our account.
    {"", 403, "", "access the file", kInvalidRequest},
    {"", 403, "", "cachedcontent", kInvalidRequest},
    {"", 0, "permission_denied", "", kPermission},
    {"", 403, "", "", kPermission},
    {"", 0, "not_found", "", kModelNotFound},
    {"", 404, "", "", kModelNotFound},
    {"", 0, "resource_exhausted", "", kRateLimited},
    {"", 0, "rate_limit_exceeded", "", kRateLimited},
    {"", 429, "", "", kRateLimited},
    {"", 0, "unavailable", "", kOverloaded},
    {"", 503, "", "", kOverloaded},
    // Google's own deadline, unlike ours, is worth another try.
    {"", 0, "deadline_exceeded", "", kServerError},
    {"", 499, "", "", kServerError},
    {"", 0, "cancelled", "", kServerError},
    {"", 0, "internal", "", kServerError},
    // What the decoder says of answers that were broken off.
    {"", 0, "malformed*", "", kBadAnswer},
    {"", 0, "unexpected_tool_call", "", kBadAnswer},
    {"", 0, "too_many_tool_calls", "", kBadAnswer},
    {"", 0, "missing_thought_signature", "", kBadAnswer},
};

}  // namespace

FailureClass ClassifyError(int http_status, const ErrorWords& words) {
  return ClassifyByRows(kErrorRows, "", http_status, words);
}

}  // namespace llm::gemini
