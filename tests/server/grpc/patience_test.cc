// Readers that take nothing, and callers whom the end of the service cuts off.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "adapters/core/random.h"
#include "adapters/simulated/simulated_provider.h"
#include "router/admission.h"
#include "router/health_board.h"
#include "tests/server/grpc/grpc_fixture.h"
#include "tests/support/memory_ledger.h"
#include "tests/support/recording_observer.h"

namespace llm::server {
namespace {

using Code = grpc::StatusCode;

// Only a hang takes this long.
constexpr std::chrono::seconds kHang{60};

GrpcServerOptions Impatient() {
  GrpcServerOptions options;
  options.limits.write = absl::Milliseconds(100);
  options.limits.sweep = absl::Milliseconds(10);
  return options;
}

// A client that grows no window, so that a little fills it.
grpc::ChannelArguments NarrowClient() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return arguments;
}

// How the chat ended: the status of its last write, and who ended it.
struct End {
  absl::StatusCode code;
  bool stopping;
};

// Writes until a write fails. `result` is what the gateway would make of it.
FakeChatService::ChatBody WriteForEver(std::promise<End>& ended,
                                       absl::Status result) {
  return [&ended, result](const CallContext& call, const ChatRequest&,
                          ChunkSink* sink) -> Task<CallResult> {
    absl::Status written;
    while (written.ok()) {
      written = co_await sink->Write(TextChunk(std::string(64 << 10, 'x')));
    }
    ended.set_value({written.code(), *call.service_stopping});
    CallResult answer;
    answer.status = result;
    co_return answer;
  };
}

// Waits to be cancelled and tells of it as the router does.
FakeChatService::ChatBody UntilCut(GrpcFixture& fixture,
                                   std::promise<void>& started) {
  return [&](const CallContext& call, const ChatRequest&,
             ChunkSink* sink) -> Task<CallResult> {
    CallResult answer;
    if (sink != nullptr) (void)co_await sink->Write(TextChunk("a"));
    started.set_value();
    answer.status = co_await fixture.clock.SleepUntil(Instant::Never());
    if (*call.service_stopping) {
      answer.status = RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                                 "The service is shutting down");
    }
    co_return answer;
  };
}

template <typename Reader>
grpc::Status ReadToEnd(Reader& reader) {
  v1::ChatCompletionChunk chunk;
  while (reader->Read(&chunk)) {
  }
  return reader->Finish();
}

TEST_CASE("A reader that takes nothing is broken off and its work cancelled",
          "[server][grpc][patience][PRF-3]") {
  GrpcFixture fixture(Impatient(), NarrowClient());
  std::promise<End> ended;
  fixture.service.chat =
      WriteForEver(ended, absl::CancelledError("the caller left"));
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  auto end = ended.get_future();
  REQUIRE(end.wait_for(kHang) == std::future_status::ready);
  const End how = end.get();
  CHECK(how.code == absl::StatusCode::kCancelled);
  CHECK_FALSE(how.stopping);
  CHECK(ReadToEnd(reader).error_code() == Code::CANCELLED);
}

// A chat whose answer is never read, as long as this lives.
class AskedWithoutReading {
 public:
  explicit AskedWithoutReading(GrpcFixture& fixture)
      : stub_(fixture.channel), context_(GrpcFixture::Context()) {
    call_ = stub_.PrepareCall(context_.get(),
                              "/llm.v1.LlmService/ChatCompletion", &queue_);
    call_->StartCall(nullptr);
    Next();
    const grpc::Slice bytes(UserRequest().SerializeAsString());
    call_->WriteLast(grpc::ByteBuffer(&bytes, 1), {}, nullptr);
    Next();
  }
  ~AskedWithoutReading() {
    context_->TryCancel();
    grpc::Status ignored;
    call_->Finish(&ignored, nullptr);
    Next();
  }

