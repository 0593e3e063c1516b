// Counts a call in flight for as long as it lives.
//
// Threads: Any; the count is the process's.
#ifndef LLM_SERVER_CORE_IN_FLIGHT_H_
#define LLM_SERVER_CORE_IN_FLIGHT_H_

#include "server/core/gateway.h"

namespace llm::server {

class InFlight {
 public:
  explicit InFlight(ServiceState& state) : state_(state) { ++state_.inflight; }
  ~InFlight() { --state_.inflight; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  ServiceState& state_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_IN_FLIGHT_H_
