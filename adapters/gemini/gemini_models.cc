#include "adapters/gemini/gemini_models.h"

#include <iterator>

namespace llm::gemini {
namespace {

using enum Thinking;
using sv = std::string_view;

// The first row that fits decides. Pages and dates: see the header.
constexpr ModelFamily kFamilies[] = {
    {.pattern = "gemma-*", .system_instruction = false, .output_limit = 8192},
    {.pattern = "gemini-1.*", .output_limit = 8192},
    // Google's pages name JSON schemas from 2.5 on; the recorded exchanges of
    // 2026-08 have them taken by gemini-2.0-flash, which loses less.
    {.pattern = "gemini-2.0-*", .json_schema = true, .output_limit = 8192},
    {.pattern = "gemini-2.5-*-tts*",
     .refuses_penalties = true,
     .speaks = true,
     .output_limit = 16384},
    {.pattern = "gemini-2.5-flash-image*",
     .json_schema = true,
     .validated = true,
     .output_limit = 32768},
    {.pattern = "gemini-2.5-pro*",
     .thinking = kBudget,
     .min_budget = 128,
     .max_budget = 32768,
     .refuses_penalties = true,
     .json_schema = true,
     .validated = true,
     .output_limit = 65536},
    {.pattern = "gemini-2.5-flash-lite*",
     .thinking = kBudget,
     .min_budget = 512,
     .max_budget = 24576,
     .can_be_off = true,
     .on_by_default = false,
     .refuses_penalties = true,
     .json_schema = true,
     .validated = true,
     .output_limit = 65536},
    {.pattern = "gemini-2.5-*preview*",
     .thinking = kBudget,
     .min_budget = 1,
     .max_budget = 24576,
     .can_be_off = true,
     .refuses_penalties = true,
     .json_schema = true,
     .validated = true,
     .output_limit = 65536},
    {.pattern = "gemini-2.5-*",
     .thinking = kBudget,
     .min_budget = 1,
     .max_budget = 24576,
     .can_be_off = true,
     .json_schema = true,
     .validated = true,
     .output_limit = 65536},
    {.pattern = "gemini-3*-image*",
     .thinking = kLevel,
     .lowest_level = "low",
     .refuses_penalties = true,
     .json_schema = true,
     .validated = true,
     .third_generation = true,
     .output_limit = 32768},
    {.pattern = "gemini-3*-tts*",
     .refuses_penalties = true,
     .speaks = true,
     .output_limit = 16384},
    {.pattern = "gemini-3*pro*preview*",
     .thinking = kLevel,
     .lowest_level = "low",
     .refuses_penalties = true,
     .json_schema = true,
     .validated = true,
     .third_generation = true,
     .output_limit = 65536},
    {.pattern = "gemini-3.7-flash*",
     .thinking = kLevel,
     .lowest_level = "low",
     .json_schema = true,
     .validated = true,
     .third_generation = true,
     .output_limit = 65536},
    {.pattern = "gemini-3*flash*preview*",
     .thinking = kLevel,
     .lowest_level = "minimal",
     .refuses_penalties = true,
     .json_schema = true,
     .validated = true,
     .third_generation = true,
     .output_limit = 65536},
    {.pattern = "gemini-3*flash*",
     .thinking = kLevel,
     .lowest_level = "minimal",
     .json_schema = true,
     .validated = true,
     .third_generation = true,
     .output_limit = 65536},
    // The newest, and the aliases that follow it (gemini-flash-latest): what
    // every model of the third generation takes.
    {.pattern = "gemini-*",
     .thinking = kLevel,
     .lowest_level = "low",
     .json_schema = true,
     .validated = true,
     .third_generation = true,
     .output_limit = 65536},
    {.pattern = "*", .json_schema = true},
};

bool Fits(sv pattern, sv text) {
  const size_t star = pattern.find('*');
  if (star == sv::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  for (size_t at = star; at <= text.size(); ++at) {
    if (Fits(pattern, text.substr(at))) return true;
  }
  return false;
}

}  // namespace

const ModelFamily& FamilyOf(std::string_view model) {
  // "models/x", "publishers/google/models/x"; a tuned model's own name says
  // nothing about its kind.
  const size_t models = model.rfind("models/");
  if (models != sv::npos) model.remove_prefix(models + sv("models/").size());
  for (const ModelFamily& family : kFamilies) {
    if (Fits(family.pattern, model)) return family;
  }
  return kFamilies[std::size(kFamilies) - 1];
}

}  // namespace llm::gemini
