#include "adapters/http/exchange_deadlines.h"

#include <algorithm>

namespace llm {
namespace {

// For the last bytes of framing after the content's own end.
constexpr absl::Duration kLinger = absl::Milliseconds(500);

}  // namespace

ExchangeDeadlines::ExchangeDeadlines(const AttemptDeadlines& limits,
                                     Instant start)
    : idle_(limits.idle),
      total_by_(limits.total),
      connect_by_(start + limits.connect),
      first_content_by_(start + limits.first_content) {}

void ExchangeDeadlines::OnSinkStarted(Instant now) {
  in_sink_ = true;
  sink_since_ = now;
}

void ExchangeDeadlines::OnSinkFinished(Instant now, BodyProgress progress) {
  in_sink_ = false;
  const absl::Duration stood_still = now - sink_since_;
  first_content_by_ = first_content_by_ + stood_still;
  idle_cap_ = idle_cap_ + stood_still;
  if (progress == BodyProgress::kEnd) {
    content_seen_ = true;
    idle_by_ = idle_cap_ = std::min(idle_by_, now + kLinger);
  } else if (progress == BodyProgress::kContent) {
    content_seen_ = true;
    idle_by_ = now + idle_;
    idle_cap_ = idle_by_ + idle_;
  } else if (content_seen_) {
    idle_by_ = std::min(now + idle_, idle_cap_);
  }
}

ExchangeDeadlines::Named ExchangeDeadlines::Earliest() const {
  Named earliest{"total", total_by_};
  if (in_sink_) return earliest;
  const auto consider = [&earliest](Named other) {
    if (other.at < earliest.at) earliest = other;
  };
  consider({"connect", connect_by_});
  if (content_seen_) {
    consider({"idle", idle_by_});
  } else {
    consider({"first_content", first_content_by_});
  }
  return earliest;
}

Instant ExchangeDeadlines::Next() const { return Earliest().at; }

std::string_view ExchangeDeadlines::Passed(Instant now) const {
  const Named earliest = Earliest();
  return earliest.at <= now ? earliest.name : std::string_view();
}

}  // namespace llm
