#include "adapters/core/usage.h"

#include <algorithm>

namespace llm {
namespace {

// A server may report anything; kept where a sum of four cannot overflow.
TokenCount Bounded(const std::optional<TokenCount>& count) {
  constexpr TokenCount kBound = TokenCount{1} << 60;
  return std::clamp(count.value_or(0), -kBound, kBound);
}

}  // namespace

std::optional<TokenCount> TokenUsage::TotalInput() const {
  if (!fresh_input && !cache_read && !cache_write_5m && !cache_write_1h) {
    return std::nullopt;
  }
  return Bounded(fresh_input) + Bounded(cache_read) + Bounded(cache_write_5m) +
         Bounded(cache_write_1h);
}

}  // namespace llm
