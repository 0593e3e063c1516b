// A provider without a network: answers in process, the same for the same
// request, so that a start without keys, a demo and a test run need nobody.
//
// It returns what a client's parser expects: JSON that conforms to the asked
// schema, tool calls whose arguments conform to the tool's schema, then a
// final answer once the results are in the history. Usage is counted. Latency,
// speed and faults are settable (SimulatedOptions).
//
// Threads:   One event loop; see provider.h.
// Ownership: `clock` outlives the provider.
// Units:     Tokens are counted as one per CJK character or four others.
#ifndef LLM_ADAPTERS_SIMULATED_SIMULATED_PROVIDER_H_
#define LLM_ADAPTERS_SIMULATED_SIMULATED_PROVIDER_H_

#include <memory>

#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "adapters/core/provider_settings.h"

namespace llm {

std::unique_ptr<Provider> MakeSimulatedProvider(
    const ProviderSettings& settings, const Clock& clock);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_SIMULATED_PROVIDER_H_
