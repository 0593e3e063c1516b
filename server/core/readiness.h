// What /readyz says of deployments and keys: where calls go and why not
// elsewhere. No key, no caller's text.
//
// Threads: Any event loop.
#ifndef LLM_SERVER_CORE_READINESS_H_
#define LLM_SERVER_CORE_READINESS_H_

#include "adapters/core/json.h"
#include "router/health_board.h"
#include "router/route_table.h"

namespace llm::server {

// Three members of an object that is open:
//   "deployments": {ID: "healthy", …}
//   "detail": {ID: {"breaker": "open", "why": "open after 5 failures …",
//              "latency_s": 0.8, "in_flight": 3}, …}, of those with traffic
//   "providers": {ID: {"keys": 3, "keys_out": {"bad_key": 1}}, …}
void WriteHealth(const RouteTable& table, const HealthBoard& health,
                 Instant now, JsonWriter& json);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_READINESS_H_
