// Bytes that are no message, and messages that cost more than their bytes.
#include "server/grpc/wire_message.h"

#include <grpcpp/impl/codegen/client_unary_call.h>

#include <string>

#include "server/core/read_request.h"
#include "tests/server/grpc/grpc_fixture.h"
#include "tests/support/held_side_thread.h"

namespace llm::server {
namespace {

using Code = grpc::StatusCode;

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

// A unary call of `method` with these bytes as its request.
grpc::Status Ask(GrpcFixture& fixture, const char* method,
                 const std::string& bytes, std::string_view key) {
  const grpc::internal::RpcMethod rpc(method,
                                      grpc::internal::RpcMethod::NORMAL_RPC);
  auto context = GrpcFixture::Context(key);
  grpc::ByteBuffer answer;
  return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer,
                                           grpc::ByteBuffer, grpc::ByteBuffer>(
      fixture.channel.get(), rpc, context.get(), Bytes(bytes), &answer);
}

// `count` empty messages: two bytes each.
std::string EmptyMessages(size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += std::string("\x12\x00", 2);
  return bytes;
}

TEST_CASE("What was written is read again", "[server][grpc][wire]") {
  const size_t text = GENERATE(size_t{5}, size_t{300} << 10);
  v1::ChatCompletionRequest request = UserRequest(std::string(text, 'x'));
  v1::ChatCompletionRequest again;
  REQUIRE(FromWire(ToWire(request), &again).ok());
  CHECK((again.SerializeAsString() == request.SerializeAsString()));
}

TEST_CASE("Fields are counted where they are many, before a message is made",
          "[server][grpc][wire][PRF-5]") {
  v1::ChatCompletionRequest message;
  // Of the message's own field: the test means what it says.
  REQUIRE(message.GetDescriptor()->FindFieldByNumber(2)->name() == "messages");
  CHECK(FromWire(Bytes(EmptyMessages(kMaxRequestValues)), &message).ok());
  CHECK(message.messages_size() == static_cast<int>(kMaxRequestValues));
  message.Clear();
  const absl::Status refused =
      FromWire(Bytes(EmptyMessages(kMaxRequestValues + 1)), &message);
  CHECK(CallErrorDetail(refused).code() == "body_too_large");
  CHECK(message.messages_size() == 0);
}

TEST_CASE("Fields within fields count too, unknown ones as well",
          "[server][grpc][wire][PRF-5]") {
  v1::ChatCompletionRequest deep;
  v1::Message* holder = deep.add_messages();
  for (size_t i = 0; i < kMaxRequestValues; ++i) holder->add_parts();
  v1::ChatCompletionRequest message;
  CHECK(CallErrorDetail(FromWire(ToWire(deep), &message)).code() ==
        "body_too_large");
  std::string unknown;
  // Field 1000, a number.
  for (size_t i = 0; i <= kMaxRequestValues; ++i) unknown += "\xc0\x3e\x01";
  CHECK(CallErrorDetail(FromWire(Bytes(unknown), &message)).code() ==
        "body_too_large");
}

TEST_CASE("Bytes that are no such message are refused in the contract's words",
          "[server][grpc][wire][SEC-6]") {
  GrpcFixture fixture;
  const std::string many = EmptyMessages(40'000);
  const std::string bytes = GENERATE_COPY(
      // Ends within a length, a length past the end, a wire type that is none.
      std::string("\x12\x05\x01", 3), std::string("\x12\xff\xff\xff\xff\x0f"),
      std::string("\x17"), many + "\x12\x7f",
      // A group, which no message of ours has.
      many + "\x13\x14");
  const std::string method = GENERATE("/llm.v1.LlmService/ChatCompletion",
                                      "/llm.v1.LlmService/GetUsage");
  CAPTURE(method, bytes.size());
  const grpc::Status status =
      Ask(fixture, method.c_str(), bytes, FakeChatService::kKey);
  CHECK(status.error_code() == Code::INVALID_ARGUMENT);
  CHECK(DetailOf(status).code() == "invalid_request");
}

TEST_CASE("Nothing is read for a caller without a key",
          "[server][grpc][wire][SEC-7]") {
  GrpcFixture fixture;
  const grpc::Status status =
      Ask(fixture, "/llm.v1.LlmService/ChatCompletion", "\x17", "Bearer wrong");
  CHECK(status.error_code() == Code::UNAUTHENTICATED);
}

TEST_CASE("While a large message is read its loop answers others",
          "[server][grpc][wire][PRF-3]") {
  HeldSideThread reader;
  GrpcServerOptions options;
  options.reader = &reader.thread;
  GrpcFixture fixture(options);
  fixture.service.chat = [](const CallContext&, const ChatRequest& request,
                            ChunkSink*) -> Task<CallResult> {
    co_return TextAnswer(
        request.message.messages(0).parts(0).text().text().substr(0, 1));
  };
  auto large = std::async(std::launch::async, [&] {
    auto context = GrpcFixture::Context();
    v1::ChatCompletionResponse response;
    const grpc::Status status = fixture.stub->ChatCompletion(
        context.get(), UserRequest(std::string(kLargeRequest, 'l')), &response);
    return status.ok() ? response.choices(0).message().content() : "failed";
  });
  // More than there are lanes.
  for (int i = 0; i < 5; ++i) {
    auto context = GrpcFixture::Context();
    v1::ChatCompletionResponse response;
    REQUIRE(
        fixture.stub->ChatCompletion(context.get(), UserRequest("s"), &response)
            .ok());
  }
  reader.LetGo();
  CHECK(large.get() == "l");
}

}  // namespace
}  // namespace llm::server
