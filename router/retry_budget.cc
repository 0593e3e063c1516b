#include "router/retry_budget.h"

namespace llm {
namespace {

constexpr int64_t kFirstsPerRepeat = 5;
constexpr int64_t kFloor = 10;

}  // namespace

bool RetryBudget::TakeRepeat(Instant now) {
  const int64_t oldest = Number(now) - kSeconds + 1;
  int64_t firsts = 0;
  int64_t repeats = 0;
  for (const Second& second : seconds_) {
    if (second.number < oldest) continue;
    firsts += second.firsts;
    repeats += second.repeats;
  }
  if (repeats >= kFloor + firsts / kFirstsPerRepeat) return false;
  ++At(now).repeats;
  return true;
}

}  // namespace llm
