#include "router/priority.h"

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "router/call_error.h"

namespace llm {
namespace {

constexpr std::string_view kNames[] = {"low", "normal", "high", "urgent"};

}  // namespace

std::string_view PriorityName(Priority priority) {
  return kNames[static_cast<size_t>(priority)];
}

absl::StatusOr<Priority> ParsePriority(std::string_view word,
                                       std::string_view param) {
  if (word.empty()) return Priority::kNormal;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (word == kNames[i]) return static_cast<Priority>(i);
  }
  return RefuseField(
      param,
      absl::StrCat(ToAbsl(param), " must be low, normal, high or urgent"));
}

}  // namespace llm
