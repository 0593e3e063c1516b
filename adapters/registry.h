// The one list of dialects. Only server/main.cc includes it.
#ifndef LLM_ADAPTERS_REGISTRY_H_
#define LLM_ADAPTERS_REGISTRY_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/core/beside.h"
#include "adapters/core/clock.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/provider.h"
#include "adapters/core/provider_settings.h"

namespace llm {

// Per event loop. `settings` is copied; `transport`, `clock` and `beside`
// outlive the provider. Large answers are read on `beside`; null: on the loop.
// kUnimplemented for a dialect this build lacks.
absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(
    const ProviderSettings& settings, HttpTransport& transport,
    const Clock& clock, Beside* beside = nullptr);

// Every provider that is known by name, for server/config.
const std::vector<BuiltInProvider>& BuiltInProviders();

}  // namespace llm

#endif  // LLM_ADAPTERS_REGISTRY_H_
