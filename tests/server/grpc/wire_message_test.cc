// Bytes that are no message, and messages that cost more than their bytes.
#include "server/grpc/wire_message.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <string>
#include <thread>

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

// A field of type message, string or bytes.
std::string Field(int number, const std::string& content) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteTag(static_cast<uint32_t>(number) << 3 | 2);
    coded.WriteVarint32(static_cast<uint32_t>(content.size()));
  }
  return bytes + content;
}

TEST_CASE("Lengths that reach past their own message are not followed",
          "[server][grpc][wire][PRF-5][SEC-6]") {
  // A message and in it a part, whose length covers what comes after the
  // message: to the parser millions of unknown fields of the part.
  const std::string flood = EmptyMessages(2 * kMaxRequestValues);
  const int parts = v1::Message::kPartsFieldNumber;
  std::string part = Field(parts, flood);
  part.resize(part.size() - flood.size());
  const std::string bytes =
      Field(v1::ChatCompletionRequest::kMessagesFieldNumber, part) +
      Field(v1::ChatCompletionRequest::kModelFieldNumber, flood);
  v1::ChatCompletionRequest message;
  CHECK(CallErrorDetail(FromWire(Bytes(bytes), &message)).code() ==
        "invalid_request");
  CHECK(message.messages_size() == 0);
}

TEST_CASE("Groups are walked, and their fields counted",
          "[server][grpc][wire][PRF-5]") {
  const auto group = [](const std::string& within) {
    return "\xc3\x3e" + within + "\xc4\x3e";  // field 1000
  };
  const std::string number = "\xc8\x3e\x01";  // field 1001
  v1::ChatCompletionRequest message;
  CHECK(FromWire(Bytes(group(number + group(number))), &message).ok());
  std::string many;
  for (size_t i = 0; i < kMaxRequestValues; ++i) many += number;
  CHECK(CallErrorDetail(FromWire(Bytes(group(many)), &message)).code() ==
        "body_too_large");
  const std::string broken =
      GENERATE(std::string("\xc3\x3e"), std::string("\xc4\x3e"),
               std::string("\xc3\x3e\xcc\x3e"));
  CHECK(CallErrorDetail(FromWire(Bytes(broken), &message)).code() ==
        "invalid_request");
}

TEST_CASE("JSON within a message is counted too, all of it together",
          "[server][grpc][wire][PRF-5]") {
  GrpcFixture fixture;
  v1::ChatCompletionRequest request = UserRequest();
  std::string schema = "{\"enum\":[0";
  for (size_t i = 0; i < kMaxRequestValues / 2; ++i) schema += ",0";
  for (const char* name : {"a", "b"}) {
    v1::FunctionTool* tool = request.add_tools()->mutable_function();
    tool->set_name(name);
    tool->set_parameters(schema + "]}");
  }
  auto context = GrpcFixture::Context();
  v1::ChatCompletionResponse response;
  const grpc::Status status =
      fixture.stub->ChatCompletion(context.get(), request, &response);
  CHECK(status.error_code() == Code::RESOURCE_EXHAUSTED);
  CHECK(DetailOf(status).code() == "body_too_large");
}

TEST_CASE("Bytes that are no such message are refused in the contract's words",
          "[server][grpc][wire][SEC-6]") {
  GrpcFixture fixture;
  const std::string good = UserRequest().SerializeAsString();
  const std::string bytes =
      good +
      GENERATE(
          // Ends within a length, a length past the end, a wire type that is
          // none, a field without a number, a number that ends early.
          std::string("\x12\x05\x01", 3),
          std::string("\x12\xff\xff\xff\xff\x0f"), std::string("\x17"),
          std::string("\x00\x00", 2), std::string("\x38\xff"));
  const std::string method = GENERATE("/llm.v1.LlmService/ChatCompletion",
                                      "/llm.v1.LlmService/GetUsage");
  CAPTURE(method, bytes.size());
  const grpc::Status status =
      Ask(fixture, method.c_str(), bytes, FakeChatService::kKey);
  CHECK(status.error_code() == Code::INVALID_ARGUMENT);
  CHECK(DetailOf(status).code() == "invalid_request");
  CHECK(status.error_message().find("not what this method takes") !=
        std::string::npos);
}

TEST_CASE("A question beside chats is short", "[server][grpc][wire][PRF-3]") {
  GrpcFixture fixture;
  const grpc::Status status =
      Ask(fixture, "/llm.v1.LlmService/ListModels",
          Field(1000, std::string(64 << 10, 'x')), FakeChatService::kKey);
  CHECK(status.error_code() == Code::RESOURCE_EXHAUSTED);
  CHECK(DetailOf(status).code() == "body_too_large");
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
  std::string answer;
  std::thread large([&] {
    auto context = GrpcFixture::Context();
    v1::ChatCompletionResponse response;
    const grpc::Status status = fixture.stub->ChatCompletion(
        context.get(), UserRequest(std::string(kLargeRequest, 'l')), &response);
    if (status.ok()) answer = response.choices(0).message().content();
  });
  reader.AwaitWaiting(1);
  // More than there are lanes.
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    auto context = GrpcFixture::Context();
    v1::ChatCompletionResponse response;
    answered +=
        fixture.stub->ChatCompletion(context.get(), UserRequest("s"), &response)
            .ok();
  }
  const size_t waiting = reader.thread.waiting();
  reader.LetGo();
  large.join();
  CHECK(answered == 5);
  CHECK(waiting == 1);
  CHECK(answer == "l");
}

}  // namespace
}  // namespace llm::server
