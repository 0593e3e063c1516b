// What an attempt consumed and cost, and what a call's attempts sum to.
//
// Rules:
//  * Usage the provider reported is used as it is. Where it reported none, it
//    is estimated exactly if something was generated: the attempt succeeded
//    or content was seen. Estimates are marked.
//  * A stream that was cut may have said a first count of its output only
//    (Anthropic's message_start; the last one comes at the end). Where more
//    was seen than counted, what was seen is the estimate.
//  * An attempt that failed before any content has no usage, source `none`,
//    no cost and price status unknown_usage; nothing says that it was billed,
//    so it does not make its request unpriced.
//  * An attempt with usage but without a price makes the request unpriced.
//    Unknown is never 0 [COST-5].
//
// Pure.
#ifndef LLM_ROUTER_COST_METER_H_
#define LLM_ROUTER_COST_METER_H_

#include <optional>
#include <vector>

#include "adapters/core/provider.h"
#include "llm/v1/chat.pb.h"
#include "router/admission.h"
#include "router/route_plan.h"
#include "router/usage_ledger.h"

namespace llm {

struct MeterInput {
  const RouteTable* table = nullptr;
  const RouteTarget* target = nullptr;
  const AttemptResult* result = nullptr;
  // Of the request's prompt and of the output that was seen.
  int64_t estimated_input_tokens = 0;
  int64_t estimated_output_tokens = 0;
  bool content_seen = false;
  // Start of the request: prices in force then.
  absl::Time at;
};

// Fills usage, usage_source and the price fields of `record`.
void MeterAttempt(const MeterInput& input, AttemptRecord* record);

struct CallTotals {
  TokenUsage usage;
  UsageSource usage_source = UsageSource::kNone;
  std::vector<Money> cost;  // one per currency, in order of appearance
  bool unpriced = false;

  void Add(const AttemptRecord& record);
  // The one amount, if there is exactly one currency and nothing unpriced.
  std::optional<v1::Cost> SingleCost() const;
};

// What has a price: a deployment, under the name it is reached by.
struct Priced {
  const ModelId& public_model;
  const Deployment& deployment;
  const ModelTraits& traits;
};

// What an attempt with this usage would be billed, by the code that bills;
// nullopt where the price is unknown.
std::optional<Money> CostOf(const RouteTable& table, const Priced& what,
                            const TokenUsage& usage, absl::Time at);

// The request's estimated prompt and an answer of 1000 tokens per choice, or
// fewer where it asks for fewer: what candidates are compared by.
TokenUsage LikelyUsage(const v1::ChatCompletionRequest& request,
                       int64_t estimated_input_tokens);

// The dearest of the plan's targets, per currency, for one attempt. `cost` is
// empty where any target's price or output limit is unknown. Searches that a
// provider may run and the room that dialects give to reasoning beside
// `max_tokens` are not foreseen.
WorstCase WorstCaseOf(const RouteTable& table, const RoutePlan& plan,
                      const v1::ChatCompletionRequest& request,
                      int64_t estimated_input_tokens, absl::Time at);

}  // namespace llm

#endif  // LLM_ROUTER_COST_METER_H_
