// Whole calls against scripted providers: rows, fallback, retries, limits.
#include <catch2/catch.hpp>

#include "adapters/core/json.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

TEST_CASE_METHOD(RouterFixture, "A whole answer carries who, why and how much",
                 "[router][call]") {
  a->Play(Answer("hello", 7, 2));
  const CallResult result = Unary(Ask("alpha", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  REQUIRE(result.response);
  CHECK(result.response->id() == "chatcmpl-" + context.call_id.value);
  CHECK(result.response->object() == "chat.completion");
  CHECK(result.response->model() == "alpha");
  CHECK(result.response->choices(0).message().parts(0).text().text() ==
        "hello");
  CHECK(result.response->usage().prompt_tokens() == 7);
  CHECK(result.response->usage().completion_tokens() == 2);
  const v1::ServiceInfo& info = result.response->llm_service();
  CHECK(info.request_id() == context.call_id.value);
  CHECK(info.model() == "alpha");
  CHECK(info.provider() == "a");
  CHECK(info.attempts() == 1);
  CHECK(info.usage_source() == "provider");
  CHECK_FALSE(info.has_cost());  // nobody has priced it
  CHECK(a->calls()[0].context.upstream_model.value == "alpha-up");
  CHECK(a->calls()[0].context.api_key.Reveal() == "a-key-0");
  CHECK_FALSE(a->calls()[0].context.stream);
  CHECK(admission.admitted == 1);
  CHECK(admission.settled == 1);
}

TEST_CASE_METHOD(RouterFixture, "The intent is kept before the dispatch",
                 "[router][ledger][LED-1]") {
  size_t appended = 0;
  a->on_call = [&] { appended = ledger.appends.size(); };
  a->Play(Answer("hello", 7, 2));
  Unary(Ask("alpha", "hi"));
  CHECK(appended == 1);
  REQUIRE(ledger.appends.size() == 2);
  REQUIRE(ledger.appends[0].size() == 1);
  const auto intents = ledger.Rows<AttemptIntent>();
  const auto records = ledger.Rows<AttemptRecord>();
  REQUIRE(intents.size() == 1);
  REQUIRE(records.size() == 1);
  CHECK(records[0].intent.attempt_id == intents[0].attempt_id);
  CHECK(intents[0].attempt_id.value.size() == 36);
  CHECK(records[0].outcome == "ok");
  CHECK(std::holds_alternative<AttemptRecord>(ledger.appends[1][0]));
  CHECK(std::holds_alternative<RequestRecord>(ledger.appends[1][1]));
}

TEST_CASE_METHOD(RouterFixture, "The rows are kept before the last chunk",
                 "[router][ledger][stream]") {
  a->Play(Answer("hello", 7, 2));
  RecordingSink sink;
  size_t requests_at_finish = 0;
  size_t requests_at_content = 9;
  sink.on_write = [&](const v1::ChatCompletionChunk& chunk) {
    const size_t kept = ledger.Rows<RequestRecord>().size();
    if (chunk.choices(0).finish_reason().empty()) {
      requests_at_content = kept;
    } else {
      requests_at_finish = kept;
    }
  };
  const CallResult result = Stream(Ask("alpha", "hi"), sink);
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.committed);
  CHECK(requests_at_content == 0);
  CHECK(requests_at_finish == 1);
  CHECK(sink.chunks.back().llm_service().provider() == "a");
  CHECK(ledger.Rows<RequestRecord>()[0].stream);
}

TEST_CASE_METHOD(RouterFixture, "A stream's headers name what was dropped",
                 "[router][stream][TRN-6]") {
  ScriptedAttempt failed = Failure(FailureClass::kBadAnswer, 200);
  failed.dropped = {"top_k"};
  a->Play(failed);
  ScriptedAttempt answer = Answer("hello", 7, 2);
  answer.dropped = {"seed"};
  b->Play(answer);
  RecordingSink sink;
  REQUIRE_THAT(Stream(Ask("auto", "hi"), sink).status, IsOk());
  REQUIRE(sink.known.dropped_size() == 1);
  CHECK(sink.known.dropped(0) == "seed");
  CHECK(sink.known.attempts() == 2);
}

TEST_CASE_METHOD(RouterFixture, "A failure falls back, one row per attempt",
                 "[router][fallback][LED-2][RTY-6]") {
  a->Play(Failure(FailureClass::kBadAnswer, 200));
  b->Play(Answer("saved", 5, 1));
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.info.provider() == "b");
  CHECK(result.info.attempts() == 2);
  // The failed record and the next intent are one append.
  REQUIRE(ledger.appends.size() == 3);
  REQUIRE(ledger.appends[1].size() == 2);
  const auto records = ledger.Rows<AttemptRecord>();
  REQUIRE(records.size() == 2);
  CHECK(records[0].outcome == "bad_answer");
  CHECK(records[0].next == "next_deployment");
  CHECK(records[0].usage_source == UsageSource::kNone);
  CHECK(records[1].intent.role == AttemptRole::kFallback);
  CHECK(records[1].intent.ordinal == 1);
  const auto request = ledger.Rows<RequestRecord>().at(0);
  CHECK(request.attempts == 2);
  CHECK(request.outcome == "ok");
  CHECK(request.public_model.value == "beta");
  // Both hops were given the caller's own request.
  CHECK(a->calls()[0].request == b->calls()[0].request);
  CHECK(observer.events ==
        std::vector<std::string>{
            "call", "attempt a/alpha-up", "finished bad_answer",
            "fallback a/alpha-up to b/beta-up", "attempt b/beta-up", "content",
            "finished ok", "done ok"});
}

