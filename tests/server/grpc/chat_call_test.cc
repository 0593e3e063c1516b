// The chat calls over a real connection: what goes in, what comes out.
#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "tests/server/grpc/grpc_fixture.h"

namespace llm::server {
namespace {

TEST_CASE("A unary chat reaches the gateway normalised and comes back flat",
          "[server][grpc][chat]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink* sink) -> Task<CallResult> {
    co_return TextAnswer(sink == nullptr ? "hi" : "wrong");
  };
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  const grpc::Status status =
      fixture.stub->ChatCompletion(context.get(), UserRequest(), &response);
  REQUIRE(status.ok());
  CHECK(response.choices(0).message().content() == "hi");
  CHECK(response.choices(0).message().parts().empty());
  const auto [call, request] = fixture.service.Last();
  CHECK(call.caller.user == "ann");
  CHECK(call.door == "grpc");
  CHECK(call.deadline == Instant::Never());
  CHECK_FALSE(call.strict);
  REQUIRE(request.messages(0).parts_size() == 1);
  CHECK(request.messages(0).parts(0).text().text() == "hello");
  CHECK_FALSE(request.messages(0).has_content());
}

TEST_CASE("A unary answer says in metadata who answered and at what cost",
          "[server][grpc][metadata]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink*) -> Task<CallResult> {
    co_return TextAnswer("hi");
  };
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  REQUIRE(fixture.stub->ChatCompletion(context.get(), UserRequest(), &response)
              .ok());
  const Metadata& metadata = context->GetServerInitialMetadata();
  CHECK(Value(metadata, "x-request-id") == "call-1");
  CHECK(Value(metadata, "x-llm-model") == "m-1");
  CHECK(Value(metadata, "x-llm-provider") == "p-1");
  CHECK(Value(metadata, "x-llm-attempts") == "2");
  CHECK(Value(metadata, "x-llm-cost") == "0.000123 USD");
  CHECK(Value(metadata, "x-llm-overhead-us") == "77");
  CHECK(Value(metadata, "x-llm-dropped") == "seed, logprobs");
}

TEST_CASE("The caller's request id, trace and strictness are kept",
          "[server][grpc][metadata]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink*) -> Task<CallResult> {
    co_return TextAnswer("hi");
  };
  auto context = GrpcFixture::Context();
  context->AddMetadata("x-request-id", "mine-7");
  context->AddMetadata(
      "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  context->AddMetadata("x-llm-strict", "true");
  v1::ChatCompletionResponse response;
  REQUIRE(fixture.stub->ChatCompletion(context.get(), UserRequest(), &response)
              .ok());
  CHECK(Value(context->GetServerInitialMetadata(), "x-request-id") == "mine-7");
  const auto [call, request] = fixture.service.Last();
  CHECK(call.client_request_id == "mine-7");
  CHECK(call.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(call.strict);
}

TEST_CASE("A stream arrives chunk by chunk, with the facts in its trailers",
          "[server][grpc][stream]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink* sink) -> Task<CallResult> {
    CallResult result = TextAnswer("");
    result.response.reset();
    for (const char* text : {"a", "b", "c"}) {
      result.status = co_await sink->Write(TextChunk(text));
      if (!result.status.ok()) co_return result;
    }
    result.committed = true;
    co_return result;
  };
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  std::vector<std::string> texts;
  v1::ChatCompletionChunk chunk;
  while (reader->Read(&chunk)) {
    texts.push_back(chunk.choices(0).delta().content());
    CHECK(chunk.choices(0).delta().parts().empty());
  }
  REQUIRE(reader->Finish().ok());
  CHECK(texts == std::vector<std::string>{"a", "b", "c"});
  CHECK(Value(context->GetServerInitialMetadata(), "x-request-id") == "call-1");
  const Metadata& trailers = context->GetServerTrailingMetadata();
  CHECK(Value(trailers, "x-llm-model") == "m-1");
  CHECK(Value(trailers, "x-llm-cost") == "0.000123 USD");
}

TEST_CASE("A stream that fails after content ends with the failure",
          "[server][grpc][stream][errors]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    result.status = co_await sink->Write(TextChunk("a"));
    v1::UpstreamError detail;
    detail.set_code("provider_unavailable");
    detail.set_message("broke");
    result.status =
        MakeCallError(absl::StatusCode::kUnavailable, std::move(detail));
    result.committed = true;
    co_return result;
  };
  auto context = GrpcFixture::Context();
  auto reader =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  v1::ChatCompletionChunk chunk;
  CHECK(reader->Read(&chunk));
  CHECK_FALSE(reader->Read(&chunk));
  const grpc::Status status = reader->Finish();
  CHECK(status.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(DetailOf(status).code() == "provider_unavailable");
}

