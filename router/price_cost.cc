#include "router/price_cost.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "router/price_book.h"
#include "router/public_holidays.h"

namespace llm {
namespace {

// Prices of `over` where it has them.
void Replace(const PriceSet& over, PriceSet* prices) {
  for (const PriceField& field : kPriceFields) {
    const auto& price = over.*(field.member);
    if (price) prices->*(field.member) = price;
  }
}

absl::TimeZone Zone(const std::string& name) {
  // PriceBook::Parse has seen to it that the zone exists.
  absl::TimeZone zone = absl::UTCTimeZone();
  if (!name.empty() && name != "UTC") absl::LoadTimeZone(name, &zone);
  return zone;
}

// Whether `at` is one of the days on which the window does not hold.
HolidayAnswer Excluded(const PriceWindow& window, absl::Time at) {
  if (window.excludes.empty()) return HolidayAnswer::kNo;
  return HolidayOn(window.excludes,
                   absl::ToCivilDay(at, Zone(window.timezone)));
}

bool Covers(const PriceWindow& window, absl::Time at) {
  if (Excluded(window, at) == HolidayAnswer::kYes) return false;
  const absl::CivilSecond local =
      absl::ToCivilSecond(at, Zone(window.timezone));
  const auto weekday = absl::GetWeekday(absl::CivilDay(local));
  const int day = static_cast<int>(weekday) + 1;
  if (std::find(window.days.begin(), window.days.end(), day) ==
      window.days.end()) {
    return false;
  }
  const int minute = local.hour() * 60 + local.minute();
  return std::any_of(window.ranges.begin(), window.ranges.end(),
                     [minute](const std::pair<int, int>& range) {
                       const auto [start, end] = range;
                       if (start <= end) return start <= minute && minute < end;
                       return start <= minute || minute < end;
                     });
}

// The tier for a prompt of `total_input` tokens; null below the first.
const PriceTier* TierFor(const PriceRow& row, int64_t total_input) {
  const PriceTier* best = nullptr;
  for (const PriceTier& tier : row.tiers) {
    if (total_input > tier.above_input_tokens &&
        (best == nullptr ||
         tier.above_input_tokens > best->above_input_tokens)) {
      best = &tier;
    }
  }
  return best;
}

// A reported count, kept where no sum of a few can overflow.
TokenCount Count(const std::optional<TokenCount>& count) {
  return std::clamp<TokenCount>(count.value_or(0), 0, TokenCount{1} << 60);
}

// Adds up lines of tokens times price.
class Bill {
 public:
  void Add(TokenCount tokens, std::optional<int64_t> price) {
    if (tokens == 0) return;
    if (price) {
      sum_ += absl::int128(tokens) * *price;
    } else {
      unpriced_ = true;
    }
  }
  // As Add, at the text's price where the modality has none.
  void AddModal(TokenCount tokens, std::optional<int64_t> price,
                std::optional<int64_t> text_price) {
    if (tokens == 0) return;
    if (!price) degraded_ = true;
    Add(tokens, price ? price : text_price);
  }
  void set_degraded() { degraded_ = true; }
  CostSum Total() const {
    if (unpriced_) return {std::nullopt, degraded_, false};
    return {sum_, degraded_, false};
  }