TEST_CASE_METHOD(RouterFixture, "A whole answer falls back even in mid-answer",
                 "[router][fallback][gate]") {
  ScriptedAttempt cut = Failure(FailureClass::kIncomplete);
  cut.chunks = {TextChunk("half an ans")};
  a->Play(cut);
  b->Play(Answer("whole", 5, 1));
  const CallResult result = Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.response->choices(0).message().parts(0).text().text() ==
        "whole");
  // What was generated and lost is estimated, and marked so.
  const auto lost = ledger.Rows<AttemptRecord>().at(0);
  CHECK(lost.usage_source == UsageSource::kEstimated);
  CHECK(lost.usage.output == 4);
  CHECK(lost.usage.fresh_input == 1);
  CHECK(ledger.Rows<RequestRecord>()[0].usage_source ==
        UsageSource::kEstimated);
}

TEST_CASE_METHOD(RouterFixture, "A stream is never replayed after content",
                 "[router][stream][STR-6]") {
  ScriptedAttempt cut = Failure(FailureClass::kTransport);
  cut.chunks = {TextChunk("half")};
  a->Play(cut);
  RecordingSink sink;
  const CallResult result = Stream(Ask("auto", "hi"), sink);
  CHECK(result.committed);
  CHECK(CodeOf(result) == "provider_unavailable");
  CHECK(b->calls().empty());
  CHECK(sink.Text() == "half");
  // No clean end [STR-4].
  for (const auto& chunk : sink.chunks) {
    CHECK(chunk.choices(0).finish_reason().empty());
  }
  CHECK(ledger.Rows<AttemptRecord>().at(0).outcome == "incomplete");
}

TEST_CASE_METHOD(RouterFixture, "A stream falls back before content",
                 "[router][stream][STR-5][STR-6]") {
  ScriptedAttempt empty = Failure(FailureClass::kEmptyAnswer, 200);
  empty.chunks = {FinishChunk("stop")};
  a->Play(empty);
  b->Play(Answer("saved", 5, 1));
  RecordingSink sink;
  const CallResult result = Stream(Ask("auto", "hi"), sink);
  REQUIRE_THAT(result.status, IsOk());
  CHECK(sink.Text() == "saved");
  CHECK(sink.chunks[0].model() == "beta");
  CHECK(sink.chunks.size() == 2);
}

