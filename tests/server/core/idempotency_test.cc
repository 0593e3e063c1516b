// One key, one upstream call: in flight, finished, left, too large, evicted.
#include "server/core/idempotency.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "adapters/core/system_clock.h"
#include "router/call_error.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

namespace asio = boost::asio;

class TextSink : public ChunkSink {
 public:
  void OnReplay() override { replay = true; }
  void OnCommit(const v1::ServiceInfo& known) override {
    committed_by = known.model();
  }
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    text += chunk.id();
    co_return status;
  }
  std::string text;
  std::string committed_by;
  bool replay = false;
  absl::Status status;
};

v1::ChatCompletionChunk Chunk(std::string text) {
  v1::ChatCompletionChunk chunk;
  chunk.set_id(std::move(text));
  return chunk;
}

// One request of a caller, and what came of it.
struct Caller {
  CallContext context;
  ChatRequest request;
  TextSink sink;
  asio::cancellation_signal leave;
  std::optional<CallResult> result;

  std::string Code() const { return CallErrorDetail(result->status).code(); }
};

struct StoreFixture {
  explicit StoreFixture(IdempotencyLimits limits = {}) : store(clock, limits) {}

  // What a router would do: `chunks` with a moment between them, then
  // `status`. One sleep each, on the fake clock.
  Task<CallResult> Play(const CallContext& context, const ChatRequest&,
                        ChunkSink* sink) {
    ++calls;
    CallResult result;
    result.info.set_request_id(context.call_id.value);
    result.info.set_attempts(1);
    for (const std::string& text : chunks) {
      result.status =
          co_await clock.SleepUntil(clock.Monotonic() + absl::Seconds(1));
      if (!result.status.ok()) break;
      if (sink == nullptr) continue;
      v1::ServiceInfo known;
      known.set_model("m");
      sink->OnCommit(known);
      result.committed = true;
      result.status = co_await sink->Write(Chunk(text));
      if (!result.status.ok()) break;
    }
    ++ended;
    if (!result.status.ok()) {
      result.status =
          RefuseCall(absl::StatusCode::kCancelled, "client_cancelled", "left");
      co_return result;
    }
    result.status = status;
    if (sink == nullptr && status.ok()) {
      result.response.emplace();
      for (const std::string& text : chunks) {
        result.response->mutable_id()->append(text);
      }
    }
    co_return result;
  }

  std::unique_ptr<Caller> Ask(std::string key, bool stream = true,
                              std::string tenant = "key_1",
                              std::string model = "m") {
    auto caller = std::make_unique<Caller>();
    caller->context.call_id.value = "call-" + std::to_string(++asked);
    caller->context.caller.tenant = std::move(tenant);
    caller->context.idempotency_key = std::move(key);
    caller->request.message.set_model(std::move(model));
    Send(caller.get(), stream);
    return caller;
  }
  void Send(Caller* caller, bool stream) {
    SharedCall::Chat chat = [this](const CallContext& c, const ChatRequest& r,
                                   ChunkSink* s) { return Play(c, r, s); };
    asio::co_spawn(io, Run(caller, stream, std::move(chat)),
                   asio::bind_cancellation_slot(caller->leave.slot(),
                                                [](std::exception_ptr) {}));
    Poll();
  }
  Task<void> Run(Caller* caller, bool stream, SharedCall::Chat chat) {
    co_await asio::this_coro::throw_if_cancelled(false);
    caller->result =
        co_await store.Chat(caller->context, caller->request,
                            stream ? &caller->sink : nullptr, std::move(chat));
  }
  void Leave(Caller* caller) {
    caller->leave.emit(asio::cancellation_type::terminal);
    Poll();
  }
  void Poll() {
    io.restart();
    io.poll();
  }
  void Advance(absl::Duration by) {
    clock.Advance(by);
    Poll();
  }
  void Finish() {
    for (size_t i = 0; i < chunks.size() + 1; ++i) Advance(absl::Seconds(1));
  }

  asio::io_context io;
  FakeClock clock;
  IdempotencyStore store;
  std::vector<std::string> chunks = {"one ", "two ", "three"};
  absl::Status status;
  int asked = 0;
  int calls = 0;
  int ended = 0;
};

