// Tells several observers the same facts, in order.
//
// Ownership: The observers outlive it.
#ifndef LLM_SERVER_METRICS_FAN_OUT_OBSERVER_H_
#define LLM_SERVER_METRICS_FAN_OUT_OBSERVER_H_

#include <utility>
#include <vector>

#include "router/call_observer.h"

namespace llm::server {

class FanOutObserver : public CallObserver {
 public:
  explicit FanOutObserver(std::vector<CallObserver*> observers)
      : observers_(std::move(observers)) {}

  void OnCallStarted(const CallIdentity& call) override;
  void OnAttemptStarted(const AttemptIntent& intent) override;
  void OnFirstContent(const AttemptIntent& intent,
                      absl::Duration since_dispatch) override;
  void OnAttemptFinished(const AttemptRecord& record) override;
  void OnFallback(const AttemptRecord& failed,
                  const AttemptIntent& next) override;
  void OnCallFinished(const RequestRecord& record,
                      absl::Duration overhead) override;
  void OnQueued(const QueuedCall& call) override;
  void OnReplayed(const ReplayedCall& call) override;
  void OnRefused(const RefusedCall& refused) override;

 private:
  std::vector<CallObserver*> observers_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_FAN_OUT_OBSERVER_H_
