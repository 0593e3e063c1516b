#include "router/usage_ledger.h"

namespace llm {

std::string_view AttemptRoleName(AttemptRole role) {
  switch (role) {
    case AttemptRole::kPrimary:
      return "primary";
    case AttemptRole::kRetry:
      return "retry";
    case AttemptRole::kFallback:
      return "fallback";
    case AttemptRole::kHedge:
      return "hedge";
    case AttemptRole::kShadow:
      return "shadow";
    case AttemptRole::kProbe:
      return "probe";
  }
  return "primary";
}

}  // namespace llm
