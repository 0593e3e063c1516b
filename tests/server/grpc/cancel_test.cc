// Callers that leave, read slowly, or meet the end of the server.
#include <future>
#include <string>
#include <thread>

#include "tests/server/grpc/grpc_fixture.h"

namespace llm::server {
namespace {

// Waits for a cancellation and tells how the wait ended.
class Hanging {
 public:
  void Install(GrpcFixture& fixture, bool write_first) {
    fixture.service.chat = [this, &fixture, write_first](
                               const CallContext&, const ChatRequest&,
                               ChunkSink* sink) -> Task<CallResult> {
      CallResult result;
      if (write_first) result.status = co_await sink->Write(TextChunk("a"));
      started_.set_value();
      result.status = co_await fixture.clock.SleepUntil(Instant::Never());
      // Code after a cancel still runs: rows are written here.
      ended_.set_value(result.status.code());
      co_return result;
    };
  }
  void AwaitStart() { started_.get_future().wait(); }
  absl::StatusCode AwaitEnd() { return ended_.get_future().get(); }

 private:
  std::promise<void> started_;
  std::promise<absl::StatusCode> ended_;
};

TEST_CASE("A caller that cancels mid-stream cancels the call's work",
          "[server][grpc][cancel][TMO-2]") {
  GrpcFixture fixture;
  Hanging hanging;
  hanging.Install(fixture, true);
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  v1::ChatCompletionChunk chunk;
  REQUIRE(reader->Read(&chunk));
  hanging.AwaitStart();
  context->TryCancel();
  CHECK(hanging.AwaitEnd() == absl::StatusCode::kCancelled);
  CHECK_FALSE(reader->Read(&chunk));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
}

TEST_CASE("A caller that cancels a unary call cancels its work",
          "[server][grpc][cancel][TMO-2]") {
  GrpcFixture fixture;
  Hanging hanging;
  hanging.Install(fixture, false);
  auto context = GrpcFixture::Context();
  auto status = std::async(std::launch::async, [&] {
    v1::ChatCompletionResponse response;
    return fixture.stub->ChatCompletion(context.get(), UserRequest(),
                                        &response);
  });
  hanging.AwaitStart();
  context->TryCancel();
  CHECK(hanging.AwaitEnd() == absl::StatusCode::kCancelled);
  CHECK(status.get().error_code() == grpc::StatusCode::CANCELLED);
}

TEST_CASE("A deadline that passes at the client ends the work here",
          "[server][grpc][deadline][TMO-2]") {
  GrpcFixture fixture;
  Hanging hanging;
  hanging.Install(fixture, false);
  auto context = GrpcFixture::Context();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::milliseconds(100));
  v1::ChatCompletionResponse response;
  const grpc::Status status =
      fixture.stub->ChatCompletion(context.get(), UserRequest(), &response);
  CHECK(status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(hanging.AwaitEnd() == absl::StatusCode::kCancelled);
}

TEST_CASE("A write that nobody reads ends when its caller leaves",
          "[server][grpc][cancel][stream]") {
  GrpcFixture fixture;
  std::promise<absl::StatusCode> ended;
  fixture.service.chat = [&](const CallContext&, const ChatRequest&,
                             ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    // Far beyond any flow-control window: one of these writes blocks.
    while (result.status.ok()) {
      result.status =
          co_await sink->Write(TextChunk(std::string(1 << 20, 'x')));
    }
    // Every further write fails as well, at once.
    const absl::Status again = co_await sink->Write(TextChunk("y"));
    ended.set_value(again.code());
    co_return result;
  };
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  v1::ChatCompletionChunk chunk;
  REQUIRE(reader->Read(&chunk));
  context->TryCancel();
  CHECK(ended.get_future().get() == absl::StatusCode::kCancelled);
}

TEST_CASE("A call whose own cancel overtakes a blocked write still ends",
          "[server][grpc][cancel][stream]") {
  GrpcFixture fixture;
  std::promise<absl::StatusCode> ended;
  fixture.service.chat = [&](const CallContext&, const ChatRequest&,
                             ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    while (result.status.ok()) {
      result.status =
          co_await sink->Write(TextChunk(std::string(1 << 20, 'x')));
    }
    ended.set_value(result.status.code());
    result.status = RefuseCall(absl::StatusCode::kDeadlineExceeded, "timeout",
                               "the deadline passed");
    co_return result;
  };
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  reader->WaitForInitialMetadata();
  // Not a read: the writer is or will be blocked. The server gives up on it.
  fixture.server->Shutdown(absl::ZeroDuration());
  CHECK(ended.get_future().get() == absl::StatusCode::kCancelled);
  v1::ChatCompletionChunk chunk;
  while (reader->Read(&chunk)) {
  }
  CHECK_FALSE(reader->Finish().ok());
}

TEST_CASE("A slow reader holds the writer back",
          "[server][grpc][stream][backpressure]") {
  constexpr int kChunks = 1500;
  constexpr int kChunkBytes = 64 << 10;
  // What sockets, HTTP/2 windows and both ends' buffers may hold.
  constexpr int kSlack = (48 << 20) / kChunkBytes;
  GrpcFixture fixture;
  std::atomic<int> written{0};
  fixture.service.chat = [&](const CallContext&, const ChatRequest&,
                             ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    for (int i = 0; i < kChunks && result.status.ok(); ++i) {
      result.status =
          co_await sink->Write(TextChunk(std::string(kChunkBytes, 'x')));
      ++written;
    }
    co_return result;
  };
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  v1::ChatCompletionChunk chunk;
  int read = 0;
  int furthest = 0;
  while (reader->Read(&chunk)) {
    furthest = std::max(furthest, written - read);
    ++read;
  }
  CHECK(reader->Finish().ok());
  CHECK(read == kChunks);
  CHECK(furthest < kSlack);
}

TEST_CASE("Cancels that race with start, write and finish are all survived",
          "[server][grpc][cancel]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    for (int i = 0; i < 3 && result.status.ok(); ++i) {
      if (sink != nullptr) {
        result.status = co_await sink->Write(TextChunk("abc"));
      }
    }
    if (sink == nullptr) result = TextAnswer("hi");
    co_return result;
  };
  for (int i = 0; i < 400; ++i) {
    auto context = GrpcFixture::Context();
    std::thread canceller;
    auto reader =
        fixture.stub->StreamChatCompletion(context.get(), UserRequest());
    if (i % 2 == 0) {
      canceller = std::thread([&context] { context->TryCancel(); });
    }
    v1::ChatCompletionChunk chunk;
    for (int reads = i % 5; reads > 0 && reader->Read(&chunk); --reads) {
    }
    if (i % 2 == 1) context->TryCancel();
    const grpc::Status status = reader->Finish();
    if (canceller.joinable()) canceller.join();
    const bool expected =
        status.ok() || status.error_code() == grpc::StatusCode::CANCELLED;
    REQUIRE(expected);
  }
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  CHECK(fixture.stub->ChatCompletion(context.get(), UserRequest(), &response)
            .ok());
}

TEST_CASE("Shutdown lets calls end within the grace and cancels the rest",
          "[server][grpc][drain]") {
  GrpcFixture fixture;
  const bool patient = GENERATE(true, false);
  CAPTURE(patient);
  std::promise<void> started;
  fixture.service.chat = [&](const CallContext&, const ChatRequest&,
                             ChunkSink*) -> Task<CallResult> {
    started.set_value();
    if (patient) co_return TextAnswer("hi");
    CallResult result;
    result.status = co_await fixture.clock.SleepUntil(Instant::Never());
    co_return result;
  };
  auto answer = std::async(std::launch::async, [&] {
    auto context = GrpcFixture::Context();
    v1::ChatCompletionResponse response;
    return fixture.stub->ChatCompletion(context.get(), UserRequest(),
                                        &response);
  });
  started.get_future().wait();
  fixture.server->Shutdown(patient ? absl::Minutes(1) : absl::ZeroDuration());
  CHECK(answer.get().ok() == patient);
  // A second time, and the destructor after it, do nothing.
  fixture.server->Shutdown(absl::Minutes(1));
}

}  // namespace
}  // namespace llm::server
