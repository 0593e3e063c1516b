// A caller who leaves, at every stage: nothing further starts, and every row
// is written [TMO-2, TMO-3].
#include <catch2/catch.hpp>

#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

struct CancelFixture : RouterFixture {
  void CheckRows(size_t attempts) {
    CHECK(ledger.Rows<AttemptIntent>().size() == attempts);
    CHECK(ledger.Rows<AttemptRecord>().size() == attempts);
    REQUIRE(ledger.Rows<RequestRecord>().size() == 1);
    const auto request = ledger.Rows<RequestRecord>()[0];
    CHECK(request.outcome == "client_cancelled");
    CHECK(request.attempts == static_cast<int>(attempts));
    CHECK(admission.settled == 1);
    CHECK(observer.events.back() == "done client_cancelled");
  }
};

TEST_CASE_METHOD(CancelFixture, "Leaving while the provider is silent",
                 "[router][cancel][TMO-2]") {
  ScriptedAttempt slow = Answer("late", 1, 1);
  slow.delay = absl::Seconds(50);
  slow.usage = {};
  slow.usage_source = UsageSource::kNone;
  a->Play(slow);
  const CallResult result = Cancelled(Ask("auto", "hi"), nullptr,
                                      [&] { return a->calls().size() == 1; });
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kCancelled));
  CheckRows(1);
  CHECK(b->calls().empty());
  CHECK(ledger.Rows<AttemptRecord>()[0].outcome == "client_cancelled");
  CHECK(ledger.Rows<AttemptRecord>()[0].usage_source == UsageSource::kNone);
  CHECK(StateOf(health, "a/alpha-up", clock.Monotonic()) ==
        HealthState::kUnknown);
}

TEST_CASE_METHOD(CancelFixture, "A call that the service cuts is overloaded",
                 "[router][cancel][OPS-2]") {
  ScriptedAttempt slow = Answer("late", 1, 1);
  slow.delay = absl::Seconds(50);
  a->Play(slow);
  std::atomic<bool> stopping{false};
  context.service_stopping = &stopping;
  const bool cut = GENERATE(true, false);
  const CallResult result = Cancelled(Ask("auto", "hi"), nullptr, [&] {
    stopping = cut;
    return a->calls().size() == 1;
  });
  CHECK(CallErrorHttpStatus(result.status) == (cut ? 503 : 499));
  CHECK(ledger.Rows<RequestRecord>()[0].outcome ==
        (cut ? "overloaded" : "client_cancelled"));
  CHECK(b->calls().empty());
}

TEST_CASE_METHOD(CancelFixture, "Leaving in the middle of a stream",
                 "[router][cancel][TMO-3]") {
  ScriptedAttempt slow = Answer("abcdefghij", 1, 1);
  slow.usage = {};
  slow.usage_source = UsageSource::kNone;
  slow.end_delay = absl::Seconds(50);
  a->Play(slow);
  RecordingSink sink;
  const CallResult result = Cancelled(Ask("alpha", "hi"), &sink,
                                      [&] { return !sink.chunks.empty(); });
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kCancelled));
  CHECK(result.committed);
  CheckRows(1);
  const auto record = ledger.Rows<AttemptRecord>()[0];
  CHECK(record.usage_source == UsageSource::kEstimated);
  CHECK(record.usage.output == 3);
}

TEST_CASE_METHOD(CancelFixture, "Leaving while a retry waits",
                 "[router][cancel][retry]") {
  ScriptedAttempt limited = Failure(FailureClass::kRateLimited, 429);
  limited.retry_after = absl::Seconds(10);
  a->PlayForever(limited);
  const CallResult result = Cancelled(Ask("alpha", "hi"), nullptr,
                                      [&] { return clock.sleepers() == 1; });
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kCancelled));
  CHECK(a->calls().size() == 1);
  CheckRows(1);
  // Nothing followed after all.
  CHECK(ledger.Rows<AttemptRecord>()[0].next == "stop");
}

TEST_CASE_METHOD(RouterFixture,
                 "A deadline that ends a write to a slow caller is a timeout",
                 "[router][cancel][TMO-1]") {
  ScriptedAttempt late = Answer("hello", 1, 1);
  late.failure = FailureClass::kTimeout;
  a->Play(late);
  RecordingSink sink;
  sink.answer = absl::CancelledError("the deadline cancelled the write");
  const CallResult result = Stream(Ask("alpha", "hi"), sink);
  CHECK(result.status.code() != absl::StatusCode::kCancelled);
  CHECK(ledger.Rows<AttemptRecord>()[0].outcome == "timeout");
  CHECK(ledger.Rows<RequestRecord>()[0].outcome != "client_cancelled");
}

TEST_CASE_METHOD(CancelFixture, "A caller whose sink fails has left",
                 "[router][cancel]") {
  a->Play(Answer("hello", 1, 1));
  RecordingSink sink;
  sink.answer = absl::UnavailableError("gone");
  const CallResult result = Stream(Ask("auto", "hi"), sink);
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kCancelled));
  CheckRows(1);
  CHECK(b->calls().empty());
  CHECK(ledger.Rows<AttemptRecord>()[0].outcome == "client_cancelled");
}

// A ledger whose appends take a while, as a busy disk's do.
class SlowLedger : public UsageLedger {
 public:
  SlowLedger(const Clock& clock, MemoryLedger& kept)
      : clock_(clock), kept_(kept) {}
  Task<absl::Status> Append(std::vector<LedgerEntry> entries) override {
    ++waiting;
    const absl::Status woken =
        co_await clock_.SleepUntil(clock_.Monotonic() + absl::Seconds(1));
    --waiting;
    if (!woken.ok()) co_return woken;
    co_return co_await kept_.Append(std::move(entries));
  }
  int waiting = 0;

 private:
  const Clock& clock_;
  MemoryLedger& kept_;
};

TEST_CASE_METHOD(CancelFixture, "Leaving while a row is being written",
                 "[router][cancel][ledger]") {
  SlowLedger slow(clock, ledger);
  RouterParts parts;
  parts.table = std::make_shared<const RouteTable>(TestTable());
  auto provider = std::make_unique<ScriptedProvider>(clock);
  ScriptedProvider* called = provider.get();
  called->PlayForever(Answer("hello", 1, 1));
  parts.providers["a"] = std::move(provider);
  parts.clock = &clock;
  parts.random = &random;
  parts.ledger = &slow;
  parts.admission = &admission;
  parts.observer = &observer;
  parts.health = &health;
  parts.conversations = conversations.get();
  router = std::make_unique<Router>(std::move(parts));
  const CallResult result =
      Cancelled(Ask("alpha", "hi"), nullptr, [&] { return slow.waiting == 1; });
  // The intent was kept, so the attempt has its record although the call was
  // over before anything was sent or answered.
  CHECK(ledger.Rows<AttemptIntent>().size() ==
        ledger.Rows<AttemptRecord>().size());
  CHECK(ledger.Rows<RequestRecord>().size() == 1);
  CHECK_THAT(result.status, HasCode(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace llm
