// Which row applies, and what it makes of a usage.
#include <catch2/catch.hpp>
#include <string>

#include "tests/router/price_query.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

PriceRow Row(std::string provider, std::string model, int64_t input,
             int64_t output) {
  PriceRow row;
  row.provider = std::move(provider);
  row.model = std::move(model);
  row.currency = Usd();
  row.prices.input = input;
  row.prices.output = output;
  row.source = "configuration";
  return row;
}

std::string FoundModel(const PriceBook& book, const PriceQuery& query) {
  const PriceRow* row = book.Find(query);
  return row == nullptr ? "" : row->model;
}

TEST_CASE("An unknown model has no cost, never the cost zero",
          "[router][prices]") {
  const auto book = Book();
  const auto [provider, model] = GENERATE(table<std::string, std::string>({
      {"openai", "gpt-99"},
      {"openai", "xgpt-4o"},
      {"openai", "gpt-4o-2024-08-06x"},
      {"openai", "deepseek-flash"},
      {"openai", ""},
      {"nobody", "gpt-4o"},
      {"vllm", "Qwen/Qwen3-8B"},
      {"openrouter", "openai/gpt-4o"},
      {"deepseek", "deepseek-chat"},
  }));
  CAPTURE(provider, model);
  const PricedCost cost =
      book->Price(Ask(provider, model, Today()), Tokens(1, 1, 1, 1));
  CHECK(cost.status == PriceStatus::kUnknownModel);
  CHECK(cost.cost == std::nullopt);
  CHECK(cost.price_version.empty());
}

TEST_CASE("A name of any length is looked up safely", "[router][prices]") {
  const std::string model(1 << 20, 'a');
  CHECK(Book()->Find(Ask("gemini", model, Today())) == nullptr);
}

TEST_CASE("Names are met exactly, by alias or by pattern", "[router][prices]") {
  const auto book = Book();
  const auto [provider, model, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"openai", "gpt-5.6-sol", "gpt-5.6-sol"},
          {"openai", "gpt-5.6", "gpt-5.6-sol"},
          {"openai", "gpt-5.6-sol-2026-06-01", "gpt-5.6-sol"},
          {"openai", "gpt-4o-2024-08-06", "gpt-4o"},
          {"openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"},
          {"azure", "gpt-4o", "gpt-4o"},
          {"anthropic", "claude-sonnet-4.5", "claude-sonnet-4-5"},
          {"anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
          {"groq", "openai/gpt-oss-120b", "openai/gpt-oss-120b"},
          {"qwen-intl", "qwen-plus-latest", "qwen-plus"},
      }));
  CAPTURE(provider, model);
  CHECK(FoundModel(*book, Ask(provider, model, Today())) == want);
}