TEST_CASE_METHOD(StoreFixture, "A key in flight is joined, not called again",
                 "[server][idempotency][RTY-1]") {
  const auto first = Ask("k");
  Advance(absl::Seconds(1));
  const auto second = Ask("k");
  CHECK(second->sink.text == "one ");
  CHECK(second->sink.replay);
  CHECK(second->sink.committed_by == "m");
  CHECK_FALSE(first->sink.replay);
  Finish();
  CHECK(calls == 1);
  for (const Caller* caller : {first.get(), second.get()}) {
    REQUIRE(caller->result);
    CHECK_THAT(caller->result->status, IsOk());
    CHECK(caller->sink.text == "one two three");
    CHECK(caller->result->info.request_id() == "call-1");
  }
  CHECK_FALSE(first->result->replayed);
  CHECK(second->result->replayed);
}

TEST_CASE_METHOD(StoreFixture, "A finished answer is kept for ten minutes",
                 "[server][idempotency][RTY-1]") {
  const bool stream = GENERATE(true, false);
  const auto first = Ask("k", stream);
  Finish();
  Advance(absl::Minutes(9));
  const auto again = Ask("k", stream);
  REQUIRE(again->result);
  CHECK(again->result->replayed);
  if (stream) {
    CHECK(again->sink.text == "one two three");
  } else {
    CHECK(again->result->response->id() == "one two three");
  }
  CHECK(calls == 1);
  Advance(absl::Minutes(2));
  const auto later = Ask("k", stream);
  CHECK(calls == 2);
  Finish();
  CHECK_FALSE(later->result->replayed);
}

TEST_CASE_METHOD(StoreFixture, "Tenants and keys do not meet",
                 "[server][idempotency][SEC-2]") {
  const auto a = Ask("k", true, "key_1");
  const auto b = Ask("k", true, "key_2");
  const auto c = Ask("k2", true, "key_1");
  Finish();
  CHECK(calls == 3);
  CHECK_FALSE(b->result->replayed);
}

TEST_CASE_METHOD(StoreFixture, "A key with another request is refused",
                 "[server][idempotency]") {
  const auto first = Ask("k");
  const auto other = Ask("k", true, "key_1", "other");
  const auto whole = Ask("k", false);
  for (const Caller* caller : {other.get(), whole.get()}) {
    REQUIRE(caller->result);
    CHECK(caller->Code() == "invalid_request");
    const auto detail = CallErrorDetail(caller->result->status);
    CHECK(detail.param() == "Idempotency-Key");
    CHECK(CallErrorHttpStatus(caller->result->status) == 400);
  }
  // A retry with another deadline or priority is the same request.
  auto retry = std::make_unique<Caller>();
  retry->context = first->context;
  retry->request = first->request;
  retry->request.message.mutable_timeout()->set_seconds(5);
  retry->request.message.set_priority("high");
  Send(retry.get(), true);
  Finish();
  CHECK(retry->result->replayed);
  CHECK(calls == 1);
}

TEST_CASE_METHOD(StoreFixture, "The call goes on for those who still wait",
                 "[server][idempotency][TMO-2]") {
  const auto first = Ask("k");
  const auto second = Ask("k");
  Advance(absl::Seconds(1));
  Leave(first.get());
  REQUIRE(first->result);
  CHECK(first->Code() == "client_cancelled");
  Finish();
  CHECK_THAT(second->result->status, IsOk());
  CHECK(second->sink.text == "one two three");
  CHECK(calls == 1);
}

TEST_CASE_METHOD(StoreFixture, "Who leaves and retries meets the same call",
                 "[server][idempotency][RTY-1]") {
  const bool stream = GENERATE(true, false);
  const auto first = Ask("k", stream);
  const auto second = Ask("k", stream);
  Advance(absl::Seconds(1));
  Leave(first.get());
  CHECK(store.alone() == 0);
  Leave(second.get());
  REQUIRE(second->result);
  CHECK(second->Code() == "client_cancelled");
  CHECK(store.alone() == 1);
  // While it is under way, and when it is over.
  const bool early = GENERATE(true, false);
  if (!early) Finish();
  const auto retry = Ask("k", stream);
  if (early) CHECK(store.alone() == 0);
  Finish();
  CHECK(calls == 1);
  CHECK(store.alone() == 0);
  REQUIRE(retry->result);
  CHECK_THAT(retry->result->status, IsOk());
  CHECK(retry->result->replayed);
  CHECK(retry->result->info.request_id() == "call-1");
  if (stream) CHECK(retry->sink.text == "one two three");
}

