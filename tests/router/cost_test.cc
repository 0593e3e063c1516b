// What calls cost: sums over attempts, unknown prices, the worst case.
#include <catch2/catch.hpp>
#include <limits>

#include "router/cost_meter.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

PriceRow Row(std::string provider, std::string model, std::string currency,
             int64_t input, int64_t output) {
  PriceRow row;
  row.provider = std::move(provider);
  row.model = std::move(model);
  row.currency.code = std::move(currency);
  row.prices.input = input;
  row.prices.output = output;
  row.source = "configuration";
  return row;
}

// alpha costs 1 and 2 micro-USD per token; beta's row is the test's choice.
RouteTable PricedTable(std::optional<PriceRow> beta) {
  RouteTable table = TestTable();
  std::vector<PriceRow> rows = {
      Row("a", "alpha-up", "USD", 1'000'000, 2'000'000)};
  if (beta) rows.push_back(*beta);
  auto prices = PriceBook::Parse(BuiltInPrices(), std::move(rows));
  REQUIRE_THAT(prices, IsOk());
  table.prices = *prices;
  return table;
}

ScriptedAttempt BilledFailure() {
  ScriptedAttempt cut = Answer("half", 10, 5);
  cut.failure = FailureClass::kIncomplete;
  return cut;
}

TEST_CASE("The cost of an answer includes what failed before it",
          "[router][cost]") {
  RouterFixture fixture(
      PricedTable(Row("b", "beta-up", "USD", 3'000'000, 4'000'000)));
  fixture.a->Play(BilledFailure());
  fixture.b->Play(Answer("ok", 100, 10));
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  // 10 * 1 + 5 * 2 + 100 * 3 + 10 * 4 = 360 micro-USD.
  CHECK(result.info.cost().amount() == "0.000360");
  CHECK(result.info.cost().currency() == "USD");
  CHECK(fixture.admission.last.cost ==
        std::vector<Money>{{{"USD"}, 360'000'000}});
  // The caller's usage is of the answer alone, the row's of all attempts.
  CHECK(result.response->usage().prompt_tokens() == 100);
  CHECK(fixture.admission.last.usage.fresh_input == 110);
}

TEST_CASE("An unknown price makes the request unpriced, never free",
          "[router][cost][COST-5]") {
  RouterFixture fixture(PricedTable(std::nullopt));
  fixture.a->Play(BilledFailure());
  fixture.b->Play(Answer("ok", 100, 10));
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  CHECK_FALSE(result.info.has_cost());
  const RequestRecord row = fixture.ledger.Rows<RequestRecord>()[0];
  CHECK(row.unpriced);
  CHECK(row.cost == std::vector<Money>{{{"USD"}, 20'000'000}});
  const auto attempt = fixture.ledger.Rows<AttemptRecord>()[1];
  CHECK_FALSE(attempt.cost);
  CHECK(attempt.price_status == PriceStatusName(PriceStatus::kUnknownModel));
}

TEST_CASE("Thinking has its price also where usage is missing",
          "[router][cost][COST-1]") {
  PriceRow row = Row("a", "alpha-up", "USD", 1'000'000, 2'000'000);
  row.prices.output_thinking_mode = 10'000'000;
  RouteTable priced = TestTable();
  auto prices = PriceBook::Parse(BuiltInPrices(), {row});
  REQUIRE_THAT(prices, IsOk());
  priced.prices = *prices;
  const auto [thinking, cost] = GENERATE(
      table<bool, int64_t>({{false, 20'000'000}, {true, 100'000'000}}));
  RouterFixture fixture(std::move(priced));
  ScriptedAttempt answer = Answer("ok", 1, 1);
  answer.usage = {};
  answer.usage_source = UsageSource::kNone;
  answer.output_chars = 33;  // ten tokens by estimate
  answer.thinking = thinking;
  fixture.a->Play(answer);
  REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
  const AttemptRecord got = fixture.ledger.Rows<AttemptRecord>()[0];
  REQUIRE(got.cost);
  const int64_t input = got.usage.fresh_input.value_or(0) * 1'000'000;
  CHECK(got.usage.output == 10);
  CHECK(got.cost->pico - input == cost);
}

TEST_CASE("A count from the start of a stream that was cut is not its output",
          "[router][cost][COST-1]") {
  // About ten tokens were seen.
  const auto [early, counted, billed, source] =
      GENERATE(table<bool, int64_t, int64_t, UsageSource>(
          {{true, 1, 10, UsageSource::kEstimated},
           {true, 12, 12, UsageSource::kPartial},
           {false, 1, 1, UsageSource::kPartial}}));
  RouterFixture fixture(
      PricedTable(Row("b", "beta-up", "USD", 3'000'000, 4'000'000)));
  ScriptedAttempt cut = Answer("half", 10, counted);
  cut.failure = FailureClass::kIncomplete;
  cut.usage_source = UsageSource::kPartial;
  cut.output_chars = 33;
  cut.output_is_early = early;
  fixture.a->Play(cut);
  fixture.b->Play(Answer("ok", 100, 10));
  REQUIRE_THAT(fixture.Unary(Ask("auto", "hi")).status, IsOk());
  const AttemptRecord row = fixture.ledger.Rows<AttemptRecord>()[0];
  CHECK(row.usage.output == billed);
  CHECK(row.usage_source == source);
  CHECK(row.usage.fresh_input == 10);
}

