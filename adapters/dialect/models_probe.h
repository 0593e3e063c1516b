// A list of models: whether a provider answers, and takes our key, without
// generating anything [HLT-1]. The list itself is not looked at: Together's is
// a bare array, Mistral's and Groq's have members of their own.
//
// Threads:   One event loop.
// Ownership: Everything outlives the returned task.
#ifndef LLM_ADAPTERS_DIALECT_MODELS_PROBE_H_
#define LLM_ADAPTERS_DIALECT_MODELS_PROBE_H_

#include <string>
#include <vector>

#include "adapters/core/clock.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/provider.h"

namespace llm {

struct ProbeTarget {
  std::string url;
  // With the credential, in the dialect's way.
  std::vector<HttpHeader> headers;
  EndpointOptions endpoint;
};

// Verdicts as ProbeVerdict says. A redirect is not followed: kUnknown.
Task<ProbeResult> ProbeModels(const ProbeTarget& target,
                              const ProbeContext& context,
                              HttpTransport& transport, const Clock& clock);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_MODELS_PROBE_H_