TEST_CASE_METHOD(StoreFixture, "Who leaves its own call is in the call's row",
                 "[server][idempotency][MET-1]") {
  const auto first = Ask("k");
  const auto second = Ask("k");
  Leave(first.get());
  // Not empty, which would mean that no router saw it.
  CHECK(first->result->info.request_id() == "call-1");
  CHECK_FALSE(first->result->replayed);
  Leave(second.get());
  CHECK(second->result->info.request_id().empty());
  CHECK(second->result->replayed);
  Finish();
}

TEST_CASE("A call is alone for a limited time", "[server][idempotency]") {
  IdempotencyLimits limits;
  limits.alone = absl::Seconds(5);
  StoreFixture f(limits);
  f.chunks.assign(20, "x");
  const auto first = f.Ask("k");
  f.Leave(first.get());
  // Whoever comes in time starts the limit anew.
  for (int i = 0; i < 4; ++i) f.Advance(absl::Seconds(1));
  const auto visitor = f.Ask("k");
  f.Advance(absl::Seconds(3));
  f.Leave(visitor.get());
  CHECK(f.ended == 0);
  for (int i = 0; i < 4; ++i) f.Advance(absl::Seconds(1));
  CHECK(f.ended == 0);
  f.Advance(absl::Seconds(1));
  CHECK(f.ended == 1);
  CHECK(f.store.alone() == 0);
  // What was cut short is no answer to keep.
  const auto later = f.Ask("k");
  CHECK(f.calls == 2);
  f.Finish();
}

TEST_CASE_METHOD(StoreFixture, "The end of the service ends a call left alone",
                 "[server][idempotency][OPS-2]") {
  const auto left = Ask("k");
  const auto waits = Ask("other");
  Leave(left.get());
  store.CutAlone();
  Poll();
  CHECK(ended == 1);
  CHECK(store.alone() == 0);
  CHECK_FALSE(waits->result);
  Finish();
  CHECK_THAT(waits->result->status, IsOk());
}

TEST_CASE_METHOD(StoreFixture, "A last reader whom the service cuts off waits",
                 "[server][idempotency][OPS-2]") {
  std::atomic<bool> stopping{true};
  auto caller = std::make_unique<Caller>();
  caller->context.idempotency_key = "k";
  caller->context.service_stopping = &stopping;
  Send(caller.get(), true);
  Leave(caller.get());
  // It has ended, and its rows are written, before its last caller returns.
  CHECK(ended == 1);
  REQUIRE(caller->result);
  CHECK(store.alone() == 0);
}

// A call that ends with its caller's deadline, as a router's does.
struct DeadlineFixture : StoreFixture {
  std::unique_ptr<Caller> AskUntil(absl::Duration from_now) {
    auto caller = std::make_unique<Caller>();
    caller->context.call_id.value = "call-" + std::to_string(++asked);
    caller->context.idempotency_key = "k";
    caller->context.deadline = clock.Monotonic() + from_now;
    SharedCall::Chat chat = [this](const CallContext& c, const ChatRequest& r,
                                   ChunkSink* s) { return Timed(c, r, s); };
    asio::co_spawn(io, Run(caller.get(), true, std::move(chat)),
                   asio::bind_cancellation_slot(caller->leave.slot(),
                                                [](std::exception_ptr) {}));
    Poll();
    return caller;
  }
  Task<CallResult> Timed(const CallContext& context, const ChatRequest& request,
                         ChunkSink* sink) {
    const Instant ready = clock.Monotonic() + absl::Seconds(10);
    if (context.deadline >= ready) {
      (void)co_await clock.SleepUntil(ready);
      co_return co_await Play(context, request, sink);
    }
    ++calls;
    (void)co_await clock.SleepUntil(context.deadline);
    CallResult late;
    late.info.set_attempts(1);
    late.status =
        RefuseCall(absl::StatusCode::kDeadlineExceeded, "timeout", "late");
    co_return late;
  }
};