TEST_CASE("Dates are asked before names", "[router][prices]") {
  const auto book = Book();
  const auto [at, model, input] =
      GENERATE(table<std::string, std::string, int64_t>({
          {"2026-04-25T23:59:59Z", "", 0},
          {"2026-04-26T00:00:00Z", "deepseek-v4-flash", 140'000},
          {"2026-08-16T15:59:59Z", "deepseek-v4-flash", 140'000},
          {"2026-08-16T16:00:00Z", "deepseek-v4-flash", 220'000},
          {"2026-09-09T15:59:59Z", "deepseek-v4-flash", 220'000},
          {"2026-09-09T16:00:00Z", "deepseek-flash", 150'000},
          {"2026-11-22T12:00:00Z", "deepseek-flash", 150'000},
      }));
  CAPTURE(at);
  const PriceQuery query = Ask("deepseek", "deepseek-v4-flash", At(at));
  REQUIRE(FoundModel(*book, query) == model);
  if (!model.empty()) CHECK(book->Find(query)->prices.input == input);
}

TEST_CASE("The served model counts before the requested one",
          "[router][prices]") {
  const auto book = Book();
  PriceQuery query = Ask("openai", "gpt-4o", Today());
  query.served_model = "gpt-4o-mini-2024-07-18";
  CHECK(FoundModel(*book, query) == "gpt-4o-mini");
  query.served_model = "a-model-nobody-lists";
  CHECK(FoundModel(*book, query) == "gpt-4o");
}

TEST_CASE("Currencies are kept apart", "[router][prices]") {
  const auto book = Book();
  const TokenUsage usage = Tokens(1'000'000, 0, 0, 0);
  const auto usd =
      book->Price(Ask("deepseek", "deepseek-flash", Today()), usage);
  const auto cny =
      book->Price(Ask("deepseek", "deepseek-flash", Today(), Cny()), usage);
  CHECK(usd.cost == Money{Usd(), 150'000'000'000});
  CHECK(cny.cost == Money{Cny(), 1'000'000'000'000});
  CHECK(book->Find(Ask("openai", "gpt-4o", Today(), Cny())) == nullptr);
}

TEST_CASE("A configured row wins over the list", "[router][prices]") {
  PriceRow row = Row("openai", "gpt-4o", 7, 9);
  const auto book = Book({row, Row("my-vllm", "local", 0, 0)});
  PriceQuery query = Ask("openai", "gpt-4o", Today());
  CHECK(Pico(book->Price(query, Tokens(1, 0, 0, 1))) == 16);
  query.served_model = "gpt-4o-2024-08-06";
  CHECK(Pico(book->Price(query, Tokens(1, 0, 0, 1))) == 16);
  CHECK(book->rows().front().source == "configuration");
  const auto free =
      book->Price(Ask("my-vllm", "local", Today()), Tokens(5, 0, 0, 5));
  CHECK(free.cost == Money{Usd(), 0});
}

TEST_CASE("Absent prices fall back as the row says", "[router][prices]") {
  TokenUsage usage = Tokens(0, 1, 10, 0);
  usage.cache_write_1h = 100;
  const PriceQuery query = Ask("p", "m", Today());

  PriceRow row = Row("p", "m", 1'000, 0);
  CHECK(Pico(Book({row})->Price(query, usage)) == 111'000);
  row.prices.cache_write = 2'000;
  CHECK(Pico(Book({row})->Price(query, usage)) == 221'000);
  row.prices.cache_write_1h = 3'000;
  row.prices.cached_input = 5;
  CHECK(Pico(Book({row})->Price(query, usage)) == 320'005);
  usage.cache_read_explicit = true;
  CHECK(Pico(Book({row})->Price(query, usage)) == 320'005);
  row.prices.cached_input_explicit = 2;
  CHECK(Pico(Book({row})->Price(query, usage)) == 320'002);
}

TEST_CASE("A modality at text price is marked as coarse", "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 100);
  const PriceQuery query = Ask("p", "m", Today());
  TokenUsage usage = Tokens(10, 0, 0, 5);
  usage.image_input = 4;
  usage.video_input = 1;
  usage.audio_output = 2;
  PricedCost cost = Book({row})->Price(query, usage);
  CHECK(Pico(cost) == 600);
  CHECK(cost.degraded);
  row.prices.image_input = 20;
  row.prices.video_input = 30;
  row.prices.audio_output = 1'000;
  cost = Book({row})->Price(query, usage);
  CHECK(Pico(cost) == 5 * 10 + 4 * 20 + 30 + 3 * 100 + 2 * 1'000);
  CHECK_FALSE(cost.degraded);
}

TEST_CASE("Cached audio that is not told apart comes after cached text",
          "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 0);
  row.prices.cached_input = 1;
  row.prices.audio_input = 1'000;
  row.prices.audio_cached_input = 100;
  TokenUsage usage = Tokens(6, 4, 0, 0);
  usage.audio_input = 8;  // of the whole prompt of 10
  CHECK(Pico(Book({row})->Price(Ask("p", "m", Today()), usage)) ==
        6 * 1'000 + 2 * 100 + 2 * 1);
}

TEST_CASE("Impossible counts never make a cost negative", "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 100);
  TokenUsage usage = Tokens(-5, -7, -1, 3);
  usage.audio_input = 50;
  usage.audio_output = 40;
  CHECK(Pico(Book({row})->Price(Ask("p", "m", Today()), usage)) == 300);
}

TEST_CASE("A usage without counts has no cost", "[router][prices]") {
  const auto book = Book();
  const PriceQuery query = Ask("openai", "gpt-4o", Today());
  const PricedCost none = book->Price(query, TokenUsage{});
  CHECK(none.status == PriceStatus::kUnknownUsage);
  CHECK(none.cost == std::nullopt);
  TokenUsage half;
  half.fresh_input = 100;
  const PricedCost cost = book->Price(query, half);
  CHECK(Pico(cost) == 250'000'000);
  CHECK(cost.degraded);
}

TEST_CASE("An embedding bills its prompt only", "[router][prices]") {
  TokenUsage usage;
  usage.fresh_input = 1'000;
  const PriceQuery query = Ask("openai", "text-embedding-3-small", Today());
  PricedCost cost = Book()->Price(query, usage);
  CHECK(Pico(cost) == 20'000'000);
  CHECK_FALSE(cost.degraded);
  usage.output = 50;
  CHECK(Pico(Book()->Price(query, usage)) == 20'000'000);
}

TEST_CASE("The service tier that was served scales the cost",
          "[router][prices]") {
  const auto book = Book();
  const auto [provider, model, tier, numerator] =
      GENERATE(table<std::string, std::string, std::string, int>({
          {"openai", "gpt-4o", "", 2},
          {"openai", "gpt-4o", "default", 2},
          {"openai", "gpt-4o", "standard", 2},
          {"openai", "gpt-4o", "auto", 2},
          {"openai", "gpt-4o", "flex", 1},
          {"openai", "gpt-4o", "Flex", 1},
          {"openai", "gpt-4o", "batch", 1},
          {"azure", "gpt-4o", "flex", 1},
          {"anthropic", "claude-sonnet-4-5", "standard", 2},
          {"anthropic", "claude-sonnet-4-5", "batch", 1},
          {"groq", "llama-3.1-8b-instant", "on_demand", 2},
          {"qwen-intl", "qwen-plus", "batch", 1},
      }));
  CAPTURE(provider, tier);
  TokenUsage usage = Tokens(1'000, 0, 0, 100);
  const PriceQuery query = Ask(provider, model, Today());
  const int64_t plain = Pico(book->Price(query, usage));
  usage.service_tier = tier;
  CHECK(Pico(book->Price(query, usage)) * 2 == plain * numerator);
}

TEST_CASE("A service tier without a price leaves the cost unknown",
          "[router][prices]") {
  const auto [provider, tier] = GENERATE(table<std::string, std::string>({
      {"openai", "priority"},
      {"openai", "fast"},
      {"openai", "scale"},
      {"openai", "whatever"},
      {"deepseek", "flex"},
  }));
  const std::string model = provider == "openai" ? "gpt-4o" : "deepseek-flash";
  TokenUsage usage = Tokens(1, 0, 0, 1);
  usage.service_tier = tier;
  const PricedCost cost = Book()->Price(Ask(provider, model, Today()), usage);
  CHECK(cost.status == PriceStatus::kUnknownTier);
  CHECK(cost.cost == std::nullopt);
  CHECK_FALSE(cost.price_version.empty());
}

TEST_CASE("Half a pico-unit is rounded to even, once", "[router][prices]") {
  const PriceQuery query = Ask("openai", "m", Today());
  TokenUsage usage = Tokens(1, 0, 0, 0);
  usage.service_tier = "flex";
  CHECK(Pico(Book({Row("openai", "m", 5, 0)})->Price(query, usage)) == 2);
  CHECK(Pico(Book({Row("openai", "m", 7, 0)})->Price(query, usage)) == 4);
}

TEST_CASE("OpenRouter's own charge is the cost", "[router][prices]") {
  const auto book = Book();
  const PriceQuery query = Ask("openrouter", "openai/gpt-4o", Today());
  TokenUsage usage = Tokens(10, 0, 0, 10);
  const auto [text, want] = GENERATE(table<std::string, int64_t>({
      {"0.00014", 140'000'000},
      {"1.4e-04", 140'000'000},
      {"1.4E-4", 140'000'000},
      {"2", 2'000'000'000'000},
      {"1e1", 10'000'000'000'000},
      {"0", 0},
      {"0.0000000000005", 0},
      {"0.0000000000015", 2},
      {"0.0000000000025", 2},
      {"0.00000000000250000000001", 3},
      {"1e-40", 0},
      {"5e-13", 0},
      {"0.1234567890123", 123'456'789'012},
  }));
  CAPTURE(text);
  usage.reported_cost = text;
  const PricedCost cost = book->Price(query, usage);
  CHECK(Pico(cost) == want);
  CHECK(cost.cost->currency == Usd());
  CHECK(cost.price_version == "openrouter/reported");

  // Others' reports are beside our computation, not instead of it.
  CHECK(Pico(book->Price(Ask("openai", "gpt-4o", Today()), usage)) ==
        10 * 2'500'000 + 10 * 10'000'000);
}

TEST_CASE("A charge that is no amount is unknown", "[router][prices]") {
  TokenUsage usage = Tokens(10, 0, 0, 10);
  usage.reported_cost = GENERATE(values<std::string>(
      {"", "-1", "abc", "1e", "e5", ".", "1.", "1.2.3", "1e99", "1e8", "nan",
       "10000000", "9999999999999999999999999999999999999999"}));
  CAPTURE(usage.reported_cost);
  const PricedCost cost = Book()->Price(Ask("openrouter", "m", Today()), usage);
  CHECK(cost.status == PriceStatus::kUnknownModel);
  CHECK(cost.cost == std::nullopt);
}

TEST_CASE("Ollama is free, which is not unknown", "[router][prices]") {
  const PricedCost cost =
      Book()->Price(Ask("ollama", "hf.co/someone/model:Q4_K_M", Today()),
                    Tokens(10, 0, 0, 10));
  CHECK(cost.cost == Money{Usd(), 0});
}

TEST_CASE("Short answers to short prompts are cheaper where a row says so",
          "[router][prices]") {
  const auto book = Book();
  const PriceQuery query = Ask("volcengine", "doubao-seed-1-6", Today(), Cny());
  const auto [input, output, want] = GENERATE(table<int64_t, int64_t, int64_t>({
      {32'000, 200, 32'000 * 800'000LL + 200 * 2'000'000LL},
      {32'000, 201, 32'000 * 800'000LL + 201 * 8'000'000LL},
      {32'001, 200, 32'001 * 1'200'000LL + 200 * 16'000'000LL},
  }));
  const PricedCost cost = book->Price(query, Tokens(input, 0, 0, output));
  CHECK(Pico(cost) == want);
  CHECK(cost.unverified == (input > 32'000 || output <= 200));
}

TEST_CASE("A window is judged in its own time zone", "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 0);
  PriceWindow window;
  window.timezone = "America/New_York";
  window.days = {5};
  window.ranges = {{22 * 60, 24 * 60}, {23 * 60, 60}};
  window.prices.input = 1;
  row.windows.push_back(window);
  const auto book = Book({row});
  const auto [at, want] = GENERATE(table<std::string, int64_t>({
      // New York is at UTC-4 in July and UTC-5 in November.
      {"2026-07-04T01:59:59Z", 10},  // Friday 21:59:59
      {"2026-07-04T02:00:00Z", 1},   // Friday 22:00
      {"2026-11-21T02:59:59Z", 10},  // Friday 21:59:59
      {"2026-11-21T03:00:00Z", 1},   // Friday 22:00
      {"2026-11-21T05:00:00Z", 10},  // Saturday 00:00
      {"2026-11-20T05:30:00Z", 1},   // Friday 00:30, range past midnight
      {"2026-11-20T06:00:00Z", 10},  // Friday 01:00
  }));
  CAPTURE(at);
  CHECK(Pico(book->Price(Ask("p", "m", At(at)), Tokens(1, 0, 0, 0))) == want);
}

TEST_CASE("A tier lies on top of a window", "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 100);
  row.windows.push_back({"UTC", {1, 2, 3, 4, 5, 6, 7}, {{0, 24 * 60}}, {}, {}});
  row.windows.back().prices.input = 1;
  row.windows.back().prices.output = 2;
  row.tiers.push_back({100, false, {}});
  row.tiers.back().prices.input = 50;
  const PriceSet low = EffectivePrices(row, Today(), 100);
  CHECK(low.input == 1);
  CHECK(low.output == 2);
  const PriceSet high = EffectivePrices(row, Today(), 101);
  CHECK(high.input == 50);
  CHECK(high.output == 2);
}

TEST_CASE("The version of a row changes with its prices only",
          "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 100);
  const std::string digest = PriceRowDigest(row);
  CHECK(digest.size() == 12);
  CHECK(digest.find_first_not_of("0123456789abcdef") == std::string::npos);
  row.source = "elsewhere";
  row.aliases = {"x"};
  CHECK(PriceRowDigest(row) == digest);
  row.prices.cached_input = 10;
  CHECK(PriceRowDigest(row) != digest);
  const PricedCost cost =
      Book({row})->Price(Ask("p", "m", Today()), Tokens(1, 0, 0, 0));
  CHECK(cost.price_version == "p/m@" + PriceRowDigest(row));
}

TEST_CASE("A configured row with a fault is refused by name",
          "[router][prices]") {
  PriceRow row = Row("p", "m", 10, 100);
  SECTION("pattern") { row.match = "(("; }
  SECTION("price") { row.prices.output = -1; }
  SECTION("zone") {
    row.windows.push_back({"Mars/Base", {1}, {{0, 1}}, {}, {}});
  }
  const auto book = PriceBook::Parse(BuiltInPrices(), {row});
  REQUIRE_THAT(book, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(std::string(book.status().message()).rfind("p/m: ", 0) == 0);
}

TEST_CASE("Each price status has its word", "[router][prices]") {
  CHECK(PriceStatusName(PriceStatus::kPriced) == "priced");
  CHECK(PriceStatusName(PriceStatus::kUnknownModel) == "unknown_model");
  CHECK(PriceStatusName(PriceStatus::kUnknownTier) == "unknown_tier");
  CHECK(PriceStatusName(PriceStatus::kUnknownUsage) == "unknown_usage");
}

}  // namespace
}  // namespace llm
