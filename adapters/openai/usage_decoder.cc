#include "adapters/openai/usage_decoder.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/numbers.h"
#include "adapters/core/text.h"

namespace llm::openai {
namespace {

using Count = std::optional<TokenCount>;

// Beyond any context window; keeps sums far from overflow.
constexpr TokenCount kSane = TokenCount{1} << 50;

Count Read(JsonValue value) {
  const auto number = value.AsInt64();
  if (!number || *number < 0 || *number > kSane) return std::nullopt;
  return *number;
}

Count FirstOf(std::initializer_list<JsonValue> values) {
  for (const JsonValue& value : values) {
    if (const Count count = Read(value)) return count;
  }
  return std::nullopt;
}

JsonValue PromptDetails(JsonValue usage) {
  const JsonValue details = usage.Find("prompt_tokens_details");
  // Mistral has been seen to spell it without the s.
  return details.is_object() ? details : usage.Find("prompt_token_details");
}

Count ReportedPrompt(JsonValue usage) {
  return FirstOf({usage.Find("prompt_tokens"), usage.Find("input_tokens")});
}

// The prompt with everything that belongs to it.
Count WholePrompt(JsonValue usage, Count cached) {
  Count prompt = ReportedPrompt(usage);
  if (!prompt) {
    const Count total = Read(usage.Find("total_tokens"));
    const Count completion = Read(usage.Find("completion_tokens"));
    if (total && completion && *total >= *completion) {
      prompt = *total - *completion;
    }
  }
  if (prompt && cached && *cached > *prompt) *prompt += *cached;
  return prompt;
}

void SplitCacheWrites(JsonValue usage, TokenCount room, TokenUsage& out) {
  const JsonValue details = PromptDetails(usage);
  const JsonValue by_age = details.Find("cache_creation");
  const Count hour = Read(by_age.Find("ephemeral_1h_input_tokens"));
  Count all = FirstOf({details.Find("cache_write_tokens"),
                       details.Find("cache_creation_input_tokens"),
                       details.Find("cache_creation_tokens"),
                       usage.Find("cache_creation_input_tokens")});
  if (!all) {
    const Count minutes = Read(by_age.Find("ephemeral_5m_input_tokens"));
    if (!minutes && !hour) return;
    all = minutes.value_or(0) + hour.value_or(0);
  }
  const TokenCount written = std::min(*all, room);
  if (hour) out.cache_write_1h = std::min(*hour, written);
  out.cache_write_5m = written - out.cache_write_1h.value_or(0);
}

void DecodeInput(JsonValue usage, TokenUsage& out) {
  const JsonValue details = PromptDetails(usage);
  const Count cached = FirstOf(
      {details.Find("cached_tokens"), usage.Find("cached_tokens"),
       usage.Find("prompt_cache_hit_tokens"), usage.Find("num_cached_tokens")});
  const Count prompt = WholePrompt(usage, cached);
  if (!prompt) return;
  if (cached) out.cache_read = std::min(*cached, *prompt);
  TokenCount room = *prompt - out.cache_read.value_or(0);
  SplitCacheWrites(usage, room, out);
  room -= out.cache_write_5m.value_or(0) + out.cache_write_1h.value_or(0);
  out.fresh_input = room;
  out.cache_read_explicit = details.Find("cache_type").Equals("ephemeral");
  // Nobody splits cached audio here, so cached tokens count as text first
  // (prices.md section 3).
  if (const Count audio = Read(details.Find("audio_tokens"))) {
    out.audio_input = std::min(*audio, room);
    out.audio_cache_read =
        std::min(*audio - *out.audio_input, out.cache_read.value_or(0));
  }
  if (const Count image = Read(details.Find("image_tokens"))) {
    out.image_input = std::min(*image, room);
  }
}

// `rest` is what the total has beyond the whole prompt. Who leaves the cache
// out of the prompt (xAI) leaves it out of the total too, unless the total
// fits the whole.
bool LeavesReasoningOut(JsonValue usage, TokenCount rest, TokenCount output,
                        TokenCount thought) {
  if (rest >= output + thought) return true;
  const Count total = Read(usage.Find("total_tokens"));
  const Count reported = ReportedPrompt(usage);
  return total && reported && rest != output &&
         *total - *reported >= output + thought;
}

void DecodeOutput(JsonValue usage, TokenUsage& out) {
  const JsonValue details = usage.Find("completion_tokens_details");
  Count output =
      FirstOf({usage.Find("completion_tokens"), usage.Find("output_tokens")});
  Count reasoning = FirstOf(
      {details.Find("reasoning_tokens"), usage.Find("reasoning_tokens")});
  const Count total = Read(usage.Find("total_tokens"));
  const Count prompt = out.TotalInput();
  if (!output && total && prompt && *total >= *prompt) {
    output = *total - *prompt;
  }
  if (!output) return;
  const TokenCount thought = reasoning.value_or(0);
  const TokenCount rest = total && prompt ? *total - *prompt : 0;
  if (thought > 0 && LeavesReasoningOut(usage, rest, *output, thought)) {
    *output += thought;
  } else if (thought == 0 && rest > *output) {
    reasoning = rest - *output;
    *output = rest;
  }
  if (reasoning) *reasoning = std::min(*reasoning, *output);
  out.output = output;
  out.reasoning = reasoning;
  if (const Count audio = Read(details.Find("audio_tokens"))) {
    out.audio_output = std::min(*audio, *output);
  }
  out.accepted_prediction = Read(details.Find("accepted_prediction_tokens"));
  out.rejected_prediction = Read(details.Find("rejected_prediction_tokens"));
}

}  // namespace

std::string PlainDecimal(std::string_view number) {
  if (number.empty() || number[0] == '-' || number.size() > 40) return {};
  const size_t mark = number.find_first_of("eE");
  if (mark == std::string_view::npos) return std::string(number);
  int exponent = 0;
  std::string_view digits_of_exponent = number.substr(mark + 1);
  if (!digits_of_exponent.empty() && digits_of_exponent[0] == '+') {
    digits_of_exponent.remove_prefix(1);
  }
  if (!absl::SimpleAtoi(ToAbsl(digits_of_exponent), &exponent)) return {};
  if (exponent < -30 || exponent > 15) return {};
  std::string digits(number.substr(0, mark));
  const size_t dot = digits.find('.');
  int point = static_cast<int>(dot == std::string::npos ? digits.size() : dot);
  if (dot != std::string::npos) digits.erase(dot, 1);
  point += exponent;
  if (point <= 0) {
    digits.insert(0, static_cast<size_t>(1 - point), '0');
    point = 1;
  }
  if (point >= static_cast<int>(digits.size())) {
    digits.append(static_cast<size_t>(point) - digits.size(), '0');
    return digits;
  }
  return digits.insert(static_cast<size_t>(point), ".");
}

std::optional<TokenUsage> DecodeUsage(JsonValue usage) {
  if (!usage.is_object()) return std::nullopt;
  TokenUsage out;
  DecodeInput(usage, out);
  DecodeOutput(usage, out);
  if (out.empty()) return std::nullopt;
  const JsonValue cost = usage.Find("cost");
  if (cost.is_number()) out.reported_cost = PlainDecimal(cost.raw());
  return out;
}

}  // namespace llm::openai
