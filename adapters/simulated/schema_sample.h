// One JSON value that conforms to a JSON schema.
//
// Understood: type (also lists), properties, required, enum, const, $ref into
// the same document, anyOf, oneOf, allOf, items, prefixItems, minItems,
// minimum, maximum and their exclusive forms, multipleOf, minLength,
// maxLength, pattern (common subset), format, nullable, additionalProperties.
// Not understood, and ignored: if/then/else, not, dependent*, contains,
// patternProperties, external references.
//
// Threads: Pure.
// Errors:  A schema that is not JSON gives an empty object.
#ifndef LLM_ADAPTERS_SIMULATED_SCHEMA_SAMPLE_H_
#define LLM_ADAPTERS_SIMULATED_SCHEMA_SAMPLE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/simulated/prompt_facts.h"

namespace llm {

// Same schema, facts and seed: same text. `facts` lend plausible values to
// strings (a date, a ticker) where the schema leaves them free.
std::string SampleJson(std::string_view schema_json, const PromptFacts& facts,
                       uint64_t seed);

// A string that matches `pattern` (ECMAScript, common subset), or empty if
// the pattern is beyond it.
std::string SamplePattern(std::string_view pattern, uint64_t seed);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_SCHEMA_SAMPLE_H_
