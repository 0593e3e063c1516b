// The one table from a failed attempt to what follows.
//
// Pure; the table test is tests/router/tables_test.cc [RTY-2].
#ifndef LLM_ROUTER_CLASSIFY_FAILURE_H_
#define LLM_ROUTER_CLASSIFY_FAILURE_H_

#include "adapters/core/failure.h"

namespace llm {

enum class NextMove {
  kStop,            // the caller gets this failure
  kRetrySame,       // same deployment and key after a wait, then the next
  kNextKey,         // same provider with another key, then the next
  kNextDeployment,  // another deployment now
};
std::string_view NextMoveName(NextMove move);

struct FailureFacts {
  FailureClass failure = FailureClass::kNone;
  // The caller has already seen content of this attempt: always kStop.
  bool content_committed = false;
  // A kept-alive connection was dead: worth one repeat on a fresh one. That
  // the provider did nothing with the request is likely, not certain.
  bool stale_connection = false;
};

NextMove ClassifyFailure(const FailureFacts& facts);

// True where a failure says something about the deployment's health (an
// invalid request does not).
bool CountsAgainstHealth(FailureClass failure);

}  // namespace llm

#endif  // LLM_ROUTER_CLASSIFY_FAILURE_H_
