// The section providers, and the providers that the environment turns on
// where the file has none.
#ifndef LLM_SERVER_CONFIG_PROVIDER_SECTION_H_
#define LLM_SERVER_CONFIG_PROVIDER_SECTION_H_

#include "server/config/config_draft.h"
#include "server/config/yaml_cursor.h"

namespace llm::server {

void ReadProviders(const YamlCursor& section, LoadContext* context,
                   ConfigDraft* draft);

// Every built-in provider whose key variable is set; where none is, the
// simulated one. Notices say which.
void AddProvidersOfEnvironment(LoadContext* context, ConfigDraft* draft);

// A `timeouts` mapping, of a provider or a model.
TimeoutPatch ReadTimeouts(const YamlCursor& cursor);

// `patch` over `base`. Unset parts of the patch shrink to its total.
ProviderTimeouts ApplyTimeouts(const TimeoutPatch& patch,
                               ProviderTimeouts base);

// first_content, idle and connect within total, nothing zero.
void CheckTimeouts(const TimeoutPatch& patch, const ProviderTimeouts& result,
                   FaultList* faults);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_PROVIDER_SECTION_H_
