// The one way a call fails towards its caller: a status code with one
// llm.v1.UpstreamError payload. Both doors render from it and from nothing
// else.
#ifndef LLM_ROUTER_CALL_ERROR_H_
#define LLM_ROUTER_CALL_ERROR_H_

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "adapters/core/failure.h"
#include "adapters/core/ids.h"
#include "llm/v1/common.pb.h"

namespace llm {

inline constexpr std::string_view kUpstreamErrorUrl =
    "type.googleapis.com/llm.v1.UpstreamError";

// Status with `detail` attached; the message is detail.message.
absl::Status MakeCallError(absl::StatusCode code, v1::UpstreamError detail);

// A refusal by the service itself: source "client" for kInvalidArgument,
// kNotFound, kUnauthenticated, kPermissionDenied; else "gateway".
absl::Status RefuseCall(absl::StatusCode code, std::string_view contract_code,
                        std::string_view message, std::string_view param = {});
// A fault of the request itself; `param` may be empty.
inline absl::Status RefuseField(std::string_view param,
                                std::string_view message) {
  return RefuseCall(absl::StatusCode::kInvalidArgument, "invalid_request",
                    message, param);
}

// The payload, or one made from the bare status.
v1::UpstreamError CallErrorDetail(const absl::Status& status);

// HTTP status for an error by its contract code (contract.md section 5).
int CallErrorHttpStatus(const absl::Status& status);

// One failed attempt as the caller's error needs it.
struct FailedAttempt {
  UpstreamFailure failure;
  ProviderId provider;
};

// The caller's error after the last attempt [contract.md section 5]: a
// provider's refusal of the request stays what it was; a strict request that
// no candidate can take as it stands is the caller's 400, with the field; our
// key's trouble is
// never the caller's 401; all rate limited is 429; the caller's or the total
// deadline is 504, not one attempt's own; anything else is 502.
absl::Status ErrorAfterAttempts(const std::vector<FailedAttempt>& attempts,
                                bool deadline_passed,
                                std::string_view request_id);

// The caller's error where nobody was asked because every candidate is out:
// nothing of ours is spent, so the caller may come again, and when is said
// [RTY-4].
absl::Status ErrorWhenAllOut(bool all_rate_limited, absl::Duration back_in);

}  // namespace llm

#endif  // LLM_ROUTER_CALL_ERROR_H_