TEST_CASE("A failure without content costs nothing and hides no price",
          "[router][cost]") {
  RouterFixture fixture(
      PricedTable(Row("b", "beta-up", "USD", 3'000'000, 4'000'000)));
  fixture.a->Play(Failure(FailureClass::kBadAnswer));
  fixture.b->Play(Answer("ok", 100, 10));
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  CHECK(result.info.cost().amount() == "0.000340");
  const auto failed = fixture.ledger.Rows<AttemptRecord>()[0];
  CHECK_FALSE(failed.cost);
  CHECK(failed.price_status == PriceStatusName(PriceStatus::kUnknownUsage));
  CHECK_FALSE(fixture.ledger.Rows<RequestRecord>()[0].unpriced);
}

TEST_CASE("A price of zero is a price", "[router][cost][COST-5]") {
  RouterFixture fixture(PricedTable(Row("b", "beta-up", "USD", 0, 0)));
  fixture.b->Play(Answer("ok", 100, 10));
  const CallResult result = fixture.Unary(Ask("beta", "hi"));
  REQUIRE(result.info.has_cost());
  CHECK(result.info.cost().amount() == "0.000000");
}

TEST_CASE("Two currencies are never added up", "[router][cost]") {
  RouteTable table =
      PricedTable(Row("b", "beta-up", "CNY", 3'000'000, 4'000'000));
  table.providers["b"].currency.code = "CNY";
  RouterFixture fixture(std::move(table));
  fixture.a->Play(BilledFailure());
  fixture.b->Play(Answer("ok", 100, 10));
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  CHECK_FALSE(result.info.has_cost());
  const RequestRecord row = fixture.ledger.Rows<RequestRecord>()[0];
  CHECK_FALSE(row.unpriced);
  CHECK(row.cost ==
        std::vector<Money>{{{"USD"}, 20'000'000}, {{"CNY"}, 340'000'000}});
}

TEST_CASE("The worst case counts every choice and never overflows",
          "[router][cost][BUD-1]") {
  RouteTable table = PricedTable(std::nullopt);
  table.models["alpha"].traits.max_output_tokens = 100;
  RouterFixture fixture(std::move(table));
  fixture.a->PlayForever(Answer("x", 1, 1));
  auto request = Ask("alpha", "0123456789");
  request.set_n(3);
  fixture.Unary(request);
  CHECK(fixture.admission.worst.output_tokens == 300);
  request.set_max_tokens(std::numeric_limits<int64_t>::max() / 2);
  fixture.Unary(request);
  CHECK(fixture.admission.worst.output_tokens ==
        std::numeric_limits<int64_t>::max());
  for (const Money& money : fixture.admission.worst.cost) {
    CHECK(money.pico > 0);
  }
}

TEST_CASE("Thinking that the dialect reports has its own price",
          "[router][cost]") {
  RouteTable table = TestTable();
  PriceRow row = Row("a", "alpha-up", "USD", 1'000'000, 2'000'000);
  row.prices.output_thinking_mode = 8'000'000;
  auto prices = PriceBook::Parse(BuiltInPrices(), {row});
  REQUIRE_THAT(prices, IsOk());
  table.prices = *prices;
  RouterFixture fixture(std::move(table));
  const bool thinking = GENERATE(false, true);
  ScriptedAttempt answer = Answer("x", 1, 10);
  answer.thinking = thinking;
  fixture.a->Play(answer);
  const CallResult result = fixture.Unary(Ask("alpha", "hi"));
  CHECK(result.info.cost().amount() == (thinking ? "0.000081" : "0.000021"));
}

TEST_CASE("The worst case is the dearest candidate at the asked length",
          "[router][cost][BUD-3]") {
  RouterFixture fixture(
      PricedTable(Row("b", "beta-up", "USD", 3'000'000, 4'000'000)));
  fixture.a->Play(Answer("ok", 1, 1));
  auto request = Ask("auto", "0123456789");  // 3 tokens
  request.set_max_completion_tokens(50);
  fixture.Unary(request);
  CHECK(fixture.admission.worst.input_tokens == 3);
  CHECK(fixture.admission.worst.output_tokens == 50);
  // 3 * 3 + 50 * 4 micro-USD, beta's price.
  CHECK(fixture.admission.worst.cost ==
        std::vector<Money>{{{"USD"}, 209'000'000}});
}

}  // namespace
}  // namespace llm
