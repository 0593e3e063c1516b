// The built-in list is whole, and a faulty list is refused.
#include "router/price_list.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "adapters/core/json.h"
#include "tests/router/price_query.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

TEST_CASE("The built-in list is read whole", "[router][prices]") {
  const auto book = Book();
  CHECK(book->as_of() == "2026-11-22");
  CHECK(book->rows().size() == 166);
  for (const PriceRow& row : book->rows()) {
    CAPTURE(row.provider, row.model);
    CHECK(row.prices.input.has_value());
    CHECK_FALSE(row.source.empty());
    CHECK_FALSE(row.confidence.empty());
    CHECK(row.effective_from < row.effective_until);
    // Every row can be found under its own name while it is in force.
    const absl::Time at = row.effective_from == absl::InfinitePast()
                              ? absl::UnixEpoch()
                              : row.effective_from;
    const PriceRow* found =
        book->Find(Ask(row.provider, row.model, at, row.currency));
    REQUIRE(found != nullptr);
    CHECK(found->model == row.model);
  }
}

TEST_CASE("No two rows of a model and currency are in force at once",
          "[router][prices]") {
  const auto book = Book();
  const auto& rows = book->rows();
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = i + 1; j < rows.size(); ++j) {
      const PriceRow& a = rows[i];
      const PriceRow& b = rows[j];
      if (a.provider != b.provider || a.model != b.model ||
          a.currency != b.currency) {
        continue;
      }
      CAPTURE(a.provider, a.model);
      CHECK((a.effective_until <= b.effective_from ||
             b.effective_until <= a.effective_from));
    }
  }
}

TEST_CASE("The versions of all rows differ", "[router][prices]") {
  const auto book = Book();
  std::set<std::string> versions;
  for (const PriceRow& row : book->rows()) versions.insert(row.version);
  CHECK(versions.size() == book->rows().size());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The collected list that ours was made from; empty where it is not at hand.
std::string SharedPrices() {
  const char* shared = std::getenv("LLM_SHARED");
  const std::filesystem::path folder =
      shared != nullptr ? std::filesystem::path(shared)
                        : std::filesystem::path(LLM_SOURCE_DIR) / "../shared";
  return ReadFile(folder / "providers" / "prices.json");
}

bool SameFigures(JsonValue a, JsonValue b) {
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (!a.is_array() && !a.is_object()) return a.raw() == b.raw();
  JsonValue x = a.First();
  JsonValue y = b.First();
  for (; x && y; x = x.Next(), y = y.Next()) {
    if (x.KeyEquals("excludes")) continue;
    if (x.Key() != y.Key() || !SameFigures(x, y)) return false;
  }
  return true;
}

TEST_CASE("Every figure of the collected list is in ours", "[router][prices]") {
  const std::string collected = SharedPrices();
  if (collected.empty()) {
    WARN("skipped: the shared folder is not here");
    return;
  }
  const auto theirs = JsonDocument::Parse(collected);
  const auto ours = JsonDocument::Parse(BuiltInPrices());
  REQUIRE(theirs.ok());
  REQUIRE(ours.ok());
  JsonValue row = ours->root().Find("rows").First();
  for (JsonValue model = theirs->root().Find("models").First(); model;
       model = model.Next(), row = row.Next()) {
    CAPTURE(model.Find("model").StringOr());
    for (JsonValue field = model.First(); field; field = field.Next()) {
      const std::string name = field.Key();
      if (name == "note") continue;
      CAPTURE(name);
      CHECK(SameFigures(field, row.Find(name)));
    }
  }
}

std::string ListOf(const std::string& row) {
  return R"({"schema_version": 1, "as_of": "2026-01-01", "rows": [)" + row +
         "]}";
}

TEST_CASE("A list with a fault is refused with its row and field",
          "[router][prices]") {
  const auto [row, where] = GENERATE(table<std::string, std::string>({
      {R"({"model": "m"})", "rows[0] m.provider: "},
      {R"({"provider": "p"})", "rows[0] .model: "},
      {R"({"provider": "p", "model": "m"})", "rows[0] m.currency: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"output": "1"}})",
       "rows[0] m.prices.input: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": "1"}})",
       "rows[0] m.prices.output: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": "1", "ouput": "1"}})",
       "rows[0] m.ouput: unknown field"},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": 1, "output": "1"}})",
       "rows[0] m.input: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": "0.0000001", "output": "1"}})",
       "rows[0] m.input: "},
      {R"({"provider": "p", "model": "m", "currency": "USD", "prise": 1,
           "prices": {"input": "1", "output": "1"}})",
       "rows[0] m.prise: unknown field"},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "effective_from": "yesterday",
           "prices": {"input": "1", "output": "1"}})",
       "rows[0] m.effective_from: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": "1", "output": "1"},
           "tiers": [{"input": "2"}]})",
       "rows[0] m.tiers.above_input_tokens: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": "1", "output": "1"},
           "time_windows": [{"timezone": "UTC", "days": ["monday"],
             "ranges": [["01:00", "02:00"]], "prices": {}}]})",
       "rows[0] m.time_windows.days: "},
      {R"({"provider": "p", "model": "m", "currency": "USD",
           "prices": {"input": "1", "output": "1"},
           "time_windows": [{"timezone": "UTC",
             "ranges": [["01:00", "25:00"]], "prices": {}}]})",
       "rows[0] m.time_windows.ranges: "},
  }));
  CAPTURE(row);
  const auto list = ParsePriceList(ListOf(row));
  REQUIRE_THAT(list, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(std::string(list.status().message()).rfind(where, 0) == 0);
}

TEST_CASE("A list of another kind is refused", "[router][prices]") {
  const std::string text = GENERATE(values<std::string>(
      {"", "[]", "{}", R"({"schema_version": 2})",
       R"({"schema_version": 1, "models": []})",
       R"({"schema_version": 1, "providers": {"p": {"modifiers":
          {"flex": "half"}}}})"}));
  CHECK_THAT(ParsePriceList(text), HasCode(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace llm
