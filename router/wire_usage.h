// Token counts: to the wire, summed, and guessed where nobody counted.
//
// Pure.
#ifndef LLM_ROUTER_WIRE_USAGE_H_
#define LLM_ROUTER_WIRE_USAGE_H_

#include <optional>

#include "adapters/core/usage.h"
#include "llm/v1/chat.pb.h"

namespace llm {

// OpenAI's counts of disjoint buckets; nullopt where nothing is known.
std::optional<v1::Usage> ToWireUsage(const TokenUsage& usage);

// Adds bucket by bucket; a bucket is unset only if it is in both.
void AddUsage(const TokenUsage& from, TokenUsage* to);

// The weaker of two sources: one estimated part makes a sum estimated.
UsageSource CombineSources(UsageSource a, UsageSource b);

// "provider" (also for partial), "estimated" or "none", as ServiceInfo says.
std::string_view WireUsageSource(UsageSource source);

}  // namespace llm

#endif  // LLM_ROUTER_WIRE_USAGE_H_
