// What a request says about itself, gathered from its fields, its path tags
// and its metadata, in that order of precedence.
//
// Pure.
#ifndef LLM_ROUTER_CALL_IDENTITY_H_
#define LLM_ROUTER_CALL_IDENTITY_H_

#include <cstddef>

#include "router/route_plan.h"
#include "router/router.h"
#include "router/usage_ledger.h"

namespace llm {

// Bytes of a tag, which is recorded with every row.
inline constexpr size_t kMaxTag = 256;
// Pairs of metadata, and bytes of a name and of a value: OpenAI's bounds, at
// four bytes a character of a value.
inline constexpr size_t kMaxMetadata = 16;
inline constexpr size_t kMaxMetadataName = 64;
inline constexpr size_t kMaxMetadataValue = size_t{4} * 512;

// All but task_type, task_source and variant, which the plan knows.
CallIdentity IdentityOf(const CallContext& context,
                        const v1::ChatCompletionRequest& request);

// The earlier of the door's deadline and the request's own `timeout`.
Instant CallerDeadline(const CallContext& context,
                       const v1::ChatCompletionRequest& request);

}  // namespace llm

#endif  // LLM_ROUTER_CALL_IDENTITY_H_
