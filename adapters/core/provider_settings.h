// What it takes to build a provider: filled by server/config, read by the
// registry. Base URL, keys and trust are one object, so a stored credential
// can never meet another destination [SEC-1].
#ifndef LLM_ADAPTERS_CORE_PROVIDER_SETTINGS_H_
#define LLM_ADAPTERS_CORE_PROVIDER_SETTINGS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/ids.h"
#include "adapters/core/money.h"

namespace llm {

struct ProviderTimeouts {
  absl::Duration connect = absl::Seconds(5);
  absl::Duration first_content = absl::Seconds(120);
  absl::Duration idle = absl::Seconds(120);
  absl::Duration total = absl::Seconds(900);
};

// Faults and speed of the simulated provider.
struct SimulatedOptions {
  // Before the first chunk.
  absl::Duration latency = absl::ZeroDuration();
  // Between chunks.
  absl::Duration chunk_interval = absl::ZeroDuration();
  // 0..1: share of calls that fail with a 503, chosen by a hash of the
  // request, so the same request always meets the same fate.
  double failure_rate = 0;
  // Fail every call with this HTTP status; 0: none.
  int fail_status = 0;
};

struct ProviderSettings {
  ProviderId id;
  // openai | anthropic | gemini | simulated
  std::string dialect = "openai";
  // Row of the dialect's profile table; empty: the plain dialect.
  std::string profile;
  // What comes before the dialect's own path, no trailing slash.
  std::string base_url;
  // Sent as `api-version` where the profile knows one (Azure); empty: none.
  std::string api_version;
  // Several are balanced; none is allowed.
  std::vector<ApiKey> api_keys;
  // Of the price list that applies to these credentials.
  Currency currency{"USD"};
  // The price book's provider id; the provider's own id for built-ins.
  std::string price_provider;
  ProviderTimeouts timeouts;
  EndpointOptions endpoint;
  // Calls under way at once; more wait in a line of at most max_queue, each
  // for at most queue_timeout.
  int max_in_flight = 500;
  int max_queue = 500;
  absl::Duration queue_timeout = absl::Seconds(30);
  // Looked at by its list of models beside traffic.
  bool probe = true;
  SimulatedOptions simulated;
};

// A provider we know by name: what fills the gaps of `providers: {deepseek:
// {}}` and which environment variables turn it on when there is no file.
struct BuiltInProvider {
  std::string_view id;
  std::string_view dialect;
  std::string_view profile;
  std::string_view base_url;
  // Tried in order; the first that is set is the key.
  std::vector<std::string_view> key_variables;
  std::string_view currency;
  std::string_view price_provider;
  // On by itself when a key variable is set and there is no file.
  bool on_by_default;
  // Nobody answers there without a key.
  bool needs_key = false;
  // Where the base URL differs by customer: names it, if the file does not.
  std::string_view base_url_variable = {};
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_PROVIDER_SETTINGS_H_
