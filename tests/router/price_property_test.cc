// What holds for any usage and any row.
#include <catch2/catch.hpp>
#include <random>

#include "tests/router/price_query.h"

namespace llm {
namespace {

using Generator = std::mt19937_64;

TokenCount Some(Generator& random, TokenCount bound) {
  return static_cast<TokenCount>(random() % static_cast<uint64_t>(bound + 1));
}

TokenUsage RandomUsage(Generator& random) {
  const TokenCount bound = TokenCount{1} << (random() % 20);
  TokenUsage usage = Tokens(Some(random, bound), Some(random, bound),
                            Some(random, bound), Some(random, bound));
  usage.cache_write_1h = Some(random, bound);
  usage.cache_read_explicit = random() % 2 == 0;
  if (random() % 2 == 0) {
    usage.audio_input = Some(random, *usage.fresh_input);
    usage.audio_cache_read = Some(random, *usage.cache_read);
    usage.audio_output = Some(random, *usage.output);
    usage.image_input = Some(random, *usage.fresh_input - *usage.audio_input);
  }
  return usage;
}

TokenUsage Times(const TokenUsage& usage, TokenCount factor) {
  TokenUsage product = usage;
  for (auto* count :
       {&product.fresh_input, &product.cache_read, &product.cache_write_5m,
        &product.cache_write_1h, &product.output, &product.audio_input,
        &product.audio_cache_read, &product.audio_output,
        &product.image_input}) {
    if (*count) **count *= factor;
  }
  return product;
}

TEST_CASE("A cost grows in step with the tokens within one tier",
          "[router][prices][property]") {
  Generator random(20261122);
  const auto built_in = Book();
  for (const PriceRow& listed : built_in->rows()) {
    PriceRow row = listed;
    row.tiers.clear();
    row.output_condition.reset();
    const auto book = Book({row});
    PriceQuery query = Ask(row.provider, row.model,
                           row.effective_until == absl::InfiniteFuture()
                               ? Today()
                               : row.effective_until - absl::Seconds(1),
                           row.currency);
    query.thinking = random() % 2 == 0;
    for (int i = 0; i < 10; ++i) {
      const TokenUsage usage = RandomUsage(random);
      const int64_t once = Pico(book->Price(query, usage));
      REQUIRE(once >= 0);
      REQUIRE(Pico(book->Price(query, Times(usage, 3))) == 3 * once);
    }
  }
}

TEST_CASE("No usage, however odd, costs less than nothing",
          "[router][prices][property]") {
  Generator random(7);
  const auto book = Book();
  const auto& rows = book->rows();
  const auto odd = [&]() -> std::optional<TokenCount> {
    switch (random() % 5) {
      case 0:
        return std::nullopt;
      case 1:
        return -static_cast<TokenCount>(random() >> 1);
      case 2:
        return static_cast<TokenCount>(random() >> 1);
      default:
        return Some(random, 400'000);
    }
  };
  int priced = 0;
  for (int i = 0; i < 20000; ++i) {
    const PriceRow& row = rows[random() % rows.size()];
    TokenUsage usage;
    for (auto* count :
         {&usage.fresh_input, &usage.cache_read, &usage.cache_write_5m,
          &usage.cache_write_1h, &usage.output, &usage.reasoning,
          &usage.audio_input, &usage.audio_cache_read, &usage.audio_output,
          &usage.image_input, &usage.video_input}) {
      *count = odd();
    }
    const PricedCost cost =
        book->Price(Ask(row.provider, row.model, Today(), row.currency), usage);
    REQUIRE((cost.status == PriceStatus::kPriced) == cost.cost.has_value());
    if (cost.cost) {
      ++priced;
      REQUIRE(cost.cost->pico >= 0);
    }
  }
  CHECK(priced > 1000);
}

TEST_CASE("More tokens never cost less within the list's tiers",
          "[router][prices][property]") {
  const auto book = Book();
  for (const PriceRow& row : book->rows()) {
    for (const PriceTier& tier : row.tiers) {
      const int64_t bound = tier.above_input_tokens;
      const PriceQuery query = Ask(row.provider, row.model,
                                   row.effective_until == absl::InfiniteFuture()
                                       ? Today()
                                       : row.effective_until - absl::Seconds(1),
                                   row.currency);
      CAPTURE(row.provider, row.model, bound);
      CHECK(Pico(book->Price(query, Tokens(bound + 1, 0, 0, 1000))) >=
            Pico(book->Price(query, Tokens(bound, 0, 0, 1000))));
    }
  }
}

}  // namespace
}  // namespace llm
