#include "server/ledger/usage_query.h"

#include <catch2/catch.hpp>

#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

TEST_CASE("Report times are RFC 3339 or dates", "[ledger][usage]") {
  const auto [text, want] = GENERATE(table<std::string, int64_t>({
      {"1970-01-02", 86'400},
      {"1970-01-01T01:00:00Z", 3'600},
      {"1970-01-01T01:00:00+01:00", 0},
      {"2026-11-22T10:00:00.5Z", 1'795'341'600},
  }));
  CAPTURE(text);
  const absl::StatusOr<absl::Time> time = ParseReportTime(text);
  REQUIRE_THAT(time, IsOk());
  CHECK(absl::ToUnixSeconds(*time) == want);
}

TEST_CASE("What is not a time is refused", "[ledger][usage]") {
  const std::string text =
      GENERATE("yesterday", "infinite-future", "infinite-past", " 2026-01-01",
               "2026-01-01 ", "2026-13-01", "2026-02-30", "-026-01-01",
               "2026-01-01T10:00:00", "2026-01-01T25:00:00Z", "1700000000");
  CAPTURE(text);
  CHECK_THAT(ParseReportTime(text),
             HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_CASE("A query that makes no sense names its field", "[ledger][usage]") {
  v1::GetUsageRequest request;
  std::string field;
  SECTION("by") {
    request.add_by("colour");
    field = "by";
  }
  SECTION("filter") {
    (*request.mutable_filter())["colour"] = "red";
    field = "filter";
  }
  SECTION("from") {
    request.set_from("soon");
    field = "from";
  }
  SECTION("order") {
    request.set_from("2026-02-01");
    request.set_to("2026-01-01");
    field = "from";
  }
  const auto query = ParseUsageQuery(request, {});
  CHECK_THAT(query, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(std::string(query.status().message()).rfind(field + ":", 0) == 0);
}

TEST_CASE("A group named twice counts once", "[ledger][usage]") {
  v1::GetUsageRequest request;
  request.add_by("model");
  request.add_by("day");
  request.add_by("model");
  const auto query = ParseUsageQuery(request, {});
  REQUIRE_THAT(query, IsOk());
  CHECK(query->by == std::vector<UsageKey>{UsageKey::kModel, UsageKey::kDay});
}

}  // namespace
}  // namespace llm::server
