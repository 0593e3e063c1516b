#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "llm_service/client.h"
#include "llm_service/error.h"
#include "llm_service/messages.h"
#include "tests/clients/cpp/scripted_service.h"
#include "tests/support/status_matchers.h"

namespace llm::client {
namespace {

// A stream of "0", "1", …, as many as there are.
struct Numbers {
  int count;
  grpc::Status end = grpc::Status::OK;
  grpc::Status operator()(grpc::ServerContext*,
                          const v1::ChatCompletionRequest&,
                          ChunkWriter* writer) const {
    for (int i = 0; i < count; ++i) writer->Write(TextChunk(std::to_string(i)));
    return end;
  }
};

// Writes until the caller is gone, and says so.
struct Endless {
  std::atomic<bool>* left;
  grpc::Status operator()(grpc::ServerContext*,
                          const v1::ChatCompletionRequest&,
                          ChunkWriter* writer) const {
    while (writer->Write(TextChunk("again "))) {
    }
    *left = true;
    return grpc::Status::CANCELLED;
  }
};

bool Becomes(const std::atomic<bool>& flag) {
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (!flag && absl::Now() < limit) std::this_thread::yield();
  return flag;
}

TEST_CASE("A stream is pulled chunk by chunk and ends once",
          "[clients][stream]") {
  ClientFixture fixture;
  fixture.service.stream = Numbers{3};
  ChatStream stream = fixture.Connect().StreamChat({});
  std::string text;
  while (const auto chunk = stream.Next()) text += ChunkText(*chunk);
  CHECK(text == "012");
  CHECK_FALSE(stream.Next().has_value());
  CHECK_THAT(stream.Finish(), IsOk());
  CHECK_THAT(stream.Finish(), IsOk());
  CHECK(AnswerText(stream.Answer()) == "012");
}

TEST_CASE("A stream is a range", "[clients][stream]") {
  ClientFixture fixture;
  fixture.service.stream = Numbers{12};
  ChatStream stream = fixture.Connect().StreamChat({});
  int chunks = 0;
  for (const v1::ChatCompletionChunk& chunk : stream) {
    CHECK(ChunkText(chunk) == std::to_string(chunks++));
  }
  CHECK(chunks == 12);
  CHECK_THAT(stream.Finish(), IsOk());
}

TEST_CASE("Finish reads what is left", "[clients][stream]") {
  ClientFixture fixture;
  fixture.service.stream = Numbers{5};
  ChatStream stream = fixture.Connect().StreamChat({});
  REQUIRE(stream.Next().has_value());
  CHECK_THAT(stream.Finish(), IsOk());
  CHECK(AnswerText(stream.Answer()) == "01234");
}

TEST_CASE("A stream that fails keeps its text and gives the detail",
          "[clients][stream][errors]") {
  ClientFixture fixture;
  v1::UpstreamError detail;
  detail.set_code("timeout");
  detail.set_provider("deepseek");
  detail.set_attempts(1);
  fixture.service.stream =
      Numbers{2, Failure(grpc::StatusCode::DEADLINE_EXCEEDED, detail)};
  ChatStream stream = fixture.Connect().StreamChat({});
  const absl::Status end = stream.Finish();
  CHECK_THAT(end, HasCode(absl::StatusCode::kDeadlineExceeded));
  CHECK(ErrorDetail(end)->provider() == "deepseek");
  CHECK(AnswerText(stream.Answer()) == "01");
}

TEST_CASE("A stream that is dropped is cancelled at the service",
          "[clients][stream][cancel]") {
  ClientFixture fixture;
  std::atomic<bool> left{false};
  std::atomic<bool> began{false};
  fixture.service.stream = [&](grpc::ServerContext* context,
                               const v1::ChatCompletionRequest& request,
                               ChunkWriter* writer) {
    began = true;
    return Endless{&left}(context, request, writer);
  };
  const Client client = fixture.Connect();
  SECTION("by its end of life") {
    ChatStream stream = client.StreamChat({});
    REQUIRE(stream.Next().has_value());
  }
  SECTION("unread") {
    const ChatStream stream = client.StreamChat({});
    REQUIRE(Becomes(began));
  }
  SECTION("by another that takes its place") {
    std::optional<ChatStream> stream = client.StreamChat({});
    REQUIRE(stream->Next().has_value());
    CallOptions late;
    late.deadline = absl::InfinitePast();
    stream = client.StreamChat({}, late);
    CHECK(Becomes(left));
  }
  SECTION("after its client has gone") {
    std::optional<Client> other = fixture.Connect();
    ChatStream stream = other->StreamChat({});
    other.reset();
    REQUIRE(stream.Next().has_value());
  }
  CHECK(Becomes(left));
}

TEST_CASE("A reader that waits is woken by a cancel from another thread",
          "[clients][stream][cancel]") {
  ClientFixture fixture;
  std::atomic<bool> seen{false};
  fixture.service.stream = [&](grpc::ServerContext* context, const auto&,
                               ChunkWriter* writer) {
    writer->Write(TextChunk("only"));
    seen = SeesCancel(context);
    return grpc::Status::OK;
  };
  const CancelToken token;
  CallOptions call;
  call.cancel = token;
  ChatStream stream = fixture.Connect().StreamChat({}, call);
  REQUIRE(stream.Next().has_value());
  std::thread other;
  SECTION("the stream's own") {
    other = std::thread([&] { stream.Cancel(); });
  }
  SECTION("a token's") {
    other = std::thread([&] { token.Cancel(); });
  }
  CHECK_FALSE(stream.Next().has_value());
  other.join();
  CHECK_THAT(stream.Finish(), HasCode(absl::StatusCode::kCancelled));
  CHECK(AnswerText(stream.Answer()) == "only");
  CHECK(Becomes(seen));
}

TEST_CASE("Cancelling a stream that has ended changes nothing",
          "[clients][stream][cancel]") {
  ClientFixture fixture;
  fixture.service.stream = Numbers{1};
  ChatStream stream = fixture.Connect().StreamChat({});
  CHECK_THAT(stream.Finish(), IsOk());
  stream.Cancel();
  CHECK_THAT(stream.Finish(), IsOk());
}

TEST_CASE("The callback form hears every chunk and gives the whole answer",
          "[clients][stream]") {
  ClientFixture fixture;
  fixture.service.stream = Numbers{4};
  std::string heard;
  const auto answer =
      fixture.Connect().StreamChat({}, [&](const v1::ChatCompletionChunk& c) {
        heard += ChunkText(c);
        return absl::OkStatus();
      });
  REQUIRE_THAT(answer, IsOk());
  CHECK(heard == "0123");
  CHECK(AnswerText(*answer) == "0123");
}

TEST_CASE("A callback that has had enough ends the call with its own status",
          "[clients][stream][cancel]") {
  ClientFixture fixture;
  std::atomic<bool> left{false};
  fixture.service.stream = Endless{&left};
  const auto answer = fixture.Connect().StreamChat(
      {}, [](const auto&) { return absl::OutOfRangeError("enough"); });
  CHECK_THAT(answer, HasCode(absl::StatusCode::kOutOfRange));
  CHECK(Becomes(left));
}

TEST_CASE("A stream asks for its usage unless the caller has decided",
          "[clients][stream]") {
  ClientFixture fixture;
  v1::ChatCompletionRequest request;
  SECTION("unasked") {
    CHECK_THAT(fixture.Connect().StreamChat(request, {}).Finish(), IsOk());
    const auto sent = fixture.service.Last<v1::ChatCompletionRequest>();
    CHECK(sent.stream_options().include_usage());
  }
  SECTION("declined") {
    request.mutable_stream_options()->set_include_usage(false);
    CHECK_THAT(fixture.Connect().StreamChat(request).Finish(), IsOk());
    const auto sent = fixture.service.Last<v1::ChatCompletionRequest>();
    CHECK_FALSE(sent.stream_options().include_usage());
  }
}

TEST_CASE("A stream that was moved from has ended", "[clients][stream]") {
  ClientFixture fixture;
  ChatStream stream = fixture.Connect().StreamChat({});
  const ChatStream other = std::move(stream);
  // NOLINTBEGIN(bugprone-use-after-move): what is tested.
  CHECK_FALSE(stream.Next().has_value());
  CHECK_THAT(stream.Finish(), HasCode(absl::StatusCode::kFailedPrecondition));
  stream.Cancel();
  CHECK(stream.Metadata().empty());
  CHECK(stream.Answer().choices().empty());
  // NOLINTEND(bugprone-use-after-move)
}

TEST_CASE("A stream to nobody ends as unavailable", "[clients][stream]") {
  ClientOptions options;
  options.target = "127.0.0.1:1";
  ChatStream stream = ClientFixture::Connect(options).StreamChat({});
  CHECK_FALSE(stream.Next().has_value());
  CHECK_THAT(stream.Finish(), HasCode(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace llm::client
