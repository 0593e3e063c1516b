// A JSON schema in the words that Anthropic's structured output takes, by
// allow-list: whatever a caller writes, only these leave [TRN-5].
//
// Threads: Pure.
// Fact:    anthropic.md 3.5 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_SCHEMA_SUBSET_H_
#define LLM_ADAPTERS_ANTHROPIC_SCHEMA_SUBSET_H_

#include <string>
#include <string_view>

#include "adapters/dialect/dropped_fields.h"

namespace llm::anthropic {

// The schema, member order kept. What constrains and does not survive is named
// as `name` + "." + keyword. A text that is no object gives
// {"type":"object","additionalProperties":false}.
std::string SchemaSubset(std::string_view schema, std::string_view name,
                         DroppedFields* dropped);

// A schema for a tool's input, as it is but for its root: an object whose type
// is "object" and that makes no choice there, which is refused.
std::string ToolSchema(std::string_view schema, std::string_view name,
                       DroppedFields* dropped);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_SCHEMA_SUBSET_H_
