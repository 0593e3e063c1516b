// A caller's JSON schema as `parameters` and `responseSchema` take it: the
// OpenAPI subset of models before 2.5, by allow-list [TRN-5].
//
// References are put in place, `const` becomes an enum, `oneOf` anyOf, `allOf`
// is merged, types with null become `nullable`, values of an enum strings.
// What a recursive reference, a tuple or a missing type comes to is named, as
// is every word that is left out (SchemaLosses); a `format` that is refused
// stands in the description.
//
// Threads: Pure.
// Fact:    gemini.md section 2.2 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_OPENAPI_SCHEMA_WRITER_H_
#define LLM_ADAPTERS_GEMINI_OPENAPI_SCHEMA_WRITER_H_

#include <string>
#include <string_view>

#include "adapters/gemini/schema_words.h"

namespace llm::gemini {

// Empty where there is nothing to say: no object, or one without properties,
// which older models refuse.
std::string WriteOpenApiSchema(std::string_view schema,
                               std::string_view description,
                               SchemaLosses& losses);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_OPENAPI_SCHEMA_WRITER_H_
