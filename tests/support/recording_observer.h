// An observer that writes down what it is told, one word per event.
#ifndef LLM_TESTS_SUPPORT_RECORDING_OBSERVER_H_
#define LLM_TESTS_SUPPORT_RECORDING_OBSERVER_H_

#include <string>
#include <vector>

#include "router/call_observer.h"

namespace llm {

class RecordingObserver : public CallObserver {
 public:
  void OnCallStarted(const CallIdentity&) override { events.push_back("call"); }
  void OnAttemptStarted(const AttemptIntent& intent) override {
    events.push_back("attempt " + intent.deployment);
  }
  void OnFirstContent(const AttemptIntent&, absl::Duration since) override {
    events.push_back("content");
    first_content = since;
  }
  void OnAttemptFinished(const AttemptRecord& record) override {
    events.push_back("finished " + record.outcome);
  }
  void OnFallback(const AttemptRecord& failed,
                  const AttemptIntent& next) override {
    events.push_back("fallback " + failed.intent.deployment + " to " +
                     next.deployment);
  }
  void OnCallFinished(const RequestRecord& record,
                      absl::Duration spent_here) override {
    events.push_back("done " + record.outcome);
    overhead = spent_here;
  }

  void OnQueued(const QueuedCall& call) override { queued.push_back(call); }

  std::vector<std::string> events;
  std::vector<QueuedCall> queued;
  absl::Duration first_content;
  absl::Duration overhead;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_RECORDING_OBSERVER_H_
