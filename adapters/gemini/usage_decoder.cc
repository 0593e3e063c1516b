#include "adapters/gemini/usage_decoder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "adapters/dialect/provider_words.h"

namespace llm::gemini {
namespace {

using Count = std::optional<TokenCount>;

// Beyond any context window; keeps sums far from overflow.
constexpr TokenCount kSane = TokenCount{1} << 50;

Count Read(JsonValue value) {
  const auto number = value.AsInt64();
  if (!number || *number < 0 || *number > kSane) return std::nullopt;
  return *number;
}

// True where something was counted.
bool Keep(JsonValue value, Count* out) {
  const Count read = Read(value);
  if (!read) return false;
  if (*read > 0 || !*out) *out = read;
  return true;
}

}  // namespace

void UsageDecoder::ReadDetails(JsonValue list, Modalities* out) {
  if (!list.is_array() || list.size() == 0) return;
  Modalities sum;
  for (JsonValue v = list.First(); v; v = v.Next()) {
    const TokenCount count =
        std::min(Read(v.Find("tokenCount")).value_or(0), kSane / 1024);
    const JsonValue modality = v.Find("modality");
    if (modality.Equals("AUDIO")) sum.audio += count;
    // Pages are counted as pictures.
    if (modality.Equals("IMAGE") || modality.Equals("DOCUMENT")) {
      sum.image += count;
    }
    if (modality.Equals("VIDEO")) sum.video += count;
  }
  *out = sum;
}

// AI Studio says the tier, Vertex the kind of traffic.
void UsageDecoder::ReadTier(JsonValue usage) {
  for (const char* name : {"serviceTier", "trafficType"}) {
    const std::string word = absl::AsciiStrToLower(usage.Find(name).StringOr());
    if (word == "flex" || word.ends_with("_flex")) tier_ = "flex";
    if (word == "priority" || word.ends_with("_priority")) tier_ = "priority";
  }
}

void UsageDecoder::Push(JsonValue usage) {
  if (!usage.is_object()) return;
  ReadTier(usage);
  bool counted = Keep(usage.Find("promptTokenCount"), &prompt_);
  counted |= Keep(usage.Find("cachedContentTokenCount"), &cached_);
  counted |= Keep(usage.Find("toolUsePromptTokenCount"), &tool_use_);
  counted |= Keep(usage.Find("candidatesTokenCount"), &candidates_);
  counted |= Keep(usage.Find("thoughtsTokenCount"), &thoughts_);
  counted |= Keep(usage.Find("totalTokenCount"), &total_);
  ReadDetails(usage.Find("promptTokensDetails"), &in_prompt_);
  ReadDetails(usage.Find("cacheTokensDetails"), &in_cache_);
  ReadDetails(usage.Find("toolUsePromptTokensDetails"), &in_tools_);
  ReadDetails(usage.Find("candidatesTokensDetails"), &in_answer_);
  if (counted) raw_ = AuditedUsage(usage);
}

// Of each kind the cached part is taken off first; a kind that is cached
// without a word counts as text there (prices.md section 3).
void UsageDecoder::FillInput(TokenUsage* out) const {
  const TokenCount answered = candidates_.value_or(0) + thoughts_.value_or(0);
  const TokenCount tools = tool_use_.value_or(0);
  Count prompt = prompt_;
  if (!prompt && total_ && *total_ >= answered + tools && candidates_) {
    prompt = *total_ - answered - tools;
  }
  if (!prompt && !tool_use_) return;
  const TokenCount cached = std::min(cached_.value_or(0), prompt.value_or(0));
  if (cached_) out->cache_read = cached;
  TokenCount room = prompt.value_or(0) - cached + tools;
  out->fresh_input = room;
  const auto take = [&room](TokenCount kind, TokenCount in_cache) -> Count {
    if (kind == 0) return std::nullopt;
    const TokenCount fresh =
        std::min(std::max<TokenCount>(kind - in_cache, 0), room);
    room -= fresh;
    return fresh;
  };
  out->audio_input = take(in_prompt_.audio + in_tools_.audio, in_cache_.audio);
  out->image_input = take(in_prompt_.image + in_tools_.image, in_cache_.image);
  out->video_input = take(in_prompt_.video + in_tools_.video, in_cache_.video);
  if (in_cache_.audio > 0) {
    out->audio_cache_read = std::min(in_cache_.audio, cached);
  }
  // What was not fresh of a kind was cached, also where nobody says so.
  const TokenCount pictures = std::max(in_prompt_.image + in_tools_.image -
                                           out->image_input.value_or(0),
                                       in_cache_.image) +
                              std::max(in_prompt_.video + in_tools_.video -
                                           out->video_input.value_or(0),
                                       in_cache_.video);
  const TokenCount read =
      std::min(pictures, cached - out->audio_cache_read.value_or(0));
  if (read > 0) out->image_cache_read = read;
}

std::optional<TokenUsage> UsageDecoder::Usage(bool complete) const {
  TokenUsage out;
  FillInput(&out);
  if (candidates_ || thoughts_) {
    out.output = candidates_.value_or(0) + thoughts_.value_or(0);
  } else if (complete && out.fresh_input) {
    out.output = 0;
  }
  if (out.empty()) return std::nullopt;
  if (thoughts_) out.reasoning = *thoughts_;
  if (in_answer_.audio > 0) {
    out.audio_output = std::min(in_answer_.audio, out.output.value_or(0));
  }
  out.service_tier = tier_;
  return out;
}

}  // namespace llm::gemini
