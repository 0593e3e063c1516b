#include "adapters/core/provider.h"

namespace llm {

Task<ProbeResult> Provider::Probe(const ProbeContext& /*context*/) {
  co_return ProbeResult{};
}

}  // namespace llm
