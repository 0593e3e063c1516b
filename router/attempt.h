// One upstream call: what it is told, how it runs, what its row says.
//
// Threads: The call's event loop.
#ifndef LLM_ROUTER_ATTEMPT_H_
#define LLM_ROUTER_ATTEMPT_H_

#include <memory>

#include "adapters/core/provider.h"
#include "router/attempt_sink.h"
#include "router/route_plan.h"
#include "router/usage_ledger.h"

namespace llm {

// Timeouts of a target: its own, else its provider's. A reasoning model is
// silent while it thinks, so unless they were configured, its content
// deadlines are the total.
ProviderTimeouts TimeoutsOf(const RouteTable& table, const RouteTarget& target);

// Of an attempt that began then. The target's total is its own, so that one
// asked late has time left; `call_deadline` (the caller's, or the longest total
// of the plan since the call came) bounds all attempts together.
AttemptDeadlines DeadlinesOf(const ProviderTimeouts& timeouts, Instant began,
                             Instant call_deadline);

// Calls the provider. Never throws; a null provider is a failed attempt, and
// whatever a cancelled task's provider answers becomes kCancelled.
// Never null.
Task<std::unique_ptr<AttemptResult>> RunAttempt(Provider* provider,
                                                const ChatRequest& request,
                                                const AttemptContext& context,
                                                AttemptSink& sink);

// The same for embeddings: on success there is a vector for each of `inputs`,
// on failure there are fewer, and the rest of RunAttempt's promises hold.
Task<EmbedResult> RunEmbedAttempt(Provider* provider,
                                  const v1::CreateEmbeddingsRequest& request,
                                  size_t inputs, const AttemptContext& context);

// The result of an attempt whose caller left before it was dispatched.
std::unique_ptr<AttemptResult> NeverDispatched();

// What an attempt's row says about its end; usage and cost are the meter's.
AttemptRecord DescribeAttempt(const AttemptIntent& intent,
                              const AttemptResult& result, bool committed);

// ok, client_cancelled, not_dispatched (nothing left for the provider, so it
// is no attempt of the request), incomplete, or the failure's class.
std::string AttemptOutcome(const AttemptResult& result, bool committed);

}  // namespace llm

#endif  // LLM_ROUTER_ATTEMPT_H_