 private:
  void Next() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

TEST_CASE("A whole answer that nobody takes is broken off as well",
          "[server][grpc][patience][PRF-3]") {
  GrpcFixture fixture(Impatient(), NarrowClient());
  std::promise<void> answered;
  fixture.service.chat = [&](const CallContext&, const ChatRequest&,
                             ChunkSink*) -> Task<CallResult> {
    answered.set_value();
    co_return TextAnswer(std::string(900 << 10, 'x'));
  };
  const AskedWithoutReading asked(fixture);
  answered.get_future().wait();
  // A drain waits for every call that gRPC still holds.
  auto drained = std::async(std::launch::async, [&] {
    fixture.server->Shutdown(2 * absl::FromChrono(kHang));
  });
  CHECK(drained.wait_for(kHang) == std::future_status::ready);
}

// A router of the simulated provider alone; model "auto" is its.
struct SimulatedRouter {
  explicit SimulatedRouter(const Clock& clock)
      : conversations(MakeMemoryConversationState(clock, 10, absl::Hours(1))),
        admission(MakeOpenAdmission()) {
    RouteTable table;
    ProviderSettings settings;
    settings.id.value = "simulated";
    table.providers["simulated"] = settings;
    PublicModel model;
    model.id.value = "simulated";
    model.deployments.emplace_back();
    model.deployments[0].id = "simulated/s";
    model.deployments[0].provider = settings.id;
    model.deployments[0].upstream_model.value = "s";
    table.models["simulated"] = model;
    table.model_order = {"simulated"};
    RouterParts parts;
    parts.table = std::make_shared<const RouteTable>(std::move(table));
    parts.providers["simulated"] = MakeSimulatedProvider(settings, clock);
    parts.clock = &clock;
    parts.random = &random;
    parts.ledger = &ledger;
    parts.admission = admission.get();
    parts.observer = &observer;
    parts.health = &health;
    parts.conversations = conversations.get();
    router = std::make_unique<Router>(std::move(parts));
  }

  SystemRandom random;
  MemoryLedger ledger;
  RecordingObserver observer;
  HealthBoard health;
  std::unique_ptr<ConversationState> conversations;
  std::unique_ptr<Admission> admission;
  std::unique_ptr<Router> router;
};

TEST_CASE("The simulated provider's reader is no exception, and has its row",
          "[server][grpc][patience][PRF-3]") {
  GrpcFixture fixture(Impatient(), NarrowClient());
  SimulatedRouter simulated(fixture.clock);
  std::promise<absl::Status> ended;
  fixture.service.chat = [&](const CallContext& call,
                             const ChatRequest& request,
                             ChunkSink* sink) -> Task<CallResult> {
    CallResult result = co_await simulated.router->Chat(call, request, sink);
    ended.set_value(result.status);
    co_return result;
  };
  v1::ChatCompletionRequest request = UserRequest();
  request.set_model("simulated");
  request.set_n(128);  // some hundred kilobytes
  auto context = GrpcFixture::Context();
  auto reader = fixture.stub->StreamChatCompletion(context.get(), request);
  auto end = ended.get_future();
  REQUIRE(end.wait_for(kHang) == std::future_status::ready);
  CHECK(CallErrorDetail(end.get()).code() == "client_cancelled");
  const auto rows = simulated.ledger.Rows<RequestRecord>();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].outcome == "client_cancelled");
  REQUIRE(simulated.ledger.Rows<AttemptRecord>().size() == 1);
  CHECK(ReadToEnd(reader).error_code() == Code::CANCELLED);
}

TEST_CASE("Calls that outlive the drain are told so",
          "[server][grpc][drain][OPS-2]") {
  GrpcFixture fixture;
  std::promise<void> started;
  fixture.service.chat = UntilCut(fixture, started);
  auto context = GrpcFixture::Context();
  grpc::Status status;
  SECTION("a stream, after what it has said") {
    auto reader =
        fixture.stub->StreamChatCompletion(context.get(), UserRequest());
    started.get_future().wait();
    fixture.server->Shutdown(absl::ZeroDuration());
    v1::ChatCompletionChunk chunk;
    CHECK(reader->Read(&chunk));
    status = ReadToEnd(reader);
  }
  SECTION("a whole answer") {
    auto asked = std::async(std::launch::async, [&] {
      v1::ChatCompletionResponse response;
      return fixture.stub->ChatCompletion(context.get(), UserRequest(),
                                          &response);
    });
    started.get_future().wait();
    fixture.server->Shutdown(absl::ZeroDuration());
    status = asked.get();
  }
  CHECK(status.error_code() == Code::UNAVAILABLE);
  CHECK(DetailOf(status).code() == "overloaded");
}