TEST_CASE_METHOD(DeadlineFixture,
                 "Who has more time than the first caller calls anew",
                 "[server][idempotency][TMO-1]") {
  const auto hasty = AskUntil(absl::Seconds(2));
  const auto patient = AskUntil(absl::Minutes(5));
  const auto another = AskUntil(absl::Minutes(5));
  Advance(absl::Seconds(2));
  REQUIRE(hasty->result);
  CHECK(hasty->Code() == "timeout");
  CHECK_FALSE(patient->result);
  Advance(absl::Seconds(10));
  Finish();
  CHECK(calls == 2);
  for (const Caller* caller : {patient.get(), another.get()}) {
    REQUIRE(caller->result);
    CHECK_THAT(caller->result->status, IsOk());
    CHECK(caller->sink.text == "one two three");
    // One of them is now the first.
    CHECK(caller->result->replayed == caller->sink.replay);
  }
  CHECK(patient->result->replayed != another->result->replayed);
}

TEST_CASE_METHOD(StoreFixture, "What a retry may heal is not kept",
                 "[server][idempotency][RTY-1]") {
  const auto [code, kept] = GENERATE(table<std::string, bool>({
      {"overloaded", false},
      {"provider_unavailable", false},
      {"provider_rate_limited", false},
      {"timeout", false},
      {"model_not_found", false},
      {"provider_rejected", true},
      {"content_filter", true},
  }));
  CAPTURE(code);
  status = RefuseCall(absl::StatusCode::kUnavailable, code, "no");
  const auto first = Ask("k", false);
  const auto waiting = Ask("k", false);
  Finish();
  CHECK(first->Code() == code);
  CHECK(waiting->Code() == code);
  CHECK(calls == 1);
  const auto retry = Ask("k", false);
  Finish();
  CHECK(calls == (kept ? 1 : 2));
  CHECK(retry->result->replayed == kept);
}

TEST_CASE_METHOD(StoreFixture, "A stream that broke after content is kept so",
                 "[server][idempotency]") {
  status =
      RefuseCall(absl::StatusCode::kUnavailable, "provider_unavailable", "cut");
  const auto first = Ask("k");
  Finish();
  CHECK(first->result->committed);
  const auto again = Ask("k");
  CHECK(calls == 1);
  CHECK(again->Code() == "provider_unavailable");
  CHECK(again->sink.text == "one two three");
}

struct SmallFixture : StoreFixture {
  SmallFixture() : StoreFixture({absl::Minutes(10), 10'000, 1'000}) {}
};

TEST_CASE_METHOD(SmallFixture, "An answer too large to keep is a conflict",
                 "[server][idempotency]") {
  const bool stream = GENERATE(true, false);
  chunks = {std::string(700, 'a'), std::string(700, 'b'), "end"};
  const auto first = Ask("k", stream);
  const auto early = Ask("k", stream);
  Finish();
  for (const Caller* caller : {first.get(), early.get()}) {
    CHECK_THAT(caller->result->status, IsOk());
    if (stream) CHECK(caller->sink.text.size() == 1403);
  }
  const auto late = Ask("k", stream);
  REQUIRE(late->result);
  CHECK(late->Code() == "idempotency_conflict");
  CHECK(CallErrorHttpStatus(late->result->status) == 409);
  // An SDK that retries on 409 by itself must not.
  CHECK(CallErrorDetail(late->result->status).no_retry());
  CHECK(calls == 1);
}

TEST_CASE_METHOD(SmallFixture, "A call too large to keep needs a caller",
                 "[server][idempotency]") {
  chunks = {std::string(700, 'a'), std::string(700, 'b'), "c", "end"};
  const auto first = Ask("k");
  Advance(absl::Seconds(1));
  SECTION("who leaves when it is too large ends it") {
    Advance(absl::Seconds(1));
    first->leave.emit(asio::cancellation_type::terminal);
    Poll();
    CHECK(ended == 1);
  }
  SECTION("left alone before, it ends when it becomes so") {
    first->leave.emit(asio::cancellation_type::terminal);
    Poll();
    CHECK(ended == 0);
    CHECK(store.alone() == 1);
    Advance(absl::Seconds(1));
    CHECK(ended == 1);
  }
  CHECK(store.alone() == 0);
  // It is not made again.
  const auto retry = Ask("k");
  REQUIRE(retry->result);
  CHECK(retry->Code() == "idempotency_conflict");
  CHECK(calls == 1);
}

