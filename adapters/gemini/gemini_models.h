// What each family of Google's models takes: one row per family.
//
// A model that no row names, but whose name starts with "gemini-", is taken
// for the newest; any other for one without reasoning.
//
// Threads: Constant data; the functions are pure.
// Fact:    gemini.md sections 2.1 to 2.3 (python-genai types of 2026-08-21;
//          https://ai.google.dev/gemini-api/docs/thinking, /thought-signatures
//          and /models, 2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_GEMINI_MODELS_H_
#define LLM_ADAPTERS_GEMINI_GEMINI_MODELS_H_

#include <cstdint>
#include <string_view>

namespace llm::gemini {

enum class Thinking {
  kNone,    // refuses thinkingConfig
  kBudget,  // thinkingBudget, in tokens
  kLevel,   // thinkingLevel, in words
};

struct ModelFamily {
  std::string_view pattern;  // '*' stands for anything
  Thinking thinking = Thinking::kNone;
  // Budgets: the range besides -1 (as needed) and 0 (off).
  int min_budget = 0;
  int max_budget = 0;
  bool can_be_off = false;
  bool on_by_default = true;
  // Levels: some refuse "minimal".
  std::string_view lowest_level = {};
  // Answers 400 to presencePenalty and frequencyPenalty.
  bool refuses_penalties = false;
  // parametersJsonSchema and responseJsonSchema instead of the proto subset.
  bool json_schema = false;
  // Takes the function calling mode VALIDATED.
  bool validated = false;
  // The third generation: media inside functionResponse, declarations beside
  // built-in tools or a response schema, signatures that must come back.
  bool third_generation = false;
  bool system_instruction = true;
  // Answers in audio, and in nothing else.
  bool speaks = false;
  // Tokens; 0: unknown.
  int64_t output_limit = 0;
};

// `model` as its provider names it, with or without "models/".
const ModelFamily& FamilyOf(std::string_view model);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_GEMINI_MODELS_H_
