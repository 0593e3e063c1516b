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
// Errors:  A schema that is not JSON gives an empty object. What a budget has
//          no room for is null, or missing from a list.
#ifndef LLM_ADAPTERS_SIMULATED_SCHEMA_SAMPLE_H_
#define LLM_ADAPTERS_SIMULATED_SCHEMA_SAMPLE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/simulated/prompt_facts.h"

namespace llm {

// What all samples of one request may cost together. Small schemas can ask
// for exponentially much (lists in lists, a reference to its own parent), and
// the loop that samples serves other callers too.
struct SampleBudget {
  int64_t steps = 200'000;    // schema members and characters looked at
  int64_t bytes = 1'048'576;  // of output

  bool spent() const { return steps <= 0 || bytes <= 0; }
  void Look(size_t count) { steps -= static_cast<int64_t>(count); }
  void Write(size_t count) { bytes -= static_cast<int64_t>(count); }
};

// Same schema, facts and seed: same text. `facts` lend plausible values to
// strings (a date, a ticker) where the schema leaves them free.
std::string SampleJson(std::string_view schema_json, const PromptFacts& facts,
                       uint64_t seed, SampleBudget& budget);

// A string that matches `pattern` (ECMAScript, common subset), or empty if
// the pattern is beyond it or beyond the budget.
std::string SamplePattern(std::string_view pattern, uint64_t seed,
                          SampleBudget& budget);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_SCHEMA_SAMPLE_H_
