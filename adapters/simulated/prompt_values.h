// Values that a prompt spells out, so that a simulated call can carry them.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_SIMULATED_PROMPT_VALUES_H_
#define LLM_ADAPTERS_SIMULATED_PROMPT_VALUES_H_

#include <string>
#include <string_view>
#include <vector>

namespace llm {

// Of a prompt no more is searched for values than its first so many bytes.
inline constexpr size_t kSearchedForValues = 4096;

// What stands in quotes ('…', "…", `…`, “…”, 「…」), in order and without
// them; an apostrophe within a word opens none.
std::vector<std::string> QuotedTexts(std::string_view text);

// The arguments of the first "NAME(3, 'x', true)" in the text as JSON; empty
// where the text has no call of only literals. Numbers fit int64_t or double.
std::vector<std::string> CallLiterals(std::string_view text,
                                      std::string_view name);

// {"a": "simulated", …} for names that are quoted in sentences about keys or
// fields ("JSON with 'a' and 'b' keys"), each once; empty where there are none.
std::string SketchOfNames(std::string_view text);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_PROMPT_VALUES_H_
