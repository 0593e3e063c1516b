#include "router/wire_usage.h"

#include <algorithm>

namespace llm {
namespace {

using Bucket = std::optional<TokenCount>;

void AddBucket(const Bucket& from, Bucket* to) {
  if (from) *to = to->value_or(0) + *from;
}

}  // namespace

std::optional<v1::Usage> ToWireUsage(const TokenUsage& usage) {
  if (usage.empty()) return std::nullopt;
  v1::Usage wire;
  wire.set_prompt_tokens(usage.TotalInput().value_or(0));
  wire.set_completion_tokens(usage.output.value_or(0));
  wire.set_total_tokens(wire.prompt_tokens() + wire.completion_tokens());
  v1::PromptTokensDetails& in = *wire.mutable_prompt_tokens_details();
  in.set_cached_tokens(usage.cache_read.value_or(0));
  in.set_cache_write_tokens(usage.cache_write_5m.value_or(0) +
                            usage.cache_write_1h.value_or(0));
  in.set_audio_tokens(usage.audio_input.value_or(0) +
                      usage.audio_cache_read.value_or(0));
  in.set_image_tokens(usage.image_input.value_or(0) +
                      usage.video_input.value_or(0) +
                      usage.image_cache_read.value_or(0));
  v1::CompletionTokensDetails& out = *wire.mutable_completion_tokens_details();
  out.set_reasoning_tokens(usage.reasoning.value_or(0));
  out.set_audio_tokens(usage.audio_output.value_or(0));
  out.set_accepted_prediction_tokens(usage.accepted_prediction.value_or(0));
  out.set_rejected_prediction_tokens(usage.rejected_prediction.value_or(0));
  wire.set_web_searches(usage.web_searches.value_or(0));
  return wire;
}

void AddUsage(const TokenUsage& from, TokenUsage* to) {
  AddBucket(from.fresh_input, &to->fresh_input);
  AddBucket(from.cache_read, &to->cache_read);
  AddBucket(from.cache_write_5m, &to->cache_write_5m);
  AddBucket(from.cache_write_1h, &to->cache_write_1h);
  AddBucket(from.output, &to->output);
  AddBucket(from.reasoning, &to->reasoning);
  AddBucket(from.audio_input, &to->audio_input);
  AddBucket(from.audio_cache_read, &to->audio_cache_read);
  AddBucket(from.audio_output, &to->audio_output);
  AddBucket(from.image_input, &to->image_input);
  AddBucket(from.video_input, &to->video_input);
  AddBucket(from.image_cache_read, &to->image_cache_read);
  AddBucket(from.accepted_prediction, &to->accepted_prediction);
  AddBucket(from.rejected_prediction, &to->rejected_prediction);
  AddBucket(from.web_searches, &to->web_searches);
  if (!from.geo.empty()) to->geo = from.geo;
  if (!from.service_tier.empty()) to->service_tier = from.service_tier;
}

UsageSource CombineSources(UsageSource a, UsageSource b) {
  const auto rank = [](UsageSource source) {
    switch (source) {
      case UsageSource::kNone:
        return 0;
      case UsageSource::kProvider:
        return 1;
      case UsageSource::kPartial:
        return 2;
      case UsageSource::kEstimated:
        return 3;
    }
    return 0;
  };
  return rank(a) >= rank(b) ? a : b;
}

std::string_view WireUsageSource(UsageSource source) {
  switch (source) {
    case UsageSource::kProvider:
    case UsageSource::kPartial:
      return "provider";
    case UsageSource::kEstimated:
      return "estimated";
    case UsageSource::kNone:
      return "none";
  }
  return "none";
}

}  // namespace llm
