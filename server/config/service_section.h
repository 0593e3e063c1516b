// The sections server, auth and store: one table of scalars, settable from
// the file and from LLM_SERVICE_… variables alike.
#ifndef LLM_SERVER_CONFIG_SERVICE_SECTION_H_
#define LLM_SERVER_CONFIG_SERVICE_SECTION_H_

#include <string_view>

#include "server/config/config_draft.h"
#include "server/config/yaml_cursor.h"

namespace llm::server {

// `section` is server, auth or store.
void ReadServiceSection(const YamlCursor& section, LoadContext* context,
                        ConfigDraft* draft);

// Applies the environment's overrides; names that match nothing are faults.
// Call after everything else is read: env: references are not overrides.
void ReadEnvironment(LoadContext* context, ConfigDraft* draft);

// Listeners, TLS pairs and authentication as a whole.
void CheckService(LoadContext* context, ConfigDraft* draft);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_SERVICE_SECTION_H_
