#include "router/quota_watch.h"

#include <algorithm>

namespace llm {
namespace {

// Where the provider names no reset: the usual limits are per minute, and a
// part of that minute is over.
constexpr absl::Duration kUsualReset = absl::Seconds(30);
// A daily limit that is nearly used up must not turn traffic away for hours
// on the word of one answer.
constexpr absl::Duration kLongestWatch = absl::Minutes(10);
constexpr int64_t kShare = 20;  // one in so many

}  // namespace

void QuotaWatch::Take(std::optional<int64_t> limit, std::optional<int64_t> left,
                      std::optional<absl::Duration> reset, Instant now,
                      Side* side) {
  if (!left) return;
  side->limit = limit;
  side->left = left;
  side->until = now + std::min(reset.value_or(kUsualReset), kLongestWatch);
}

void QuotaWatch::Observe(const RateLimitFacts& facts, Instant now) {
  Take(facts.limit_requests, facts.remaining_requests, facts.reset_requests,
       now, &requests_);
  Take(facts.limit_tokens, facts.remaining_tokens, facts.reset_tokens, now,
       &tokens_);
}

void QuotaWatch::Sent(int64_t tokens) {
  if (requests_.left) --*requests_.left;
  if (tokens_.left) *tokens_.left -= std::max<int64_t>(tokens, 0);
}

bool QuotaWatch::Short(const Side& side, int64_t needed, Instant now) {
  if (!side.left || now >= side.until) return false;
  return *side.left < std::max(needed, side.limit.value_or(0) / kShare);
}

std::optional<QuotaLow> QuotaWatch::Low(int64_t tokens, Instant now) const {
  const bool requests = Short(requests_, 1, now);
  if (!requests && !Short(tokens_, tokens, now)) return std::nullopt;
  const Side& side = requests ? requests_ : tokens_;
  QuotaLow low;
  low.of_tokens = !requests;
  low.left = std::max<int64_t>(*side.left, 0);
  low.limit = side.limit;
  low.until = side.until;
  return low;
}

bool QuotaWatch::Over(Instant now) const {
  return now >= requests_.until && now >= tokens_.until;
}

}  // namespace llm
