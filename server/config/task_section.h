// The sections tasks, routing and usage.
#ifndef LLM_SERVER_CONFIG_TASK_SECTION_H_
#define LLM_SERVER_CONFIG_TASK_SECTION_H_

#include "server/config/config_draft.h"
#include "server/config/yaml_cursor.h"

namespace llm::server {

void ReadTasks(const YamlCursor& section, ConfigDraft* draft);
void ReadRouting(const YamlCursor& section, ConfigDraft* draft);
void ReadUsage(const YamlCursor& section, ConfigDraft* draft);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_TASK_SECTION_H_
