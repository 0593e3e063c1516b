#include "router/classify_failure.h"

namespace llm {

std::string_view NextMoveName(NextMove move) {
  switch (move) {
    case NextMove::kStop:
      return "stop";
    case NextMove::kRetrySame:
      return "retry";
    case NextMove::kNextKey:
      return "next_key";
    case NextMove::kNextDeployment:
      return "next_deployment";
  }
  return "stop";
}

NextMove ClassifyFailure(const FailureFacts& facts) {
  if (facts.content_committed) return NextMove::kStop;
  if (facts.stale_connection) return NextMove::kRetrySame;
  switch (facts.failure) {
    // The request is at fault, or nobody waits for an answer: another
    // deployment would say the same, or say it to no one.
    case FailureClass::kNone:
    case FailureClass::kInvalidRequest:
    case FailureClass::kContentFilter:
    case FailureClass::kCancelled:
    case FailureClass::kSinkFailed:
      return NextMove::kStop;
    // Passing trouble of this endpoint.
    case FailureClass::kOverloaded:
    case FailureClass::kServerError:
    case FailureClass::kConnect:
    case FailureClass::kTransport:
      return NextMove::kRetrySame;
    // Trouble of this key or its account.
    case FailureClass::kRateLimited:
    case FailureClass::kBadKey:
    case FailureClass::kPermission:
    case FailureClass::kOutOfMoney:
      return NextMove::kNextKey;
    // This deployment will not do better a moment later. A larger window may
    // take the prompt; another provider may know the model.
    case FailureClass::kUnsupported:
    case FailureClass::kContextLength:
    case FailureClass::kModelNotFound:
    case FailureClass::kTimeout:
    case FailureClass::kBadAnswer:
    case FailureClass::kIncomplete:
    case FailureClass::kEmptyAnswer:
      return NextMove::kNextDeployment;
  }
  return NextMove::kStop;
}

bool CountsAgainstHealth(FailureClass failure) {
  switch (failure) {
    case FailureClass::kNone:
    case FailureClass::kInvalidRequest:
    case FailureClass::kUnsupported:
    case FailureClass::kContextLength:
    case FailureClass::kContentFilter:
    case FailureClass::kCancelled:
    case FailureClass::kSinkFailed:
    // These are facts about a key; its ring knows them.
    case FailureClass::kBadKey:
    case FailureClass::kPermission:
    case FailureClass::kOutOfMoney:
      return false;
    case FailureClass::kModelNotFound:
    case FailureClass::kRateLimited:
    case FailureClass::kOverloaded:
    case FailureClass::kServerError:
    case FailureClass::kTimeout:
    case FailureClass::kConnect:
    case FailureClass::kTransport:
    case FailureClass::kBadAnswer:
    case FailureClass::kIncomplete:
    case FailureClass::kEmptyAnswer:
      return true;
  }
  return false;
}

}  // namespace llm
