// A caller's JSON schema as `parametersJsonSchema` and `responseJsonSchema`
// take it: by allow-list, so that no made-up keyword reaches the provider
// [TRN-5].
//
// Rewritten without loss: `const` to a single `enum`, `allOf` merged into its
// parent, `definitions` to `$defs`, words beside `$ref` (refused there) to an
// `anyOf` around it, `nullable` and types in capitals to JSON Schema's own
// way. What is left out is named by SchemaLosses.
//
// Threads: Pure.
// Fact:    gemini.md section 2.2 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_JSON_SCHEMA_WRITER_H_
#define LLM_ADAPTERS_GEMINI_JSON_SCHEMA_WRITER_H_

#include <string>
#include <string_view>

#include "adapters/gemini/schema_words.h"

namespace llm::gemini {

// `schema` is JSON text; empty where it is no object. `description` is used
// where the root has none.
std::string WriteJsonSchema(std::string_view schema,
                            std::string_view description, SchemaLosses& losses);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_JSON_SCHEMA_WRITER_H_