TEST_CASE_METHOD(SmallFixture, "Whoever holds most gives way first",
                 "[server][idempotency]") {
  chunks = {std::string(900, 'a')};
  const auto modest = Ask("mine", true, "modest");
  Finish();
  std::vector<std::unique_ptr<Caller>> greedy;
  for (int i = 0; i < 20; ++i) {
    greedy.push_back(Ask("k" + std::to_string(i), true, "greedy"));
    Finish();
  }
  CHECK(store.bytes() <= 10'000);
  CHECK(Ask("mine", true, "modest")->result->replayed);
  CHECK(Ask("k19", true, "greedy")->result->replayed);
  const int before = calls;
  const auto evicted = Ask("k0", true, "greedy");
  CHECK(calls == before + 1);
  Finish();
}

TEST_CASE_METHOD(StoreFixture, "A waiter keeps its own deadline",
                 "[server][idempotency][TMO-1]") {
  chunks = {std::string("slow"), std::string("er")};
  const auto first = Ask("k");
  auto hasty = std::make_unique<Caller>();
  hasty->context = first->context;
  hasty->context.deadline = clock.Monotonic() + absl::Milliseconds(500);
  hasty->request = first->request;
  Send(hasty.get(), true);
  Advance(absl::Milliseconds(500));
  REQUIRE(hasty->result);
  CHECK(hasty->Code() == "timeout");
  Finish();
  CHECK_THAT(first->result->status, IsOk());
}

TEST_CASE("Readers on many loops get the same answer whole",
          "[server][idempotency][threads]") {
  constexpr int kLoops = 3;
  constexpr int kRounds = 40;
  constexpr int kReaders = 6;
  const SystemClock clock;
  // So small that some recordings are cut while they are read.
  IdempotencyStore store(clock, {absl::Minutes(10), 1 << 20, 600});
  std::atomic<int> calls{0};
  std::atomic<int> whole{0};
  std::atomic<int> refused{0};
  std::atomic<int> left{0};
  const auto play = [&](const CallContext&, const ChatRequest&,
                        ChunkSink* sink) -> Task<CallResult> {
    ++calls;
    CallResult result;
    for (int i = 0; i < 50 && result.status.ok(); ++i) {
      (void)co_await clock.SleepUntil(clock.Monotonic());
      result.status = co_await sink->Write(Chunk("0123456789"));
    }
    result.committed = true;
    co_return result;
  };
  const auto read = [&](int round) -> Task<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    CallContext context;
    context.idempotency_key = "k" + std::to_string(round);
    const ChatRequest request;
    TextSink sink;
    SharedCall::Chat chat = play;
    const CallResult result =
        co_await store.Chat(context, request, &sink, std::move(chat));
    if (result.status.ok()) {
      whole += sink.text.size() == 500 ? 1 : 0;
    } else if (CallErrorDetail(result.status).code() ==
               "idempotency_conflict") {
      ++refused;
    } else {
      ++left;
    }
  };
  std::vector<std::unique_ptr<asio::io_context>> loops;
  for (int i = 0; i < kLoops; ++i) {
    loops.push_back(std::make_unique<asio::io_context>(1));
  }
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
  for (int i = 0; i < kRounds * kReaders; ++i) {
    asio::io_context& loop = *loops[static_cast<size_t>(i % kLoops)];
    signals.push_back(std::make_unique<asio::cancellation_signal>());
    asio::co_spawn(loop, read(i / kReaders),
                   asio::bind_cancellation_slot(signals.back()->slot(),
                                                [](std::exception_ptr) {}));
    if (i % 7 == 0) {
      asio::post(loop, [signal = signals.back().get()] {
        signal->emit(asio::cancellation_type::terminal);
      });
    }
  }
  std::vector<std::thread> threads;
  for (const auto& loop : loops) {
    threads.emplace_back([&loop] { loop->run(); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(whole + refused + left == kRounds * kReaders);
  CHECK(whole > 0);
  CHECK(calls >= kRounds);
}

}  // namespace
}  // namespace llm::server
