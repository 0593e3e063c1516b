// The section models.
#ifndef LLM_SERVER_CONFIG_MODEL_SECTION_H_
#define LLM_SERVER_CONFIG_MODEL_SECTION_H_

#include "server/config/config_draft.h"
#include "server/config/yaml_cursor.h"

namespace llm::server {

void ReadModels(const YamlCursor& section, ConfigDraft* draft);

// The capability names of `/v1/models`, and sampling (off: the model refuses
// temperature and its like).
const std::vector<std::string>& CapabilityNames();

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_MODEL_SECTION_H_
