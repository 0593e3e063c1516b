#include "adapters/anthropic/stop_reason.h"

namespace llm::anthropic {

std::string_view FinishReason(std::string_view stop_reason, bool has_calls) {
  if (stop_reason == "max_tokens" ||
      stop_reason == "model_context_window_exceeded") {
    return "length";
  }
  if (stop_reason == "refusal") return "content_filter";
  // end_turn, stop_sequence, tool_use, pause_turn, compaction, new words. A
  // call that was promised and did not come is none.
  return has_calls ? "tool_calls" : "stop";
}

}  // namespace llm::anthropic