TEST_CASE("A failure carries its code, its words and one typed detail",
          "[server][grpc][errors]") {
  const bool no_retry = GENERATE(false, true);
  GrpcFixture fixture;
  fixture.service.chat = [no_retry](const CallContext& call, const ChatRequest&,
                                    ChunkSink*) -> Task<CallResult> {
    v1::UpstreamError detail;
    detail.set_code("provider_rate_limited");
    detail.set_request_id(call.call_id.value);
    detail.set_retry_after_s(2.5);
    detail.set_no_retry(no_retry);
    detail.set_message("every candidate is rate limited");
    CallResult result;
    result.info.set_attempts(3);
    result.status =
        MakeCallError(absl::StatusCode::kResourceExhausted, std::move(detail));
    co_return result;
  };
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  const grpc::Status status =
      fixture.stub->ChatCompletion(context.get(), UserRequest(), &response);
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(status.error_message() == "every candidate is rate limited");
  const v1::UpstreamError detail = DetailOf(status);
  CHECK(detail.code() == "provider_rate_limited");
  CHECK(detail.request_id() == "call-1");
  CHECK(detail.retry_after_s() == 2.5);
  CHECK(detail.message() == status.error_message());
  CHECK(Value(context->GetServerTrailingMetadata(), "grpc-retry-pushback-ms") ==
        (no_retry ? "-1" : ""));
  CHECK(Value(context->GetServerInitialMetadata(), "x-llm-attempts") == "3");
}

TEST_CASE("A missing or wrong key is refused before anything else",
          "[server][grpc][auth][SEC-7]") {
  GrpcFixture fixture;
  const std::string key = GENERATE("", "Bearer sk-bad", "sk-good");
  auto context = std::make_unique<grpc::ClientContext>();
  if (!key.empty()) context->AddMetadata("authorization", key);
  v1::ChatCompletionResponse response;
  const grpc::Status status = fixture.stub->ChatCompletion(
      context.get(), v1::ChatCompletionRequest(), &response);
  CHECK(status.error_code() == grpc::StatusCode::UNAUTHENTICATED);
  CHECK(DetailOf(status).code() == "invalid_api_key");
  CHECK(DetailOf(status).request_id() == "call-1");
}

TEST_CASE("A malformed request is refused with the field at fault",
          "[server][grpc][errors]") {
  GrpcFixture fixture;
  v1::ChatCompletionRequest request = UserRequest();
  std::string param;
  std::string timeout;
  SECTION("no messages") {
    request.clear_messages();
    param = "messages";
  }
  SECTION("a role that is none") {
    request.mutable_messages(0)->set_role("robot");
    param = "messages[0].role";
  }
  SECTION("opaque JSON that is none") {
    request.set_extra_json("{");
    param = "extra_json";
  }
  SECTION("a timeout that is no time") {
    timeout = "soon";
    param = "x-llm-timeout";
  }
  auto context = GrpcFixture::Context();
  if (!timeout.empty()) context->AddMetadata("x-llm-timeout", timeout);
  auto reader = fixture.stub->StreamChatCompletion(context.get(), request);
  v1::ChatCompletionChunk chunk;
  CHECK_FALSE(reader->Read(&chunk));
  const grpc::Status status = reader->Finish();
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(DetailOf(status).code() == "invalid_request");
  CHECK(DetailOf(status).param() == param);
}

TEST_CASE("The earliest of the caller's deadlines counts",
          "[server][grpc][deadline][TMO-1]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink*) -> Task<CallResult> {
    co_return TextAnswer("hi");
  };
  v1::ChatCompletionRequest request = UserRequest();
  auto context = GrpcFixture::Context();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::hours(3));
  absl::Duration longest;
  absl::Duration shortest;
  SECTION("gRPC's") {
    // gRPC rounds long timeouts up on the wire.
    longest = absl::Hours(4);
    shortest = absl::Hours(2);
  }
  SECTION("the message's") {
    request.mutable_timeout()->set_seconds(1800);
    request.mutable_timeout()->set_nanos(5);
    longest = shortest = absl::Minutes(30) + absl::Nanoseconds(5);
  }
  SECTION("the metadata's") {
    request.mutable_timeout()->set_seconds(1800);
    context->AddMetadata("x-llm-timeout", "10m");
    longest = shortest = absl::Minutes(10);
  }
  v1::ChatCompletionResponse response;
  REQUIRE(fixture.stub->ChatCompletion(context.get(), request, &response).ok());
  const CallContext call = fixture.service.Last().first;
  CHECK(call.deadline - call.received <= longest);
  CHECK(call.deadline - call.received >= shortest);
}

