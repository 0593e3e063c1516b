// Reads, checks and completes a configuration.
//
// Every fault is reported, not only the first, as
// `FILE:LINE: key.path: what is wrong`. Unknown keys, unset secrets, dangling
// names, impossible limits and inline secrets are faults.
#ifndef LLM_SERVER_CONFIG_LOAD_CONFIG_H_
#define LLM_SERVER_CONFIG_LOAD_CONFIG_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "adapters/core/provider_settings.h"
#include "server/config/config.h"

namespace llm::server {

struct ConfigSources {
  // Path of the YAML file; empty: no file (see contract.md section 1).
  std::string file;
  // Environment lookup; nullopt if unset. Injected for tests.
  std::function<std::optional<std::string>(const std::string&)> env;
  // Names of all set variables, to find LLM_SERVICE_… ones that match nothing.
  std::vector<std::string> env_names;
  // What is known by name; adapters/registry has it.
  const std::vector<BuiltInProvider>* built_in = nullptr;
  // For certificates that are out of date.
  absl::Time now = absl::Now();
};

struct ConfigResult {
  // Set exactly when `faults` is empty.
  std::shared_ptr<const Config> config;
  std::vector<std::string> faults;
};

ConfigResult LoadConfig(const ConfigSources& sources);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_LOAD_CONFIG_H_
