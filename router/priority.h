// How urgent a call is where calls wait in line: the caller's own word.
//
// Not OpenAI's `service_tier`, which is a provider's price and speed and goes
// to the provider; this one stays here.
//
// Pure.
#ifndef LLM_ROUTER_PRIORITY_H_
#define LLM_ROUTER_PRIORITY_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace llm {

enum class Priority { kLow, kNormal, kHigh, kUrgent };

// "low", "normal", "high", "urgent".
std::string_view PriorityName(Priority priority);

// Empty is normal. kInvalidArgument (invalid_request) names the four words;
// `param` is where the word stood: "priority", "x-llm-priority".
absl::StatusOr<Priority> ParsePriority(std::string_view word,
                                       std::string_view param);

}  // namespace llm

#endif  // LLM_ROUTER_PRIORITY_H_
