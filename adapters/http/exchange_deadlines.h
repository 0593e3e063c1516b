// Which deadline of one exchange is next, and which one has passed. The rules
// are those of AttemptDeadlines (adapters/core/http_transport.h).
//
// Threads: Pure; time is passed in.
// Units:   Instants of one clock. Instant::Never() is no deadline.
#ifndef LLM_ADAPTERS_HTTP_EXCHANGE_DEADLINES_H_
#define LLM_ADAPTERS_HTTP_EXCHANGE_DEADLINES_H_

#include <string_view>

#include "adapters/core/clock.h"
#include "adapters/core/http_transport.h"

namespace llm {

class ExchangeDeadlines {
 public:
  ExchangeDeadlines(const AttemptDeadlines& limits, Instant start);

  // The handshakes are over: the connect deadline no longer counts.
  void OnConnected() { connect_by_ = Instant::Never(); }
  // While the sink works only the total deadline counts. What it took is
  // added to the others: a slow caller is not the provider's fault.
  void OnSinkStarted(Instant now);
  void OnSinkFinished(Instant now, BodyProgress progress);

  // The earliest deadline in force.
  Instant Next() const;
  // The name of the earliest deadline that has passed: "connect",
  // "first_content", "idle", "total"; empty if none has.
  std::string_view Passed(Instant now) const;

 private:
  struct Named {
    std::string_view name;
    Instant at;
  };
  Named Earliest() const;

  absl::Duration idle_;
  Instant total_by_;
  Instant connect_by_;
  Instant first_content_by_;
  Instant idle_by_ = Instant::Never();
  Instant idle_cap_ = Instant::Never();  // noise extends idle to here
  bool content_seen_ = false;
  bool in_sink_ = false;
  Instant sink_since_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_EXCHANGE_DEADLINES_H_