TEST_CASE("A report that the drain cuts off is told so too",
          "[server][grpc][drain][OPS-2]") {
  GrpcFixture fixture;
  std::promise<void> started;
  fixture.service.before_usage = [&]() -> Task<absl::Status> {
    started.set_value();
    co_return co_await fixture.clock.SleepUntil(Instant::Never());
  };
  auto asked = std::async(std::launch::async, [&] {
    auto context = GrpcFixture::Context();
    v1::GetUsageResponse response;
    return fixture.stub->GetUsage(context.get(), {}, &response);
  });
  started.get_future().wait();
  fixture.server->Shutdown(absl::ZeroDuration());
  const grpc::Status status = asked.get();
  CHECK(status.error_code() == Code::UNAVAILABLE);
  CHECK(DetailOf(status).code() == "overloaded");
}

TEST_CASE("A slow reader whom the drain cuts off has the farewell to catch up",
          "[server][grpc][drain][OPS-2]") {
  const bool reads = GENERATE(true, false);
  CAPTURE(reads);
  GrpcServerOptions options;
  options.limits.sweep = absl::Milliseconds(10);
  options.limits.farewell = reads ? absl::Minutes(1) : absl::Milliseconds(50);
  GrpcFixture fixture(options, NarrowClient());
  std::promise<End> ended;
  fixture.service.chat = WriteForEver(
      ended, RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                        "The service is shutting down"));
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  reader->WaitForInitialMetadata();
  std::thread closing([&] { fixture.server->Shutdown(absl::ZeroDuration()); });
  auto end = ended.get_future();
  const bool over = end.wait_for(kHang) == std::future_status::ready;
  if (!reads) closing.join();
  const grpc::Status status = ReadToEnd(reader);
  if (reads) closing.join();
  REQUIRE(over);
  CHECK(end.get().stopping);
  CHECK_FALSE(status.ok());
  // Without the farewell only gRPC's own words are left.
  CHECK(status.error_details().empty() != reads);
}

TEST_CASE("A hurried drain does not wait for a whole answer to be taken",
          "[server][grpc][drain][OPS-2]") {
  GrpcServerOptions options;
  options.limits.sweep = absl::Milliseconds(10);
  options.limits.farewell = absl::Milliseconds(50);
  options.limits.write = absl::Hours(1);
  GrpcFixture fixture(options, NarrowClient());
  std::promise<void> answered;
  fixture.service.chat = [&](const CallContext&, const ChatRequest&,
                             ChunkSink*) -> Task<CallResult> {
    answered.set_value();
    co_return TextAnswer(std::string(900 << 10, 'x'));
  };
  const AskedWithoutReading asked(fixture);
  answered.get_future().wait();
  auto closing = std::async(std::launch::async, [&] {
    return fixture.server->Shutdown(absl::Hours(1));
  });
  fixture.server->Hurry();
  const bool over = closing.wait_for(kHang) == std::future_status::ready;
  CHECK(over);
}

TEST_CASE("A hurried drain does not wait for a reader that takes nothing",
          "[server][grpc][drain][OPS-2]") {
  GrpcServerOptions options;
  options.limits.sweep = absl::Milliseconds(10);
  options.limits.farewell = absl::Milliseconds(50);
  GrpcFixture fixture(options, NarrowClient());
  std::promise<End> ended;
  fixture.service.chat = WriteForEver(
      ended, RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                        "The service is shutting down"));
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  reader->WaitForInitialMetadata();
  // An hour for calls to end, were it not for the hurry.
  auto closing = std::async(std::launch::async, [&] {
    return fixture.server->Shutdown(absl::Hours(1));
  });
  fixture.server->Hurry();
  CHECK(closing.wait_for(kHang) == std::future_status::ready);
  CHECK_FALSE(ReadToEnd(reader).ok());
}

}  // namespace
}  // namespace llm::server
