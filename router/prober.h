// Looks at providers beside the traffic: their list of models, which costs
// nothing. A provider is looked at where a breaker of it has opened or a key
// of it was refused, every interval (0.9 to 1.1 of it, by lot); and where it
// has had no traffic for ten intervals, every ten.
//
// This file schedules; HealthBoard::SeenUp and SeenDown judge. A look never
// overrides traffic, its 4xx says nothing, and a provider without a list of
// models is judged by traffic alone.
//
// Threads:      One event loop: the one whose router is passed in; Counts from
//               any.
// Cancellation: Cancelling Run ends the look that is under way, and Run.
#ifndef LLM_ROUTER_PROBER_H_
#define LLM_ROUTER_PROBER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "adapters/core/mutex.h"
#include "adapters/core/task.h"
#include "router/router.h"

namespace llm {

// One look that is due.
struct DueLook {
  std::string provider;
  ApiKey key;  // empty: it has none
  std::vector<HealthSubject> deployments;
};

// Looks that were judged, by what they saw.
struct ProbeCount {
  std::string provider;
  ProbeVerdict verdict = ProbeVerdict::kUnknown;
  int64_t looks = 0;
};

class Prober {
 public:
  // Gives the router whose configuration is in force now, so that looks
  // follow a reload. What is passed in outlives the prober.
  using CurrentRouter = std::function<std::shared_ptr<Router>()>;
  Prober(CurrentRouter current, HealthBoard& health, const Clock& clock,
         Random& random);

  // Until cancelled.
  Task<void> Run();
  // Looks at whoever is due, one after the other. Never overlaps: Run waits
  // for it.
  Task<void> Round(const Router& router);
  // What a round would do now; the subjects borrow from `table`.
  std::vector<DueLook> Due(const RouteTable& table, Instant now) const;
  // By provider, in order.
  std::vector<ProbeCount> Counts() const;

 private:
  absl::Duration NextWait() const;
  Task<void> Look(const Router& router, const DueLook& due);

  const CurrentRouter current_;
  HealthBoard& health_;
  const Clock& clock_;
  Random& random_;
  absl::flat_hash_map<std::string, Instant> looked_at_;
  mutable Mutex mutex_;
  std::map<std::pair<std::string, ProbeVerdict>, int64_t> counts_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm

#endif  // LLM_ROUTER_PROBER_H_
