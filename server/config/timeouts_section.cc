#include <algorithm>

#include "server/config/provider_section.h"
#include "server/config/text.h"

namespace llm::server {

TimeoutPatch ReadTimeouts(const YamlCursor& cursor) {
  TimeoutPatch patch;
  patch.place = {cursor.line(), cursor.path()};
  const auto into = [](std::optional<absl::Duration>* to) {
    return [to](const YamlCursor& value) {
      const std::optional<absl::Duration> duration = value.Duration();
      if (!duration.has_value()) return;
      if (*duration < absl::Milliseconds(1)) {
        return value.Fault("must be at least 1ms");
      }
      *to = duration;
    };
  };
  ReadFields(cursor, {{"connect", into(&patch.connect)},
                      {"first_content", into(&patch.first_content)},
                      {"idle", into(&patch.idle)},
                      {"total", into(&patch.total)}});
  return patch;
}

ProviderTimeouts ApplyTimeouts(const TimeoutPatch& patch,
                               ProviderTimeouts base) {
  base.total = patch.total.value_or(base.total);
  base.connect = patch.connect.value_or(std::min(base.connect, base.total));
  base.first_content =
      patch.first_content.value_or(std::min(base.first_content, base.total));
  base.idle = patch.idle.value_or(std::min(base.idle, base.total));
  return base;
}

void CheckTimeouts(const TimeoutPatch& patch, const ProviderTimeouts& result,
                   FaultList* faults) {
  const auto check = [&](const std::optional<absl::Duration>& given,
                         std::string_view name) {
    if (!given.has_value() || *given <= result.total) return;
    faults->Add(patch.place.line, Cat(patch.place.path, ".", name),
                Cat(absl::FormatDuration(*given), " is longer than total, ",
                    absl::FormatDuration(result.total)));
  };
  check(patch.connect, "connect");
  check(patch.first_content, "first_content");
  check(patch.idle, "idle");
}

}  // namespace llm::server
