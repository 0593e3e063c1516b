// Puts the candidates of a call in order: who may be asked now, and among
// those, within a tier, who is fastest or cheapest.
//
//   ready            primary tier, then fallback tier
//   nearly used up   likewise: there is still the 429 to come
//   out              whom time brings back, the first one first; then those
//                    whose account needs a person
//
// Within a tier: `order` as listed; `cost` by price, what is unpriced last,
// equals by lot; `latency` by the power of two choices: of two drawn at
// random the one with the smaller product of mean time to first content and
// load (calls under way and this one). Products within a tenth are equal and
// drawn by lot, so that noise favours nobody. A deployment nobody has
// measured wins while no call of it is under way, and else loses: it is
// measured by one call, not by all. The others stand behind the winner by
// that product, for the case that it fails.
//
// Threads: Any loop.
#ifndef LLM_ROUTER_RANK_ROUTE_H_
#define LLM_ROUTER_RANK_ROUTE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/types/span.h"
#include "router/health_view.h"
#include "router/resolve_route.h"

namespace llm {

// What a request costs at a candidate, for comparing.
struct ComparedCost {
  Money cost;
  // In the compare currency, or in the one all have; unset: no rate.
  std::optional<absl::int128> pico;
};

struct RankedCandidate {
  RouteCandidate candidate;
  const HealthView* view = nullptr;  // in RankedRoute.views
  // prefer: cost, where the price is known; in RankedRoute.costs.
  const ComparedCost* cost = nullptr;
};

// Points into itself: moved, never copied.
struct RankedRoute {
  RankedRoute() = default;
  RankedRoute(RankedRoute&&) = default;
  RankedRoute& operator=(RankedRoute&&) = default;

  std::vector<RankedCandidate> order;
  std::vector<HealthView> views;
  std::vector<ComparedCost> costs;
  // Why the first of them, beyond its tier: "fastest of 3: 0.8 s against
  // 2.1 s". Empty: there was nothing to choose.
  std::string why_first;
  // Before it by the configuration, and not to be asked now: "a/m: open after
  // 5 failures, back in 12 s".
  std::vector<std::string> passed_over;
};

// `usage`: what the request is likely to use.
RankedRoute RankRoute(const PlanInput& input, const ResolvedRoute& route,
                      absl::Span<const RouteCandidate> candidates,
                      const TokenUsage& usage);

}  // namespace llm

#endif  // LLM_ROUTER_RANK_ROUTE_H_
