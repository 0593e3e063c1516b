#include "server/metrics/fan_out_observer.h"

namespace llm::server {

void FanOutObserver::OnCallStarted(const CallIdentity& call) {
  for (CallObserver* observer : observers_) observer->OnCallStarted(call);
}

void FanOutObserver::OnAttemptStarted(const AttemptIntent& intent) {
  for (CallObserver* observer : observers_) observer->OnAttemptStarted(intent);
}

void FanOutObserver::OnFirstContent(const AttemptIntent& intent,
                                    absl::Duration since_dispatch) {
  for (CallObserver* observer : observers_) {
    observer->OnFirstContent(intent, since_dispatch);
  }
}

void FanOutObserver::OnAttemptFinished(const AttemptRecord& record) {
  for (CallObserver* observer : observers_) observer->OnAttemptFinished(record);
}

void FanOutObserver::OnFallback(const AttemptRecord& failed,
                                const AttemptIntent& next) {
  for (CallObserver* observer : observers_) observer->OnFallback(failed, next);
}

void FanOutObserver::OnCallFinished(const RequestRecord& record,
                                    absl::Duration overhead) {
  for (CallObserver* observer : observers_) {
    observer->OnCallFinished(record, overhead);
  }
}

void FanOutObserver::OnQueued(const QueuedCall& call) {
  for (CallObserver* observer : observers_) observer->OnQueued(call);
}

void FanOutObserver::OnReplayed(const ReplayedCall& call) {
  for (CallObserver* observer : observers_) observer->OnReplayed(call);
}

void FanOutObserver::OnRefused(const RefusedCall& refused) {
  for (CallObserver* observer : observers_) observer->OnRefused(refused);
}

}  // namespace llm::server
