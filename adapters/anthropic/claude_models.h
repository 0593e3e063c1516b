// What each family of Claude takes and refuses.
//
// Threads: Constant data; the function is pure.
// Fact:    Anthropic's pages as gathered in providers/anthropic.md 3.4 to 3.6
//          (2026-11-20), and platform.claude.com/docs/build-with-claude/
//          thinking-troubleshooting (2026-11-27). Each row says what differs.
#ifndef LLM_ADAPTERS_ANTHROPIC_CLAUDE_MODELS_H_
#define LLM_ADAPTERS_ANTHROPIC_CLAUDE_MODELS_H_

#include <cstdint>
#include <string_view>

namespace llm::anthropic {

// How a model is told to think.
enum class ThinkingMode {
  kNone,      // it does not
  kBudget,    // {"type":"enabled","budget_tokens":N}
  kAdaptive,  // {"type":"adaptive"}; a budget may be a 400
};

// Whether it thinks when nobody says anything.
enum class ThinkingDefault {
  kOff,
  kOn,      // {"type":"disabled"} must be said to have none
  kAlways,  // that is refused, too
};

struct ClaudeModel {
  // The start of the model's id, or with a '$' behind it all of the id but a
  // router's suffix; empty fits every id.
  std::string_view pattern;
  int64_t max_output = 4096;
  ThinkingMode thinking = ThinkingMode::kNone;
  ThinkingDefault thinks = ThinkingDefault::kOff;
  // An adaptive model that takes a budget, too.
  bool budget_too = false;
  // Takes output_config.effort low, medium, high and max; and xhigh.
  bool effort = false;
  bool xhigh = false;
  // Efforts above high are refused together with disabled thinking.
  bool low_effort_when_disabled = false;
  // Says nothing of its thinking unless display is "summarized".
  bool hides_thinking = false;
  // temperature, top_p and top_k are a 400.
  bool refuses_sampling = false;
  // temperature and top_p together are a 400.
  bool one_sampling_knob = false;
  // tool_choice any or tool is a 400, thinking or not. With a budget it is
  // one with every model.
  bool refuses_forced_choice = false;
  // output_config.format and strict tools.
  bool structured_output = false;
  // An assistant message may stand at the end.
  bool prefill = true;
  // The limits of the row are known, not guessed.
  bool known = true;
};

// The row of a model, by its id with or without a vendor's prefix
// ("anthropic/claude-…"). Unknown Claudes are taken for the newest; anything
// else gets little.
const ClaudeModel& ModelFor(std::string_view id);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_CLAUDE_MODELS_H_
