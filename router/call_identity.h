// What a request says about itself, gathered from its fields, its path tags
// and its metadata, in that order of precedence.
//
// Pure.
#ifndef LLM_ROUTER_CALL_IDENTITY_H_
#define LLM_ROUTER_CALL_IDENTITY_H_

#include "router/route_plan.h"
#include "router/router.h"
#include "router/usage_ledger.h"

namespace llm {

// All but task_type, task_source and variant, which the plan knows.
CallIdentity IdentityOf(const CallContext& context,
                        const v1::ChatCompletionRequest& request);

// The earlier of the door's deadline and the request's own `timeout`.
Instant CallerDeadline(const CallContext& context,
                       const v1::ChatCompletionRequest& request);

}  // namespace llm

#endif  // LLM_ROUTER_CALL_IDENTITY_H_
