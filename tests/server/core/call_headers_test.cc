#include "server/core/call_headers.h"

#include <catch2/catch.hpp>
#include <string>

#include "router/call_error.h"

namespace llm::server {
namespace {

TEST_CASE("A traceparent gives its trace id, anything else none",
          "[server][headers]") {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto [text, want] = GENERATE_COPY(table<std::string, std::string>({
      {"00-" + id + "-00f067aa0ba902b7-01", id},
      {"01-" + id + "-00f067aa0ba902b7-01-more", id},
      {"00-" + id + "-00f067aa0ba902b7-01-more", ""},
      {"01-" + id + "-00f067aa0ba902b7-01more", ""},
      {"00-" + id + "-0000000000000000-01", ""},
      {"ff-" + id + "-00f067aa0ba902b7-01", ""},
      {"00-" + std::string(32, '0') + "-00f067aa0ba902b7-01", ""},
      {"00-" + id + "-00f067aa0ba902b7", ""},
      {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ""},
      {id, ""},
      {"", ""},
  }));
  CAPTURE(text);
  CHECK(TraceIdOf(text) == want);
}

TEST_CASE("A caller's request id is kept if it can be echoed and logged",
          "[server][headers]") {
  const auto [id, kept] = GENERATE(table<std::string, bool>({
      {"mine", true},
      {"req-1_a.b:c/d|{e}", true},
      {std::string(128, 'x'), true},
      {std::string(129, 'x'), false},
      {"", false},
      {"two words", false},
      {"a\"b", false},
      {"a\\b", false},
      {"line\n", false},
      {"gr\u00fc\u00df", false},
  }));
  CAPTURE(id);
  CHECK(SaneRequestId(id) == (kept ? id : ""));
}

TEST_CASE("A timeout is positive, with a unit or in seconds",
          "[server][headers]") {
  CHECK(ParseCallerTimeout("90s").value() == absl::Seconds(90));
  CHECK(ParseCallerTimeout("1m30s").value() == absl::Seconds(90));
  CHECK(ParseCallerTimeout("250ms").value() == absl::Milliseconds(250));
  CHECK(ParseCallerTimeout("90").value() == absl::Seconds(90));
  CHECK(ParseCallerTimeout("1.5").value() == absl::Milliseconds(1500));
  for (const char* text :
       {"0", "-1", "-1s", "0s", "soon", "", "nan", "inf", "1e300"}) {
    CAPTURE(text);
    CHECK(ParseCallerTimeout(text).status().code() ==
          absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("Facts leave as headers only where they are known",
          "[server][headers]") {
  v1::ServiceInfo info;
  const auto bare = FactHeaders(info);
  REQUIRE(bare.size() == 2);
  CHECK(bare[0].first == "x-llm-attempts");
  CHECK(bare[0].second == "0");
  CHECK(bare[1].first == "x-llm-overhead-us");
  info.set_model("m\u00e9\n");
  info.mutable_cost()->set_amount("0.1");
  info.mutable_cost()->set_currency("CNY");
  const auto facts = FactHeaders(info);
  REQUIRE(facts.size() == 4);
  CHECK(facts[0].second == "m???");
  CHECK(facts[2].second == "0.1 CNY");
}

TEST_CASE("An idempotency key is short printable text or refused",
          "[server][headers]") {
  CHECK(ParseIdempotencyKey("").value().empty());
  CHECK(ParseIdempotencyKey("stainless-node-retry-7 x").value() ==
        "stainless-node-retry-7 x");
  for (const std::string& bad :
       {std::string(256, 'k'), std::string("a\nb"), std::string("\xc3\xa9")}) {
    const absl::Status refused = ParseIdempotencyKey(bad).status();
    CHECK(CallErrorDetail(refused).code() == "invalid_request");
    CHECK(CallErrorDetail(refused).param() == "Idempotency-Key");
  }
}

}  // namespace
}  // namespace llm::server
