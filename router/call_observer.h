// Timed facts about calls, told to whoever measures: logs, metrics, traces.
//
// Threads: Called on the call's event loop; implementations must not block
//          and hold no lock shared between loops on this path.
// Privacy: Nothing here carries a prompt, an answer or a key.
#ifndef LLM_ROUTER_CALL_OBSERVER_H_
#define LLM_ROUTER_CALL_OBSERVER_H_

#include <string>

#include "absl/time/time.h"
#include "router/usage_ledger.h"

namespace llm {

// A request that a door answered with an error and no router ever saw.
struct RefusedCall {
  std::string door;        // "http", "grpc"
  std::string request_id;  // ours; empty where none was minted
  std::string key_id;      // empty before the caller is known
  std::string code;        // the contract's word: "invalid_api_key"
  int http_status = 0;     // what it is on HTTP, also for other doors
  // The caller's own words, by which it asks about the refusal; may be empty.
  std::string client_request_id = {};
  std::string trace_id = {};
};

// A call stood in a provider's line.
struct QueuedCall {
  ProviderId provider;
  ModelId public_model;
  absl::Duration waited;
  bool got_place = false;
};

// A caller that got the answer of an earlier call with its Idempotency-Key.
struct ReplayedCall {
  std::string door;
  std::string request_id;  // of this caller's request
  std::string replay_of;   // of the call whose answer it is
  std::string key_id;
  std::string client_request_id;
  std::string code;  // "ok", or the contract's word
  int http_status = 0;
};

class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void OnCallStarted(const CallIdentity& call) = 0;
  virtual void OnAttemptStarted(const AttemptIntent& intent) = 0;
  virtual void OnFirstContent(const AttemptIntent& intent,
                              absl::Duration since_dispatch) = 0;
  virtual void OnAttemptFinished(const AttemptRecord& record) = 0;
  // An attempt's failure led to another deployment.
  virtual void OnFallback(const AttemptRecord& failed,
                          const AttemptIntent& next) = 0;
  // `overhead` is time spent here: the call's duration without waits for
  // upstreams, callers and timers.
  virtual void OnCallFinished(const RequestRecord& record,
                              absl::Duration overhead) = 0;
  virtual void OnQueued(const QueuedCall&) {}
  // Instead of all of the above.
  virtual void OnReplayed(const ReplayedCall&) {}
  virtual void OnRefused(const RefusedCall&) {}
};

}  // namespace llm

#endif  // LLM_ROUTER_CALL_OBSERVER_H_
