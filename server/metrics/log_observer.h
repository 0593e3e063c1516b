// One line per request, refused ones included: a JSON object, so no caller's
// text can forge a line or a field. Never a prompt, an answer or a key.
//
// Threads:   One per event loop. The logger may be shared; give it a
//            sink that does not block (log_queue.h).
// Ownership: The logger outlives it.
#ifndef LLM_SERVER_METRICS_LOG_OBSERVER_H_
#define LLM_SERVER_METRICS_LOG_OBSERVER_H_

#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "router/call_observer.h"

namespace spdlog {
class logger;
}

namespace llm::server {

class LogObserver : public CallObserver {
 public:
  explicit LogObserver(spdlog::logger* logger) : logger_(logger) {}

  void OnCallStarted(const CallIdentity&) override {}
  void OnAttemptStarted(const AttemptIntent&) override {}
  void OnFirstContent(const AttemptIntent& intent,
                      absl::Duration since_dispatch) override;
  void OnAttemptFinished(const AttemptRecord&) override {}
  void OnFallback(const AttemptRecord&, const AttemptIntent&) override {}
  void OnCallFinished(const RequestRecord& record,
                      absl::Duration overhead) override;
  void OnReplayed(const ReplayedCall& call) override;
  void OnRefused(const RefusedCall& refused) override;

 private:
  spdlog::logger* logger_;
  // Of calls in flight: when the first content came, by request.
  absl::flat_hash_map<std::string, absl::Duration> first_content_;
};

// The line itself.
std::string RequestLogLine(const RequestRecord& record,
                           const absl::Duration* first_content,
                           absl::Duration overhead);
std::string ReplayLogLine(const ReplayedCall& call);
std::string RefusalLogLine(const RefusedCall& refused);
// "key_created", "key_revoked"; there is no secret to pass.
std::string KeyLogLine(std::string_view event, std::string_view key_id,
                       std::string_view name);

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_LOG_OBSERVER_H_