TEST_CASE_METHOD(RouterFixture, "A passing failure is retried after a wait",
                 "[router][retry]") {
  a->Play(Failure(FailureClass::kServerError, 500)).Play(Answer("ok", 1, 1));
  const Instant start = clock.Monotonic();
  const CallResult result = Unary(Ask("alpha", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  REQUIRE(a->calls().size() == 2);
  CHECK(a->calls()[1].at - start == absl::Milliseconds(187.5));
  const auto records = ledger.Rows<AttemptRecord>();
  CHECK(records[0].next == "retry");
  CHECK(records[1].intent.role == AttemptRole::kRetry);
  // Waiting is not overhead.
  CHECK(observer.overhead == absl::ZeroDuration());
}

TEST_CASE_METHOD(RouterFixture, "A short Retry-After is waited for",
                 "[router][retry]") {
  ScriptedAttempt limited = Failure(FailureClass::kRateLimited, 429);
  limited.retry_after = absl::Seconds(3);
  a->Play(limited).Play(Answer("ok", 1, 1));
  const Instant start = clock.Monotonic();
  REQUIRE_THAT(Unary(Ask("alpha", "hi")).status, IsOk());
  CHECK(a->calls()[1].at - start == absl::Seconds(3.375));  // spread
}

TEST_CASE_METHOD(RouterFixture, "A long Retry-After is passed on",
                 "[router][retry][RTY-4]") {
  ScriptedAttempt limited = Failure(FailureClass::kRateLimited, 429);
  limited.retry_after = absl::Seconds(60);
  a->PlayForever(limited);
  const CallResult result = Unary(Ask("alpha", "hi"));
  CHECK(CodeOf(result) == "provider_rate_limited");
  CHECK(CallErrorDetail(result.status).retry_after_s() == 60);
  CHECK(a->calls().size() == 1);
}

TEST_CASE("At most max_attempts calls are made", "[router][retry][RTY-1]") {
  const auto failure = GENERATE(
      FailureClass::kRateLimited, FailureClass::kServerError,
      FailureClass::kConnect, FailureClass::kBadKey, FailureClass::kIncomplete,
      FailureClass::kTimeout, FailureClass::kEmptyAnswer);
  const int max_attempts = GENERATE(1, 2, 3, 4);
  RouteTable table = TestTable();
  table.policy.max_attempts = max_attempts;
  for (auto& [id, provider] : table.providers) {
    provider.api_keys.emplace_back("second");
    provider.api_keys.emplace_back("third");
  }
  RouterFixture fixture(std::move(table));
  fixture.a->PlayForever(Failure(failure));
  fixture.b->PlayForever(Failure(failure));
  const CallResult result = fixture.Unary(Ask("twin", "hi"));
  CAPTURE(FailureClassName(failure), max_attempts);
  CHECK_FALSE(result.status.ok());
  const size_t calls = fixture.a->calls().size() + fixture.b->calls().size();
  CHECK(calls <= static_cast<size_t>(max_attempts));
  CHECK(calls >= static_cast<size_t>(std::min(max_attempts, 2)));
  CHECK(fixture.ledger.Rows<AttemptIntent>().size() == calls);
  CHECK(fixture.ledger.Rows<AttemptRecord>().size() == calls);
  CHECK(fixture.ledger.Rows<RequestRecord>().size() == 1);
  CHECK(CallErrorDetail(result.status).no_retry());
}

TEST_CASE("A provider with all its places taken is passed over",
          "[router][limits]") {
  RouteTable table = TestTable();
  table.providers["a"].max_in_flight = 2;
  table.providers["b"].max_in_flight = 1;
  table.providers["a"].max_queue = 0;
  RouterFixture fixture(std::move(table));
  fixture.a->PlayForever(Answer("from a", 1, 1));
  fixture.b->PlayForever(Answer("from b", 1, 1));
  InFlightBoard& board = fixture.health.in_flight();
  int during = 0;
  fixture.a->on_call = [&] { during = board.InFlight("a"); };
  // Other loops' attempts.
  std::optional<InFlightBoard::Lease> first = board.Take("a", 2);
  CHECK(fixture.Unary(Ask("auto", "hi")).info.provider() == "a");
  CHECK(during == 2);
  CHECK(board.InFlight("a") == 1);
  std::optional<InFlightBoard::Lease> second = board.Take("a", 2);
  CHECK_FALSE(board.Take("a", 2));
  const CallResult passed = fixture.Unary(Ask("auto", "hi"));
  CHECK(passed.info.provider() == "b");
  CHECK(passed.info.attempts() == 1);
  CHECK(fixture.ledger.Rows<AttemptIntent>()[1].role == AttemptRole::kPrimary);
  // With nobody left, the caller is told when to come back.
  const CallResult refused = fixture.Unary(Ask("alpha", "hi"));
  CHECK(CodeOf(refused) == "overloaded");
  CHECK(CallErrorHttpStatus(refused.status) == 503);
  CHECK(CallErrorDetail(refused.status).retry_after_s() == 1);
  CHECK(refused.info.attempts() == 0);
  CHECK(fixture.ledger.Rows<AttemptIntent>().size() == 2);
  CHECK(fixture.ledger.Rows<RequestRecord>().size() == 3);
  first.reset();
  CHECK_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
}

TEST_CASE("A full provider is passed over after a failure too",
          "[router][limits]") {
  RouteTable table = TestTable();
  table.providers["b"].max_in_flight = 1;
  table.providers["b"].max_queue = 0;
  RouterFixture fixture(std::move(table));
  fixture.a->Play(Failure(FailureClass::kBadAnswer, 200));
  const auto taken = fixture.health.in_flight().Take("b", 1);
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  CHECK(CodeOf(result) == "provider_unavailable");
  CHECK(fixture.b->calls().empty());
  const auto records = fixture.ledger.Rows<AttemptRecord>();
  REQUIRE(records.size() == 1);
  CHECK(records[0].next == "stop");
}

TEST_CASE_METHOD(RouterFixture, "Attempts that time out one by one are a 502",
                 "[router][deadline][errors]") {
  a->PlayForever(Failure(FailureClass::kTimeout));
  b->PlayForever(Failure(FailureClass::kTimeout));
  const CallResult result = Unary(Ask("auto", "hi"));
  CHECK(CodeOf(result) == "provider_unavailable");
  CHECK(CallErrorHttpStatus(result.status) == 502);
}

TEST_CASE("A refused key gives way to the next key", "[router][retry][keys]") {
  RouteTable table = TestTable();
  table.providers["a"].api_keys.emplace_back("a-key-1");
  RouterFixture fixture(std::move(table));
  fixture.a->Play(Failure(FailureClass::kBadKey, 401)).Play(Answer("ok", 1, 1));
  REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
  REQUIRE(fixture.a->calls().size() == 2);
  CHECK(fixture.a->calls()[0].context.api_key.Reveal() !=
        fixture.a->calls()[1].context.api_key.Reveal());
  CHECK(fixture.ledger.Rows<AttemptRecord>()[0].next == "next_key");
  // The next call does not try the refused one again.
  const std::string good = fixture.a->calls()[1].context.api_key.Reveal();
  for (int i = 0; i < 3; ++i) {
    fixture.a->Play(Answer("ok", 1, 1));
    REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
    CHECK(fixture.a->calls().back().context.api_key.Reveal() == good);
  }
}

TEST_CASE("A refused key is not tried again through another model",
          "[router][fallback][keys]") {
  RouteTable table = TestTable();
  AddModel(&table, "gamma", {MakeDeployment("a", "gamma-up")});
  table.tasks["general"].primary.push_back(ModelId{"gamma"});
  RouterFixture fixture(std::move(table));
  fixture.a->PlayForever(Failure(FailureClass::kBadKey, 401));
  fixture.b->Play(Answer("ok", 1, 1));
  const CallResult result = fixture.Unary(Ask("auto", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(fixture.a->calls().size() == 1);
  CHECK(result.info.attempts() == 2);
}

TEST_CASE_METHOD(RouterFixture, "A refused request stops at once",
                 "[router][retry]") {
  a->Play(Failure(FailureClass::kInvalidRequest, 422));
  const CallResult result = Unary(Ask("auto", "hi"));
  CHECK(CodeOf(result) == "provider_rejected");
  CHECK(CallErrorHttpStatus(result.status) == 422);
  CHECK(b->calls().empty());
  CHECK(ledger.Rows<RequestRecord>()[0].http_status == 422);
}

TEST_CASE_METHOD(RouterFixture, "A strict refusal is no attempt",
                 "[router][strict]") {
  ScriptedAttempt refusal = Failure(FailureClass::kUnsupported);
  refusal.dispatched = false;
  refusal.param = "seed";
  a->PlayForever(refusal);
  SECTION("another deployment takes it") {
    b->Play(Answer("ok", 1, 1));
    const CallResult result = Unary(Ask("auto", "hi"));
    REQUIRE_THAT(result.status, IsOk());
    CHECK(result.info.provider() == "b");
    CHECK(result.info.attempts() == 1);
    const auto records = ledger.Rows<AttemptRecord>();
    REQUIRE(records.size() == 2);  // one per intent
    CHECK(records[0].outcome == "not_dispatched");
    CHECK(records[0].next == "next_deployment");
    CHECK(records[1].intent.ordinal == 1);
    CHECK(ledger.Rows<RequestRecord>()[0].attempts == 1);
  }
  SECTION("nobody takes it") {
    b->PlayForever(refusal);
    const CallResult result = Unary(Ask("auto", "hi"));
    CHECK(CallErrorHttpStatus(result.status) == 400);
    const v1::UpstreamError detail = CallErrorDetail(result.status);
    CHECK(detail.code() == "invalid_request");
    CHECK(detail.source() == "client");
    CHECK(detail.param() == "seed");
    CHECK(detail.attempts() == 0);
    CHECK(ledger.Rows<AttemptIntent>().size() == 2);
    CHECK(ledger.Rows<AttemptRecord>().size() == 2);
  }
  SECTION("who was asked decides the error") {
    b->PlayForever(Failure(FailureClass::kRateLimited, 429));
    CHECK(CodeOf(Unary(Ask("auto", "hi"))) == "provider_rate_limited");
  }
  CHECK(StateOf(health, "a/alpha-up", clock.Monotonic()) ==
        HealthState::kUnknown);
}

TEST_CASE("A strict refusal leaves the attempts to the others",
          "[router][strict][RTY-1]") {
  RouteTable table = TestTable();
  table.policy.max_attempts = 1;
  RouterFixture fixture(std::move(table));
  ScriptedAttempt refusal = Failure(FailureClass::kUnsupported);
  refusal.dispatched = false;
  fixture.a->Play(refusal);
  fixture.b->Play(Answer("ok", 1, 1));
  CHECK_THAT(fixture.Unary(Ask("auto", "hi")).status, IsOk());
}

TEST_CASE_METHOD(RouterFixture, "A dead kept-alive connection is no failure",
                 "[router][retry]") {
  ScriptedAttempt stale = Failure(FailureClass::kTransport);
  stale.stale_connection = true;
  a->Play(stale).Play(Answer("ok", 1, 1));
  const Instant start = clock.Monotonic();
  REQUIRE_THAT(Unary(Ask("alpha", "hi")).status, IsOk());
  CHECK(clock.Monotonic() == start);  // no wait
  CHECK(ledger.Rows<AttemptRecord>().size() == 2);
  CHECK(StateOf(health, "a/alpha-up", start) == HealthState::kHealthy);
}

TEST_CASE_METHOD(RouterFixture, "A second dead connection is a failure",
                 "[router][retry]") {
  ScriptedAttempt stale = Failure(FailureClass::kTransport);
  stale.stale_connection = true;
  a->Play(stale).Play(stale).Play(Answer("ok", 1, 1));
  const Instant start = clock.Monotonic();
  REQUIRE_THAT(Unary(Ask("alpha", "hi")).status, IsOk());
  REQUIRE(a->calls().size() == 3);
  CHECK_FALSE(a->calls()[0].context.fresh_connection);
  CHECK(a->calls()[1].context.fresh_connection);
  CHECK(a->calls()[1].at == start);
  // From here on as after any broken connection.
  CHECK(a->calls()[2].at > start);
  CHECK_FALSE(a->calls()[2].context.fresh_connection);
}

TEST_CASE_METHOD(RouterFixture, "A call has one free repeat, not each target",
                 "[router][retry][health]") {
  ScriptedAttempt stale = Failure(FailureClass::kTransport);
  stale.stale_connection = true;
  a->Play(stale).Play(Failure(FailureClass::kBadAnswer));
  b->Play(stale).Play(Answer("ok", 1, 1));
  const Instant start = clock.Monotonic();
  REQUIRE_THAT(Unary(Ask("auto", "hi")).status, IsOk());
  REQUIRE(b->calls().size() == 2);
  CHECK(b->calls()[1].at > start);
}

TEST_CASE("A rate limit is its key's while another key is left",
          "[router][retry][keys][RTY-5]") {
  RouteTable table = TestTable();
  table.providers["a"].api_keys.emplace_back("a-key-1");
  RouterFixture fixture(std::move(table));
  ScriptedAttempt limited = Failure(FailureClass::kRateLimited, 429);
  limited.retry_after = absl::Seconds(40);
  fixture.a->Play(limited).Play(Answer("ok", 1, 1));
  const Instant start = fixture.clock.Monotonic();
  bool cooled = false;
  fixture.a->on_call = [&] {
    if (BackAt(fixture.health, "a/alpha-up", start)) cooled = true;
  };
  REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
  CHECK_FALSE(cooled);
  fixture.a->on_call = nullptr;
  const std::string good = fixture.a->calls()[1].context.api_key.Reveal();
  // The limited key rests for as long as it asked.
  fixture.clock.Advance(absl::Seconds(39));
  for (int i = 0; i < 3; ++i) {
    fixture.a->Play(Answer("ok", 1, 1));
    REQUIRE_THAT(fixture.Unary(Ask("alpha", "hi")).status, IsOk());
    CHECK(fixture.a->calls().back().context.api_key.Reveal() == good);
  }
  // With the other one limited too, the deployment is out until the first
  // key is back.
  limited.retry_after = absl::Seconds(60);
  fixture.a->PlayForever(limited);
  fixture.Unary(Ask("alpha", "hi"));
  CHECK(BackAt(fixture.health, "a/alpha-up", fixture.clock.Monotonic()) ==
        start + absl::Seconds(40));
}

TEST_CASE("Coming back waits for what is left of Retry-After",
          "[router][retry]") {
  RouterFixture fixture;
  ScriptedAttempt limited = Failure(FailureClass::kRateLimited, 429);
  limited.retry_after = absl::Seconds(8);
  fixture.a->Play(limited).Play(Answer("ok", 1, 1));
  ScriptedAttempt slow = Failure(FailureClass::kBadAnswer);
  slow.delay = absl::Seconds(5);
  fixture.b->Play(slow);
  const Instant start = fixture.clock.Monotonic();
  REQUIRE_THAT(fixture.Unary(Ask("auto", "hi")).status, IsOk());
  REQUIRE(fixture.a->calls().size() == 2);
  CHECK(fixture.a->calls()[1].at - start == absl::Seconds(8.375));  // spread
}

TEST_CASE("A key that is set aside is not the other key",
          "[router][retry][keys]") {
  RouteTable table = TestTable();
  table.providers["a"].api_keys.emplace_back("a-key-1");
  RouterFixture fixture(std::move(table));
  const Instant now = fixture.clock.Monotonic();
  fixture.health.ReportKey("a", ApiKey("a-key-1"),
                           {FailureClass::kBadKey, std::nullopt, now, now});
  fixture.a->PlayForever(Failure(FailureClass::kPermission, 403));
  fixture.b->Play(Answer("ok", 1, 1));
  REQUIRE_THAT(fixture.Unary(Ask("auto", "hi")).status, IsOk());
  CHECK(fixture.a->calls().size() == 1);
}

TEST_CASE_METHOD(RouterFixture, "The caller's deadline is never exceeded",
                 "[router][deadline][RTY-1]") {
  ScriptedAttempt slow = Answer("late", 1, 1);
  slow.delay = absl::Seconds(50);
  a->PlayForever(slow);
  b->PlayForever(slow);
  const Instant start = clock.Monotonic();
  context.deadline = start + absl::Seconds(10);
  auto request = Ask("auto", "hi");
  SECTION("from the door") {}
  SECTION("an earlier one from the request") {
    context.deadline = start + absl::Seconds(90);
    request.mutable_timeout()->set_seconds(10);
  }
  const CallResult result = Unary(request);
  CHECK(CodeOf(result) == "timeout");
  CHECK(CallErrorHttpStatus(result.status) == 504);
  CHECK(clock.Monotonic() - start == absl::Seconds(10));
  CHECK(a->calls()[0].context.deadlines.total == start + absl::Seconds(10));
  // Whose fault it was is not known, so nobody's health suffers.
  CHECK(StateOf(health, "a/alpha-up", clock.Monotonic()) ==
        HealthState::kUnknown);
}

TEST_CASE_METHOD(RouterFixture, "No wait ends after the deadline",
                 "[router][deadline][retry]") {
  ScriptedAttempt limited = Failure(FailureClass::kRateLimited, 429);
  limited.retry_after = absl::Seconds(5);
  a->PlayForever(limited);
  const Instant start = clock.Monotonic();
  context.deadline = start + absl::Seconds(4);
  CHECK(CodeOf(Unary(Ask("alpha", "hi"))) == "provider_rate_limited");
  CHECK(clock.Monotonic() == start);
}

TEST_CASE_METHOD(RouterFixture, "A call whose deadline is over goes nowhere",
                 "[router][deadline]") {
  context.deadline = clock.Monotonic();
  CHECK(CodeOf(Unary(Ask("alpha", "hi"))) == "timeout");
  CHECK(a->calls().empty());
  CHECK(ledger.Rows<RequestRecord>().size() == 1);
  CHECK(admission.settled == 1);
}

TEST_CASE("A reasoning model may think until the total", "[router][deadline]") {
  RouteTable table = TestTable();
  table.models["alpha"].traits.reasoning = true;
  table.providers["a"].timeouts.idle = absl::Seconds(33);  // configured
  RouterFixture fixture(std::move(table));
  fixture.a->Play(Answer("ok", 1, 1));
  fixture.b->Play(Answer("ok", 1, 1));
  fixture.Unary(Ask("alpha", "hi"));
  fixture.Unary(Ask("beta", "hi"));
  const auto& thinking = fixture.a->calls()[0].context.deadlines;
  CHECK(thinking.first_content == absl::Seconds(900));
  CHECK(thinking.idle == absl::Seconds(33));
  CHECK(fixture.b->calls()[0].context.deadlines.first_content ==
        absl::Seconds(120));
}

TEST_CASE_METHOD(RouterFixture, "A full journal refuses instead of dropping",
                 "[router][ledger][LED-4]") {
  a->PlayForever(Answer("hello", 1, 1));
  SECTION("before the dispatch") {
    ledger.capacity = 0;
    const CallResult result = Unary(Ask("alpha", "hi"));
    CHECK(CodeOf(result) == "overloaded");
    CHECK(CallErrorDetail(result.status).has_retry_after_s());
    CHECK(a->calls().empty());
  }
  SECTION("before the answer") {
    ledger.capacity = 1;
    const CallResult result = Unary(Ask("alpha", "hi"));
    CHECK(CodeOf(result) == "overloaded");
    CHECK_FALSE(result.response);
  }
  CHECK(admission.settled == 1);
}

TEST_CASE_METHOD(RouterFixture, "A refused call has its row but no attempt",
                 "[router][ledger]") {
  CHECK(CodeOf(Unary(Ask("nobody", "hi"))) == "model_not_found");
  admission.answer = RefuseCall(absl::StatusCode::kResourceExhausted,
                                "budget_exceeded", "used up");
  CHECK(CodeOf(Unary(Ask("alpha", "hi"))) == "budget_exceeded");
  const auto rows = ledger.Rows<RequestRecord>();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].outcome == "model_not_found");
  CHECK(rows[0].http_status == 404);
  CHECK(rows[1].outcome == "budget_exceeded");
  CHECK(ledger.Rows<AttemptIntent>().empty());
  CHECK(admission.settled == 0);
}

TEST_CASE_METHOD(RouterFixture, "Budget spent on reasoning is a warned 200",
                 "[router][call][STR-7]") {
  ScriptedAttempt spent = Answer("", 3, 100);
  spent.chunks = {ReasoningChunk("hmm"), FinishChunk("length")};
  spent.reasoning_exhausted = true;
  a->Play(spent);
  const CallResult result = Unary(Ask("alpha", "hi"));
  REQUIRE_THAT(result.status, IsOk());
  CHECK(result.response->choices(0).finish_reason() == "length");
  CHECK(result.info.warning() == "reasoning_exhausted_output");
}

TEST_CASE_METHOD(RouterFixture, "Missing usage is estimated and marked",
                 "[router][usage][COST-8]") {
  ScriptedAttempt silent = Answer("abcdefghij", 0, 0);
  silent.usage = {};
  silent.usage_source = UsageSource::kNone;
  a->Play(silent);
  const CallResult result = Unary(Ask("alpha", "0123456789"));
  CHECK(result.info.usage_source() == "estimated");
  CHECK(result.response->usage().prompt_tokens() == 3);
  CHECK(result.response->usage().completion_tokens() == 3);
}

TEST_CASE_METHOD(RouterFixture, "Dropped fields and the task are reported",
                 "[router][call]") {
  ScriptedAttempt attempt = Answer("x", 1, 1);
  attempt.dropped = {"seed"};
  a->Play(attempt);
  auto request = Ask("auto", "hi");
  (*request.mutable_metadata())["run_id"] = "run-7";
  (*request.mutable_metadata())["symbol"] = "AAPL";
  (*request.mutable_metadata())["agent"] = "not this one";
  request.set_user("end");
  context.path_agent = "trader";
  context.client_request_id = "mine-7";
  const CallResult result = Unary(request);
  CHECK(result.info.dropped(0) == "seed");
  CHECK(result.info.task_type() == "general");
  const CallIdentity identity = ledger.Rows<RequestRecord>()[0].identity;
  CHECK(identity.run_id == "run-7");
  CHECK(identity.agent == "trader");
  CHECK(identity.symbol == "AAPL");
  CHECK(identity.end_user == "end");
  CHECK(identity.client_request_id == "mine-7");
  CHECK(identity.task_source == "default");
}

TEST_CASE_METHOD(RouterFixture, "A tag from metadata is cut between characters",
                 "[router][call]") {
  a->Play(Answer("x", 1, 1));
  auto request = Ask("auto", "hi");
  (*request.mutable_metadata())["run_id"] =
      std::string(255, 'r') + "\u00e9" + std::string(500, 'r');
  CHECK(Unary(request).status.ok());
  const std::string run = ledger.Rows<RequestRecord>()[0].identity.run_id;
  CHECK(run == std::string(255, 'r') + "\ufffd");
}

TEST_CASE_METHOD(RouterFixture, "A run stays where it was answered",
                 "[router][sticky]") {
  a->Play(Failure(FailureClass::kBadAnswer));
  b->PlayForever(Answer("ok", 1, 1));
  a->PlayForever(Answer("ok", 1, 1));
  auto request = Ask("auto", "hi");
  request.set_run_id("run-1");
  CHECK(Unary(request).info.provider() == "b");
  CHECK(Unary(request).info.provider() == "b");
  request.set_run_id("run-2");
  CHECK(Unary(request).info.provider() == "a");
  request.set_run_id("run-1");
  context.caller.tenant = "key_2";
  CHECK(Unary(request).info.provider() == "a");
}

TEST_CASE("A run's quick and deep questions keep their own models",
          "[router][sticky]") {
  RouteTable table = TestTable();
  for (const char* name : {"auto-quick", "auto-deep"}) {
    TaskRoute task;
    task.id = name;
    task.primary = {ModelId{"alpha"}};
    task.fallback = {ModelId{"beta"}};
    table.tasks[name] = task;
  }
  std::swap(table.tasks["auto-deep"].primary,
            table.tasks["auto-deep"].fallback);
  RouterFixture fixture(std::move(table));
  fixture.a->PlayForever(Answer("quick", 1, 1));
  fixture.b->PlayForever(Answer("deep", 1, 1));
  auto quick = Ask("auto-quick", "hi");
  auto deep = Ask("auto-deep", "hi");
  SECTION("by the model's name") {}
  SECTION("by the task's") {
    quick = Ask("auto", "hi");
    quick.set_task_type("auto-quick");
    deep = Ask("auto", "hi");
    (*deep.mutable_metadata())["task_type"] = "auto-deep";
  }
  quick.set_run_id("run-1");
  deep.set_run_id("run-1");
  for (int i = 0; i < 2; ++i) {
    CHECK(fixture.Unary(quick).info.model() == "alpha");
    CHECK(fixture.Unary(deep).info.model() == "beta");
  }
}

TEST_CASE_METHOD(RouterFixture, "Answered tool calls lead back to their model",
                 "[router][sticky]") {
  a->Play(Failure(FailureClass::kBadAnswer));
  ScriptedAttempt calls = Answer("", 1, 1);
  calls.chunks = {ToolChunk(0, "call_x", "f", "{}"), FinishChunk("stop")};
  b->Play(calls);
  RecordingSink sink;
  REQUIRE_THAT(Stream(Ask("auto", "hi"), sink).status, IsOk());
  a->PlayForever(Answer("from a", 1, 1));
  b->PlayForever(Answer("from b", 1, 1));
  auto next = Ask("auto", "hi");
  v1::Message* tool = next.add_messages();
  tool->set_role("tool");
  tool->set_tool_call_id("call_x");
  CHECK(Unary(next).info.provider() == "b");
  tool->set_tool_call_id("call_other");
  CHECK(Unary(next).info.provider() == "a");
}

TEST_CASE_METHOD(RouterFixture, "Explain chooses as Chat would, silently",
                 "[router][plan]") {
  const ChatRequest request{Ask("auto", "hi"), {}};
  const auto plan = router->Explain(context, request);
  REQUIRE_THAT(plan, IsOk());
  CHECK(plan->targets[0].deployment->id == "a/alpha-up");
  CHECK_FALSE(plan->reason.empty());
  CHECK(a->calls().empty());
  CHECK(ledger.appends.empty());
}

TEST_CASE_METHOD(RouterFixture, "A request's metadata is recorded, bounded",
                 "[router][ledger]") {
  a->Play(Answer("ok", 1, 1));
  v1::ChatCompletionRequest request = Ask("alpha", "hi");
  auto& metadata = *request.mutable_metadata();
  metadata["symbol"] = "6\"0";
  metadata["bad"] = "x\xFF";
  metadata[std::string(65, 'n')] = "the name is too long";
  SECTION("few") {
    Unary(request);
    CHECK(ledger.Rows<RequestRecord>()[0].metadata_json ==
          "{\"bad\":\"x\xEF\xBF\xBD\",\"symbol\":\"6\\\"0\"}");
  }
  SECTION("many and long") {
    for (int i = 0; i < 40; ++i) {
      metadata["k" + std::to_string(i)] = std::string(5000, 'v');
    }
    Unary(request);
    const auto json = ledger.Rows<RequestRecord>()[0].metadata_json;
    const auto doc = JsonDocument::Parse(json);
    REQUIRE(doc.ok());
    CHECK(doc->root().size() == 16);
    CHECK(json.size() < 16 * 2200);
  }
}

}  // namespace
}  // namespace llm
