#include "adapters/core/usage.h"

namespace llm {

std::optional<TokenCount> TokenUsage::TotalInput() const {
  if (!fresh_input && !cache_read && !cache_write_5m && !cache_write_1h) {
    return std::nullopt;
  }
  return fresh_input.value_or(0) + cache_read.value_or(0) +
         cache_write_5m.value_or(0) + cache_write_1h.value_or(0);
}

}  // namespace llm
