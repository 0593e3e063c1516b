// What every plan of one table would work out anew: each task's candidates in
// their order, and how the health board finds their deployments.
//
// A plan without an index works all of it out, and comes to the same.
//
// Threads:   Immutable once made; share freely.
// Ownership: Borrows from the table, which outlives it and is not moved.
#ifndef LLM_ROUTER_ROUTE_INDEX_H_
#define LLM_ROUTER_ROUTE_INDEX_H_

#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "router/resolve_route.h"

namespace llm {

class RouteIndex {
 public:
  explicit RouteIndex(const RouteTable& table);
  RouteIndex(const RouteIndex&) = delete;
  RouteIndex& operator=(const RouteIndex&) = delete;

  // Null where each conversation has an order of its own: one of the task's
  // models spreads them over its deployments.
  const std::vector<RouteCandidate>* Candidates(const TaskRoute& task) const;

 private:
  // By the task's place in the table.
  absl::flat_hash_map<const TaskRoute*, std::vector<RouteCandidate>> tasks_;
  std::deque<HealthSubject> subjects_;
};

}  // namespace llm

#endif  // LLM_ROUTER_ROUTE_INDEX_H_
