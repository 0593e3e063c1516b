#include "adapters/anthropic/error_table.h"

namespace llm::anthropic {
namespace {

using enum FailureClass;

constexpr ErrorRow kRows[] = {
    // Money before rate limits and before malformed requests: the older
    // forms hide behind a 400, a spend limit behind a 429.
    {"", 0, "billing_error", "", kOutOfMoney},
    {"", 0, "enforced_spend_limit_reached", "", kOutOfMoney},
    {"", 0, "", "credit balance is too low", kOutOfMoney},
    {"", 0, "", "reached your specified api usage limits", kOutOfMoney},
    {"", 402, "", "", kOutOfMoney},
    // The API's own words of a prompt, or prompt and answer, that do not fit.
    {"", 0, "", "prompt is too long", kContextLength},
    {"", 0, "", "exceed context limit", kContextLength},
    {"", 0, "", "input is too long", kContextLength},
    {"", 0, "authentication_error", "", kBadKey},
    {"", 0, "permission_error", "", kPermission},
    // A file or container that is not there is the caller's; the page has
    // "model: ID" for a model.
    {"", 0, "not_found_error", "model", kModelNotFound},
    {"", 0, "not_found_error", "", kInvalidRequest},
    {"", 0, "rate_limit_error", "", kRateLimited},
    {"", 0, "overloaded_error", "", kOverloaded},
    {"", 529, "", "", kOverloaded},
    {"", 0, "request_too_large", "", kInvalidRequest},
    {"", 0, "timeout_error", "", kServerError},
};

}  // namespace

FailureClass ClassifyError(int http_status, const ErrorWords& words) {
  return ClassifyByRows(kRows, "", http_status, words);
}

}  // namespace llm::anthropic
