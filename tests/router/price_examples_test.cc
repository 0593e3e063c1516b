// The worked examples of the price description, in exact pico-units.
#include <catch2/catch.hpp>

#include "tests/router/price_query.h"

namespace llm {
namespace {

TEST_CASE("OpenAI bills cache reads and writes at their own prices",
          "[router][prices][examples]") {
  TokenUsage usage = Tokens(2'000, 6'000, 2'000, 1'500);
  usage.reasoning = 900;
  const PricedCost cost =
      Book()->Price(Ask("openai", "gpt-5.6-sol", Today()), usage);
  CHECK(Pico(cost) == 70'500'000'000);
  CHECK(cost.cost->currency == Usd());
  CHECK(FormatPico(cost.cost->pico) == "0.070500");
  CHECK_FALSE(cost.degraded);
}

TEST_CASE("A long OpenAI prompt moves the whole request to the tier",
          "[router][prices][examples]") {
  const auto book = Book();
  const PriceQuery query = Ask("openai", "gpt-5.6-sol", Today());
  CHECK(Pico(book->Price(query, Tokens(50'000, 250'000, 0, 2'000))) ==
        840'000'000'000);
  // At the bound the base prices apply, one token on the tier's.
  CHECK(Pico(book->Price(query, Tokens(22'000, 250'000, 0, 2'000))) ==
        (22'000 * 5'000'000LL + 250'000 * 500'000LL + 2'000 * 30'000'000LL));
  CHECK(Pico(book->Price(query, Tokens(22'001, 250'000, 0, 2'000))) ==
        (22'001 * 10'000'000LL + 250'000 * 1'000'000LL + 2'000 * 45'000'000LL));
}

TEST_CASE("Anthropic's cache writes have two prices and its prices a date",
          "[router][prices][examples]") {
  const auto book = Book();
  TokenUsage usage = Tokens(1'200, 50'000, 6'000, 900);
  usage.cache_write_1h = 2'000;
  const auto cost = [&](const std::string& at) {
    return Pico(
        book->Price(Ask("anthropic", "claude-sonnet-5", At(at)), usage));
  };
  CHECK(cost("2026-09-01T00:00:00Z") == 66'600'000'000);
  CHECK(cost("2026-08-31T12:00:00Z") == 44'400'000'000);
  CHECK(cost("2026-08-31T23:59:59Z") == 44'400'000'000);
}

TEST_CASE("Anthropic's tier counts cached tokens",
          "[router][prices][examples]") {
  const auto book = Book();
  const PriceQuery query = Ask("anthropic", "claude-sonnet-4-5", Today());
  CHECK(Pico(book->Price(query, Tokens(20'000, 190'000, 5'000, 1'000))) ==
        294'000'000'000);
  // 200 000 exactly stays below.
  CHECK(Pico(book->Price(query, Tokens(5'000, 190'000, 5'000, 1'000))) ==
        (5'000 * 3'000'000LL + 190'000 * 300'000LL + 5'000 * 3'750'000LL +
         1'000 * 15'000'000LL));
}

TEST_CASE("Gemini Pro bills a long prompt at the upper tier",
          "[router][prices][examples]") {
  TokenUsage usage = Tokens(150'000, 100'000, 0, 8'000);
  usage.reasoning = 5'000;
  CHECK(Pico(Book()->Price(Ask("gemini", "gemini-2.5-pro", Today()), usage)) ==
        520'000'000'000);
}

TEST_CASE("Audio has its own prices, cached or not",
          "[router][prices][examples]") {
  TokenUsage usage = Tokens(9'000, 3'000, 0, 1'700);
  usage.audio_input = 6'000;
  usage.audio_cache_read = 2'000;
  const PricedCost cost =
      Book()->Price(Ask("gemini", "gemini-2.5-flash", Today()), usage);
  CHECK(Pico(cost) == 11'380'000'000);
  CHECK_FALSE(cost.degraded);
}

TEST_CASE("DeepSeek bills by the time of day", "[router][prices][examples]") {
  const auto book = Book();
  TokenUsage usage = Tokens(16'000, 64'000, 0, 4'000);
  usage.reasoning = 2'500;
  const auto [at, want] = GENERATE(table<std::string, int64_t>({
      {"2026-11-17T05:30:00Z", 4'992'000'000},  // Tuesday, off-peak
      {"2026-11-17T06:00:00Z", 9'984'000'000},  // peak
      {"2026-11-21T06:30:00Z", 4'992'000'000},  // Saturday
      // Edges: start inclusive, end exclusive.
      {"2026-11-17T00:59:59Z", 4'992'000'000},
      {"2026-11-17T01:00:00Z", 9'984'000'000},
      {"2026-11-17T03:59:59.999Z", 9'984'000'000},
      {"2026-11-17T04:00:00Z", 4'992'000'000},
      {"2026-11-17T05:59:59Z", 4'992'000'000},
      {"2026-11-17T09:59:59Z", 9'984'000'000},
      {"2026-11-17T10:00:00Z", 4'992'000'000},
      {"2026-11-20T06:30:00Z", 9'984'000'000},  // Friday
      {"2026-11-22T06:30:00Z", 4'992'000'000},  // Sunday
      {"2026-11-23T01:00:00Z", 9'984'000'000},  // Monday
      // Mid-Autumn (Friday), the eve and the end of National Day's week.
      {"2026-09-25T06:30:00Z", 4'992'000'000},
      {"2026-09-30T06:30:00Z", 9'984'000'000},
      {"2026-10-01T06:30:00Z", 4'992'000'000},
      {"2026-10-07T09:59:59Z", 4'992'000'000},
      {"2026-10-08T01:00:00Z", 9'984'000'000},
      // Worked in lieu, and a weekend all the same.
      {"2026-10-10T06:30:00Z", 4'992'000'000},
  }));
  CAPTURE(at);
  const PricedCost cost =
      book->Price(Ask("deepseek", "deepseek-flash", At(at)), usage);
  CHECK(Pico(cost) == want);
  CHECK_FALSE(cost.degraded);
}

TEST_CASE("A peak in a year whose holidays are not known is marked",
          "[router][prices][COST-4]") {
  const auto book = Book();
  // A Tuesday.
  const PricedCost peak =
      book->Price(Ask("deepseek", "deepseek-flash", At("2027-11-16T06:00:00Z")),
                  Tokens(16'000, 64'000, 0, 4'000));
  const PricedCost evening =
      book->Price(Ask("deepseek", "deepseek-flash", At("2027-11-16T12:00:00Z")),
                  Tokens(16'000, 64'000, 0, 4'000));
  CHECK(Pico(peak) == 9'984'000'000);
  CHECK(peak.degraded);
  CHECK(Pico(evening) == 4'992'000'000);
  CHECK_FALSE(evening.degraded);
}

TEST_CASE("Qwen's tiers replace the price of the whole request",
          "[router][prices][examples]") {
  const auto book = Book();
  const PriceQuery query = Ask("qwen", "qwen3-max", Today(), Cny());
  const PricedCost cost = book->Price(query, Tokens(30'000, 10'000, 0, 2'000));
  CHECK(Pico(cost) == 160'000'000'000);
  CHECK(cost.cost->currency == Cny());
  // The highest bound that is exceeded wins.
  CHECK(Pico(book->Price(query, Tokens(128'000, 0, 0, 0))) ==
        128'000 * 4'000'000LL);
  CHECK(Pico(book->Price(query, Tokens(128'001, 0, 0, 0))) ==
        128'001 * 7'000'000LL);
}

TEST_CASE("Qwen's thinking mode and explicit cache have their own prices",
          "[router][prices][examples]") {
  const auto book = Book();
  PriceQuery query = Ask("qwen-intl", "qwen-plus", Today());
  query.thinking = true;
  TokenUsage usage = Tokens(8'000, 8'000, 4'000, 3'000);
  usage.cache_read_explicit = true;
  usage.reasoning = 2'200;
  CHECK(Pico(book->Price(query, usage)) == 17'520'000'000);

  // The same without thinking, and with implicit hits.
  query.thinking = false;
  const PriceRow* row = book->Find(query);
  REQUIRE(row != nullptr);
  CHECK(Pico(book->Price(query, usage)) ==
        17'520'000'000 - 3'000 * (4'000'000 - *row->prices.output));
  usage.cache_read_explicit = false;
  CHECK(Pico(book->Price(query, usage)) ==
        17'520'000'000 - 3'000 * (4'000'000 - *row->prices.output) +
            8'000 * (*row->prices.cached_input - 40'000));
}

TEST_CASE("xAI's reasoning is part of the normalised output",
          "[router][prices][examples]") {
  TokenUsage usage = Tokens(5'000, 3'000, 0, 1'500);
  usage.reasoning = 1'100;
  CHECK(Pico(Book()->Price(Ask("xai", "grok-4.5", Today()), usage)) ==
        20'500'000'000);
}

TEST_CASE("Searches and a priced region are charged where the list says so",
          "[router][prices][COST-1]") {
  const auto book = Book();
  const PriceQuery query = Ask("anthropic", "claude-opus-4-6", Today());
  TokenUsage usage = Tokens(1'000, 0, 0, 100);
  const int64_t plain = Pico(book->Price(query, usage));
  usage.geo = "us";
  CHECK(Pico(book->Price(query, usage)) * 10 == plain * 11);
  usage.service_tier = "batch";
  CHECK(Pico(book->Price(query, usage)) * 20 == plain * 11);
  usage.geo.clear();
  usage.service_tier.clear();
  usage.web_searches = 3;
  const PricedCost searched = book->Price(query, usage);
  // Ten dollars a thousand.
  CHECK(Pico(searched) == plain + 30'000'000'000);
  CHECK_FALSE(searched.degraded);
  // Each by itself makes the cost a coarse one where it has no price.
  const PriceQuery elsewhere = Ask("openai", "gpt-4o", Today());
  CHECK(book->Price(elsewhere, usage).degraded);
  usage.web_searches.reset();
  CHECK_FALSE(book->Price(elsewhere, usage).degraded);
  usage.geo = "us";
  CHECK(book->Price(elsewhere, usage).degraded);
}

}  // namespace
}  // namespace llm
