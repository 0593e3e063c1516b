#include "llm_service/client.h"

#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

#include "llm_service/error.h"
#include "llm_service/messages.h"
#include "tests/clients/cpp/scripted_service.h"
#include "tests/support/status_matchers.h"

namespace llm::client {
namespace {

TEST_CASE("Impossible options are refused when the client is made",
          "[clients][options]") {
  ClientOptions options;
  SECTION("no target") { options.target = ""; }
  SECTION("a key of two lines") { options.key = "sk-a\nsk-b"; }
  SECTION("no time") { options.default_timeout = absl::ZeroDuration(); }
  SECTION("a ping too often") { options.keep_alive = absl::Seconds(9); }
  SECTION("a URL") { options.target = "http://127.0.0.1:9004"; }
  SECTION("no room for answers") { options.max_response_bytes = 0; }
  SECTION("a certificate without its key") {
    options.tls.emplace().cert_file = "/tmp/cert.pem";
  }
  CHECK_THAT(Client::Create(options),
             HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_CASE("A timeout found here carries the service's id where it had come",
          "[clients][deadline]") {
  ClientFixture fixture;
  fixture.service.stream = [](grpc::ServerContext* context, const auto&,
                              ChunkWriter* writer) {
    context->AddInitialMetadata("x-request-id", "service-3");
    writer->Write(TextChunk("a"));
    SeesCancel(context);
    return grpc::Status::CANCELLED;
  };
  const Client client = fixture.Connect();
  CallOptions call;
  call.timeout = absl::Seconds(1);
  const absl::Status end = client.StreamChat(Hello(), call).Finish();
  REQUIRE_THAT(end, HasCode(absl::StatusCode::kDeadlineExceeded));
  CHECK(ErrorDetail(end)->request_id() == "service-3");
}

TEST_CASE("Models and usage are asked as the caller says", "[clients]") {
  ClientFixture fixture;
  const Client client = fixture.Connect();
  const auto models = client.ListModels();
  REQUIRE_THAT(models, IsOk());
  CHECK(models->data(0).id() == "m-1");
  const auto usage = client.GetRunUsage("run-1", {"model", "agent"});
  REQUIRE_THAT(usage, IsOk());
  CHECK(usage->total().requests() == 3);
  const auto sent = fixture.service.Last<v1::GetUsageRequest>();
  CHECK(sent.filter().at("run_id") == "run-1");
  CHECK(sent.by_size() == 2);
}

TEST_CASE("The service is told of an end a moment before the caller's own",
          "[clients][deadline]") {
  ClientFixture fixture;
  absl::Duration left;
  fixture.service.chat = [&](grpc::ServerContext* context, const auto&, auto*) {
    left = absl::FromChrono(context->deadline()) - absl::Now();
    return grpc::Status::OK;
  };
  const Client client = fixture.Connect();
  CallOptions call;
  call.timeout = absl::Seconds(100);
  SECTION("by the call's timeout") {}
  SECTION("by the loop's deadline, where it is earlier") {
    call.timeout = absl::Hours(1);
    call.deadline = absl::Now() + absl::Seconds(100);
  }
  REQUIRE_THAT(client.Chat(Hello(), call), IsOk());
  // gRPC rounds its own up to a hundredth.
  CHECK(left <= absl::Seconds(102));
  CHECK(left > absl::Seconds(50));
  const std::string told = One(fixture.service.metadata(), "x-llm-timeout");
  absl::Duration service_time;
  REQUIRE(absl::ParseDuration(told, &service_time));
  CHECK(service_time < absl::Seconds(100));
  CHECK(service_time > absl::Seconds(50));
}

TEST_CASE("A call without an end leaves it to the service",
          "[clients][deadline]") {
  ClientFixture fixture;
  CallOptions call;
  call.timeout = absl::InfiniteDuration();
  REQUIRE_THAT(fixture.Connect().Chat(Hello(), call), IsOk());
  CHECK(fixture.service.metadata().count("x-llm-timeout") == 0);
}

TEST_CASE("A deadline that passes unanswered is a timeout with its detail",
          "[clients][deadline]") {
  ClientFixture fixture;
  fixture.service.chat = [](grpc::ServerContext* context, const auto&, auto*) {
    SeesCancel(context);
    return grpc::Status::CANCELLED;
  };
  const Client client = fixture.Connect();
  CallOptions call;
  call.request_id = "late";
  SECTION("on the way") { call.timeout = absl::Milliseconds(50); }
  SECTION("before the call") { call.deadline = absl::Now(); }
  const auto answer = client.Chat(Hello(), call);
  REQUIRE_THAT(answer, HasCode(absl::StatusCode::kDeadlineExceeded));
  const auto detail = ErrorDetail(answer.status());
  REQUIRE(detail.has_value());
  CHECK(detail->code() == "timeout");
  CHECK(detail->source() == "client");
  CHECK(detail->request_id() == "late");
  CHECK(detail->attempts() == 0);
}

TEST_CASE("A request over the limit is named, not sent", "[clients][limits]") {
  ClientFixture fixture;
  ClientOptions options = fixture.Options();
  options.max_request_bytes = 1000;
  const Client client = fixture.Connect(options);
  v1::ChatCompletionRequest request = Hello();
  AddMessage("user", std::string(1000, 'a'), &request);
  const auto answer = client.Chat(request);
  REQUIRE_THAT(answer, HasCode(absl::StatusCode::kResourceExhausted));
  CHECK(ErrorDetail(answer.status())->code() == "body_too_large");
  CHECK(RetryPointless(answer.status()));
  CHECK_THAT(client.StreamChat(request).Finish(),
             HasCode(absl::StatusCode::kResourceExhausted));
  CHECK(fixture.service.calls == 0);
}

TEST_CASE("An answer over the limit is not worth a repeat",
          "[clients][limits]") {
  ClientFixture fixture;
  fixture.service.chat = [](auto*, const auto&,
                            v1::ChatCompletionResponse* response) {
    response->set_id(std::string(2000, 'a'));
    return grpc::Status::OK;
  };
  fixture.service.stream = [](auto*, const auto&, ChunkWriter* writer) {
    writer->Write(TextChunk(std::string(2000, 'a')));
    return grpc::Status::OK;
  };
  ClientOptions options = fixture.Options();
  options.max_response_bytes = 1000;
  const Client client = fixture.Connect(options);
  absl::Status status;
  SECTION("whole") { status = client.Chat(Hello()).status(); }
  SECTION("streamed") { status = client.StreamChat(Hello()).Finish(); }
  REQUIRE_THAT(status, HasCode(absl::StatusCode::kResourceExhausted));
  REQUIRE(ErrorDetail(status).has_value());
  CHECK(ErrorDetail(status)->code() == "body_too_large");
  CHECK(ErrorDetail(status)->source() == "client");
  CHECK(RetryPointless(status));
}

TEST_CASE("Messages over gRPC's own limit of 4 MiB pass both ways",
          "[clients][limits]") {
  ClientFixture fixture;
  fixture.service.chat = [](auto*, const v1::ChatCompletionRequest& request,
                            v1::ChatCompletionResponse* response) {
    *response->add_choices()->mutable_message() = request.messages(0);
    return grpc::Status::OK;
  };
  v1::ChatCompletionRequest request;
  AddMessage("user", std::string(8'000'000, 'a'), &request);
  const auto answer = fixture.Connect().Chat(request);
  REQUIRE_THAT(answer, IsOk());
  CHECK(AnswerText(*answer).size() == 8'000'000);
}

TEST_CASE("A failure is given to the caller, not asked again",
          "[clients][errors]") {
  ClientFixture fixture;
  fixture.service.chat = [](auto*, const auto&, auto*) {
    v1::UpstreamError detail;
    detail.set_code("provider_unavailable");
    detail.set_message("everybody failed");
    detail.set_request_id("id-1");
    detail.set_attempts(4);
    detail.set_retry_after_s(2.5);
    return Failure(grpc::StatusCode::UNAVAILABLE, detail);
  };
  const auto answer = fixture.Connect().Chat(Hello());
  REQUIRE_THAT(answer, HasCode(absl::StatusCode::kUnavailable));
  CHECK(answer.status().message() == "everybody failed");
  CHECK(ErrorDetail(answer.status())->attempts() == 4);
  CHECK(RetryAfter(answer.status()) == absl::Seconds(2.5));
  CHECK(fixture.service.calls == 1);
}

TEST_CASE("Nobody at the address: unavailable, the address named, no detail",
          "[clients][errors]") {
  ClientOptions options;
  // Port 1 is nobody's.
  options.target = "127.0.0.1:1";
  const auto answer = ClientFixture::Connect(options).Chat(Hello());
  REQUIRE_THAT(answer, HasCode(absl::StatusCode::kUnavailable));
  CHECK_FALSE(ErrorDetail(answer.status()).has_value());
  CHECK_THAT(std::string(answer.status().message()),
             Catch::Contains("127.0.0.1:1"));
}

TEST_CASE("A token ends a call that waits, and those that come after",
          "[clients][cancel]") {
  ClientFixture fixture;
  const CancelToken token;
  std::atomic<bool> seen{false};
  // The call is at the service: then it is cancelled.
  fixture.service.chat = [&](grpc::ServerContext* context, const auto&, auto*) {
    token.Cancel();
    seen = SeesCancel(context);
    return grpc::Status::OK;
  };
  CallOptions call;
  call.cancel = token;
  {
    const Client client = fixture.Connect();
    CHECK_THAT(client.Chat(Hello(), call),
               HasCode(absl::StatusCode::kCancelled));
    CHECK_THAT(client.Chat(Hello(), call),
               HasCode(absl::StatusCode::kCancelled));
    CHECK_THAT(client.StreamChat(Hello(), call).Finish(),
               HasCode(absl::StatusCode::kCancelled));
  }
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (!seen && absl::Now() < limit) std::this_thread::yield();
  CHECK(seen);
  CHECK(fixture.service.calls == 1);
}

TEST_CASE("Many threads share one client, and each gets its own answers",
          "[clients][threads]") {
  ClientFixture fixture;
  fixture.service.chat = [](auto*, const v1::ChatCompletionRequest& request,
                            v1::ChatCompletionResponse* response) {
    response->set_id(request.run_id());
    return grpc::Status::OK;
  };
  fixture.service.stream = [](auto*, const v1::ChatCompletionRequest& request,
                              ChunkWriter* writer) {
    for (int i = 0; i < 5; ++i) writer->Write(TextChunk(request.run_id()));
    return grpc::Status::OK;
  };
  constexpr int kThreads = 16;
  constexpr int kEach = 20;
  const Client client = fixture.Connect();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, copy = client, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string id = "-" + std::to_string(t * kEach + i);
        CallOptions call;
        call.tags.run_id = id;
        const auto answer = client.Chat(Hello(), call);
        if (answer.ok() && answer->id() == id) right.fetch_add(1);
        ChatStream stream = copy.StreamChat(Hello(), call);
        if (stream.Finish().ok() &&
            AnswerText(stream.Answer()) == id + id + id + id + id) {
          right.fetch_add(1);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 2 * kThreads * kEach);
  CHECK(fixture.service.calls == 2 * kThreads * kEach);
}

}  // namespace
}  // namespace llm::client