 private:
  absl::int128 sum_ = 0;
  bool unpriced_ = false;
  bool degraded_ = false;
};

std::optional<int64_t> Else(std::optional<int64_t> price,
                            std::optional<int64_t> fallback) {
  return price ? price : fallback;
}

void AddInput(const PriceSet& prices, const TokenUsage& usage, Bill& bill) {
  const TokenCount fresh = Count(usage.fresh_input);
  const TokenCount read = Count(usage.cache_read);
  // Parts never exceed their whole, whatever an inconsistent server says.
  const TokenCount audio = std::min(Count(usage.audio_input), fresh);
  const TokenCount image = std::min(Count(usage.image_input), fresh - audio);
  const TokenCount video =
      std::min(Count(usage.video_input), fresh - audio - image);
  bill.Add(fresh - audio - image - video, prices.input);
  bill.AddModal(audio, prices.audio_input, prices.input);
  bill.AddModal(image, prices.image_input, prices.input);
  bill.AddModal(video, prices.video_input, prices.input);

  auto cached = Else(prices.cached_input, prices.input);
  if (usage.cache_read_explicit) {
    cached = Else(prices.cached_input_explicit, cached);
  }
  // Where the cached audio is not told apart, text was cached first: only
  // audio beyond the uncached part can have come from the cache.
  const TokenCount cached_audio =
      std::min(read, usage.audio_cache_read ? Count(usage.audio_cache_read)
                                            : Count(usage.audio_input) - audio);
  bill.Add(read - cached_audio, cached);
  bill.AddModal(cached_audio, prices.audio_cached_input, cached);

  const auto write = Else(prices.cache_write, prices.input);
  bill.Add(Count(usage.cache_write_5m), write);
  bill.Add(Count(usage.cache_write_1h), Else(prices.cache_write_1h, write));
}

void AddOutput(const PriceSet& prices, bool thinking, const TokenUsage& usage,
               Bill& bill) {
  const TokenCount output = Count(usage.output);
  const TokenCount audio = std::min(Count(usage.audio_output), output);
  const auto text = thinking ? Else(prices.output_thinking_mode, prices.output)
                             : prices.output;
  bill.Add(output - audio, text);
  bill.AddModal(audio, prices.audio_output, text);
}

}  // namespace

const PriceWindow* WindowAt(const PriceRow& row, absl::Time at) {
  for (const PriceWindow& window : row.windows) {
    if (Covers(window, at)) return &window;
  }
  return nullptr;
}

PriceSet EffectivePrices(const PriceRow& row, absl::Time at,
                         int64_t total_input) {
  PriceSet prices = row.prices;
  if (const PriceWindow* window = WindowAt(row, at)) {
    Replace(window->prices, &prices);
  }
  if (const PriceTier* tier = TierFor(row, total_input)) {
    Replace(tier->prices, &prices);
  }
  return prices;
}

CostSum SumCost(const PriceRow& row, absl::Time at, bool thinking,
                const TokenUsage& usage) {
  const TokenCount input = Count(usage.fresh_input) + Count(usage.cache_read) +
                           Count(usage.cache_write_5m) +
                           Count(usage.cache_write_1h);
  PriceSet prices = EffectivePrices(row, at, input);
  bool unverified = row.unverified;
  if (const PriceTier* tier = TierFor(row, input)) {
    unverified = unverified || tier->unverified;
  }
  const auto& condition = row.output_condition;
  if (condition && usage.output && input <= condition->max_input_tokens &&
      Count(usage.output) <= condition->max_output_tokens) {
    prices.output = condition->output;
    unverified = unverified || condition->unverified;
  }
  Bill bill;
  AddInput(prices, usage, bill);
  // Embeddings bill their prompt only.
  if (!row.embedding) AddOutput(prices, thinking, usage, bill);
  if (!usage.TotalInput() || (!row.embedding && !usage.output)) {
    bill.set_degraded();
  }
  // On an excluded day the row's own price would hold.
  const PriceWindow* const window = WindowAt(row, at);
  if (window != nullptr && Excluded(*window, at) == HolidayAnswer::kUnknown) {
    bill.set_degraded();
  }
  CostSum total = bill.Total();
  total.unverified = unverified;
  return total;
}

std::optional<int64_t> ParseReportedCost(std::string_view text) {
  const size_t mark = std::min(text.find_first_of("eE"), text.size());
  int exponent = 0;
  if (mark < text.size()) {
    const char* begin = text.data() + mark + 1;
    const char* const end = text.data() + text.size();
    if (begin != end && *begin == '+') ++begin;
    const auto read = std::from_chars(begin, end, exponent);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  }
  // Bounds keep every product below within 127 bits.
  constexpr int kMaxDigits = 30;
  if (exponent > 7 || exponent < -60) return std::nullopt;
  absl::int128 value = 0;
  int digits = 0;
  int decimals = 0;
  bool point = false;
  for (const char c : text.substr(0, mark)) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (point) ++decimals;
    value = value * 10 + (c - '0');
    if (value != 0 && ++digits > kMaxDigits) return std::nullopt;
  }
  if (point ? decimals == 0 : mark == 0) return std::nullopt;
  int shift = 12 + exponent - decimals;
  for (; shift > 0; --shift) {
    value *= 10;
    if (value > std::numeric_limits<int64_t>::max()) return std::nullopt;
  }
  if (shift < -kMaxDigits) return 0;
  absl::int128 divisor = 1;
  for (; shift < 0; ++shift) divisor *= 10;
  absl::int128 pico = value / divisor;
  const absl::int128 twice = value % divisor * 2;
  if (twice > divisor || (twice == divisor && pico % 2 != 0)) pico += 1;
  if (pico > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(pico);
}

}  // namespace llm
