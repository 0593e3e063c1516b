#include "server/ledger/open_calls.h"

#include <catch2/catch.hpp>

#include "tests/server/ledger/ledger_samples.h"

namespace llm::server {
namespace {

void ApplyAll(OpenCalls& calls, const std::vector<LedgerEntry>& entries) {
  for (const LedgerEntry& entry : entries) calls.Apply(entry);
}

TEST_CASE("A whole call leaves nothing open", "[ledger][lost]") {
  OpenCalls calls;
  ApplyAll(calls, SampleCall("1"));
  CHECK(calls.empty());
  CHECK(calls.LostRows().empty());
}

TEST_CASE("An intent without a record is a lost attempt and a lost request",
          "[ledger][lost]") {
  OpenCalls calls;
  calls.Apply(SampleIntent("r", "a"));
  const std::vector<LedgerEntry> lost = calls.LostRows();
  REQUIRE(lost.size() == 2);
  const auto& attempt = std::get<AttemptRecord>(lost[0]);
  CHECK(attempt.outcome == "lost");
  CHECK(attempt.intent.attempt_id == AttemptId{"a"});
  CHECK_FALSE(attempt.cost.has_value());
  const auto& request = std::get<RequestRecord>(lost[1]);
  CHECK(request.outcome == "lost");
  CHECK(request.unpriced);
  CHECK(request.attempts == 1);
  CHECK(request.identity.run_id == "run-7");
}

TEST_CASE("A lost request sums the attempts that are known", "[ledger][lost]") {
  OpenCalls calls;
  calls.Apply(SampleIntent("r", "a"));
  calls.Apply(SampleAttempt("r", "a"));
  calls.Apply(SampleIntent("r", "b"));
  calls.Apply(SampleAttempt("r", "b"));
  const std::vector<LedgerEntry> lost = calls.LostRows();
  REQUIRE(lost.size() == 1);
  const auto& request = std::get<RequestRecord>(lost[0]);
  CHECK(request.attempts == 2);
  CHECK(request.usage.fresh_input == 200);
  CHECK(request.cost == std::vector<Money>{{{"USD"}, 246'913'578}});
  CHECK_FALSE(request.unpriced);
  CHECK(request.duration == absl::Milliseconds(1500));
}

TEST_CASE("A record that comes after its request closes the call",
          "[ledger][lost]") {
  OpenCalls calls;
  calls.Apply(SampleIntent("r", "a"));
  calls.Apply(SampleRequest("r"));
  CHECK(calls.LostRows().size() == 1);
  calls.Apply(SampleAttempt("r", "a"));
  CHECK(calls.empty());
}

TEST_CASE("A probe has no request to lose", "[ledger][lost]") {
  const AttemptRole role = GENERATE(AttemptRole::kProbe, AttemptRole::kShadow);
  AttemptRecord record = SampleAttempt("r", "a");
  record.intent.role = role;
  OpenCalls calls;
  calls.Apply(record.intent);
  CHECK(calls.LostRows().size() == 1);
  calls.Apply(record);
  CHECK(calls.empty());
}

TEST_CASE("What is carried can be restored and ends by name",
          "[ledger][lost]") {
  OpenCalls calls;
  calls.Apply(SampleIntent("r", "a"));
  calls.Apply(SampleAttempt("r", "a"));
  calls.Apply(SampleIntent("r", "b"));
  const std::vector<OpenCalls::Carried> carried = calls.TakeChanged();
  REQUIRE(carried.size() == 1);
  CHECK(carried[0].request_id == "r");
  CHECK(calls.TakeChanged().empty());

  OpenCalls restored;
  restored.Restore(carried[0].entries);
  // Twice, as after a crash between carrying and removing the segment.
  restored.Apply(SampleIntent("r", "a"));
  CHECK(restored.LostRows().size() == 2);

  calls.Apply(SampleAttempt("r", "b"));
  CHECK(calls.TakeEnded().empty());
  calls.Apply(SampleRequest("r"));
  CHECK(calls.TakeEnded() == std::vector<std::string>{"r"});
}

}  // namespace
}  // namespace llm::server