TEST_CASE("The gateway's own timeout reaches the caller as such",
          "[server][grpc][deadline]") {
  GrpcFixture fixture;
  fixture.service.chat = [&fixture](const CallContext& call, const ChatRequest&,
                                    ChunkSink*) -> Task<CallResult> {
    CallResult result;
    result.status = co_await fixture.clock.SleepUntil(call.deadline);
    if (result.status.ok()) {
      result.status = RefuseCall(absl::StatusCode::kDeadlineExceeded, "timeout",
                                 "the deadline passed");
    }
    co_return result;
  };
  auto context = GrpcFixture::Context();
  context->AddMetadata("x-llm-timeout", "5ms");
  v1::ChatCompletionResponse response;
  const grpc::Status status =
      fixture.stub->ChatCompletion(context.get(), UserRequest(), &response);
  CHECK(status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(DetailOf(status).code() == "timeout");
}

TEST_CASE("Text that is not UTF-8 reaches the caller as U+FFFD",
          "[server][grpc][utf8]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink* sink) -> Task<CallResult> {
    // A lone surrogate as our JSON reader keeps it.
    const std::string broken = "a\xed\xa0\xbd z";
    CallResult result = TextAnswer(broken);
    if (sink == nullptr) co_return result;
    result.response.reset();
    result.status = co_await sink->Write(TextChunk(broken));
    co_return result;
  };
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  REQUIRE(fixture.stub->ChatCompletion(context.get(), UserRequest(), &response)
              .ok());
  const std::string clean = response.choices(0).message().content();
  CHECK(clean.find("\uFFFD") == 1);
  CHECK(clean.substr(clean.size() - 2) == " z");
  auto second = GrpcFixture::Context();
  auto reader = fixture.stub->StreamChatCompletion(second.get(), UserRequest());
  v1::ChatCompletionChunk chunk;
  REQUIRE(reader->Read(&chunk));
  CHECK(chunk.choices(0).delta().content() == clean);
  CHECK_FALSE(reader->Read(&chunk));
  CHECK(reader->Finish().ok());
}

TEST_CASE("What a coroutine throws ends its call, without the words",
          "[server][grpc][errors]") {
  GrpcFixture fixture;
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink*) -> Task<CallResult> {
    throw std::runtime_error("secret");
    co_return CallResult();
  };
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  const grpc::Status status =
      fixture.stub->ChatCompletion(context.get(), UserRequest(), &response);
  CHECK(status.error_code() == grpc::StatusCode::INTERNAL);
  CHECK(status.error_message() == "internal error");
}

TEST_CASE("A hundred calls at once are all answered, each with its own",
          "[server][grpc][load]") {
  GrpcFixture fixture;
  std::atomic<int> inside{0};
  std::atomic<int> arrived{0};
  fixture.service.chat = [&](const CallContext&, const ChatRequest& request,
                             ChunkSink*) -> Task<CallResult> {
    // Nobody leaves before everybody is here.
    ++arrived;
    while (arrived < 100) {
      (void)co_await fixture.clock.SleepUntil(fixture.clock.Monotonic() +
                                              absl::Milliseconds(1));
    }
    ++inside;
    co_return TextAnswer(request.message.messages(0).parts(0).text().text());
  };
  struct Pending {
    std::unique_ptr<grpc::ClientContext> context;
    v1::ChatCompletionResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ChatCompletionResponse>>
        reader;
  };
  std::vector<Pending> calls(100);
  grpc::CompletionQueue queue;
  for (size_t i = 0; i < calls.size(); ++i) {
    calls[i].context = GrpcFixture::Context();
    calls[i].reader = fixture.stub->AsyncChatCompletion(
        calls[i].context.get(), UserRequest(std::to_string(i)), &queue);
    calls[i].reader->Finish(&calls[i].response, &calls[i].status,
                            reinterpret_cast<void*>(i));
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    void* tag = nullptr;
    bool ok = false;
    REQUIRE(queue.Next(&tag, &ok));
  }
  queue.Shutdown();
  CHECK(inside == 100);
  for (size_t i = 0; i < calls.size(); ++i) {
    CAPTURE(i);
    REQUIRE(calls[i].status.ok());
    CHECK(calls[i].response.choices(0).message().content() ==
          std::to_string(i));
  }
}

}  // namespace
}  // namespace llm::server
