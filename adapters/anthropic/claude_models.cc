#include "adapters/anthropic/claude_models.h"

#include <algorithm>

namespace llm::anthropic {
namespace {

using enum ThinkingMode;
using enum ThinkingDefault;

// The longest id first where one begins like another.
constexpr ClaudeModel kModels[] = {
    // platform.claude.com/docs/models/fable-5/migration-guide, 2026-11-27:
    // adaptive only, disabled and budgets are a 400.
    {.pattern = "claude-fable-",
     .max_output = 128000,
     .thinking = kAdaptive,
     .thinks = kAlways,
     .effort = true,
     .xhigh = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .refuses_forced_choice = true,
     .structured_output = true,
     .prefill = false},
    {.pattern = "claude-mythos-",
     .max_output = 128000,
     .thinking = kAdaptive,
     .thinks = kAlways,
     .effort = true,
     .xhigh = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .refuses_forced_choice = true,
     .structured_output = true,
     .prefill = false},
    // anthropic.md 3.4: disabled with xhigh or max is a 400.
    {.pattern = "claude-opus-5",
     .max_output = 128000,
     .thinking = kAdaptive,
     .thinks = kOn,
     .effort = true,
     .xhigh = true,
     .low_effort_when_disabled = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false},
    {.pattern = "claude-sonnet-5",
     .max_output = 128000,
     .thinking = kAdaptive,
     .thinks = kOn,
     .effort = true,
     .xhigh = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false},
    {.pattern = "claude-opus-4-8",
     .max_output = 128000,
     .thinking = kAdaptive,
     .effort = true,
     .xhigh = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false},
    {.pattern = "claude-opus-4-7",
     .max_output = 128000,
     .thinking = kAdaptive,
     .effort = true,
     .xhigh = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false},
    // Both ways of thinking; budgets are on their way out.
    {.pattern = "claude-opus-4-6",
     .max_output = 128000,
     .thinking = kAdaptive,
     .budget_too = true,
     .effort = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false},
    {.pattern = "claude-sonnet-4-6",
     .max_output = 128000,
     .thinking = kAdaptive,
     .budget_too = true,
     .effort = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false},
    {.pattern = "claude-opus-4-5",
     .max_output = 64000,
     .thinking = kBudget,
     .effort = true,
     .one_sampling_knob = true,
     .structured_output = true},
    {.pattern = "claude-sonnet-4-5",
     .max_output = 64000,
     .thinking = kBudget,
     .one_sampling_knob = true,
     .structured_output = true},
    {.pattern = "claude-haiku-4-5",
     .max_output = 64000,
     .thinking = kBudget,
     .one_sampling_knob = true,
     .structured_output = true},
    {.pattern = "claude-opus-4-1",
     .max_output = 32000,
     .thinking = kBudget,
     .one_sampling_knob = true,
     .structured_output = true},
    // The first of their line: "claude-opus-4-0", "claude-opus-4-20250514",
    // and with routers "claude-opus-4" alone.
    {.pattern = "claude-opus-4-0", .max_output = 32000, .thinking = kBudget},
    {.pattern = "claude-opus-4-2", .max_output = 32000, .thinking = kBudget},
    {.pattern = "claude-opus-4$", .max_output = 32000, .thinking = kBudget},
    {.pattern = "claude-sonnet-4$", .max_output = 64000, .thinking = kBudget},
    {.pattern = "claude-sonnet-4-0", .max_output = 64000, .thinking = kBudget},
    {.pattern = "claude-sonnet-4-2", .max_output = 64000, .thinking = kBudget},
    {.pattern = "claude-3-7-sonnet", .max_output = 64000, .thinking = kBudget},
    {.pattern = "claude-3-5-", .max_output = 8192},
    {.pattern = "claude-3-", .max_output = 4096},
    {.pattern = "claude-2", .max_output = 4096},
    {.pattern = "claude-instant", .max_output = 4096},
    // The newest we know stands for those we do not.
    {.pattern = "claude-",
     .max_output = 128000,
     .thinking = kAdaptive,
     .thinks = kOn,
     .effort = true,
     .xhigh = true,
     .low_effort_when_disabled = true,
     .hides_thinking = true,
     .refuses_sampling = true,
     .one_sampling_knob = true,
     .structured_output = true,
     .prefill = false,
     .known = false},
    // Other makers behind the same API (anthropic.md 9).
    {.pattern = "", .known = false}};

// "claude-opus-4.1" is how routers write it. A '$' stands for the end of the
// version: of the id, or a router's ":free" or "@2025" behind it.
bool Begins(std::string_view id, std::string_view pattern) {
  if (pattern.ends_with('$')) {
    pattern.remove_suffix(1);
    const std::string_view rest =
        id.substr(std::min(id.size(), pattern.size()));
    if (!rest.empty() && rest[0] != ':' && rest[0] != '@') return false;
  }
  if (id.size() < pattern.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if ((id[i] == '.' ? '-' : id[i]) != pattern[i]) return false;
  }
  return true;
}

}  // namespace

const ClaudeModel& ModelFor(std::string_view id) {
  // Routers and clouds put their name before it, with a slash or a dot.
  const size_t at = id.find("claude-");
  if (at != std::string_view::npos && at > 0 &&
      (id[at - 1] == '/' || id[at - 1] == '.')) {
    id.remove_prefix(at);
  }
  const ClaudeModel* row = std::begin(kModels);
  while (!Begins(id, row->pattern)) ++row;
  return *row;
}

}  // namespace llm::anthropic
