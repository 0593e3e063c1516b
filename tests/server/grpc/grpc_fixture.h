// A server of ours on a free port with two loops, and a client beside it.
#ifndef LLM_TESTS_SERVER_GRPC_GRPC_FIXTURE_H_
#define LLM_TESTS_SERVER_GRPC_GRPC_FIXTURE_H_

#include <google/protobuf/any.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/grpcpp.h>

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/system_clock.h"
#include "llm/v1/admin.grpc.pb.h"
#include "llm/v1/service.grpc.pb.h"
#include "server/core/event_loop.h"
#include "server/grpc/grpc_server.h"
#include "tests/server/grpc/fake_chat_service.h"

namespace llm::server {

class GrpcFixture {
 public:
  explicit GrpcFixture(GrpcServerOptions options = {},
                       const grpc::ChannelArguments& client = {},
                       std::shared_ptr<grpc::ChannelCredentials> credentials =
                           grpc::InsecureChannelCredentials())
      : loops_{EventLoop(0), EventLoop(1)} {
    options.listen = "127.0.0.1:0";
    std::vector<GrpcLane> lanes;
    for (EventLoop& loop : loops_) {
      loop.Start();
      lanes.push_back({&loop, &service});
    }
    auto started = GrpcServer::Start(options, lanes, clock);
    REQUIRE(started.ok());
    server = *std::move(started);
    channel =
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server->port()),
                                  credentials, ClientArguments(client));
    stub = v1::LlmService::NewStub(channel);
    admin = v1::AdminService::NewStub(channel);
  }

  // A fresh context with a key.
  static std::unique_ptr<grpc::ClientContext> Context(
      std::string_view authorization = FakeChatService::kKey) {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", std::string(authorization));
    return context;
  }

  SystemClock clock;
  FakeChatService service;

 private:
  static grpc::ChannelArguments ClientArguments(grpc::ChannelArguments client) {
    client.SetMaxReceiveMessageSize(-1);
    // Otherwise all fixtures of this process share one connection pool.
    client.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return client;
  }

  EventLoop loops_[2];

 public:
  // Before the loops, which must still run then.
  std::unique_ptr<GrpcServer> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::LlmService::Stub> stub;
  std::unique_ptr<v1::AdminService::Stub> admin;
};

inline v1::ChatCompletionRequest UserRequest(std::string text = "hello") {
  v1::ChatCompletionRequest request;
  request.set_model("auto");
  v1::Message* message = request.add_messages();
  message->set_role("user");
  message->set_content(std::move(text));
  return request;
}

inline v1::ChatCompletionChunk TextChunk(std::string text) {
  v1::ChatCompletionChunk chunk;
  chunk.add_choices()->mutable_delta()->add_parts()->mutable_text()->set_text(
      std::move(text));
  return chunk;
}

// An answer of one text, and what the service says about it.
inline CallResult TextAnswer(std::string text) {
  CallResult result;
  result.response.emplace();
  v1::Message* message = result.response->add_choices()->mutable_message();
  message->set_role("assistant");
  message->add_parts()->mutable_text()->set_text(std::move(text));
  result.info.set_model("m-1");
  result.info.set_provider("p-1");
  result.info.set_attempts(2);
  result.info.mutable_cost()->set_amount("0.000123");
  result.info.mutable_cost()->set_currency("USD");
  result.info.set_overhead_us(77);
  result.info.add_dropped("seed");
  result.info.add_dropped("logprobs");
  return result;
}

// The UpstreamError in grpc-status-details-bin; fails the test if the status
// there is not the one on the wire.
inline v1::UpstreamError DetailOf(const grpc::Status& status) {
  google::protobuf::UnknownFieldSet fields;
  REQUIRE(fields.ParseFromString(status.error_details()));
  REQUIRE(fields.field_count() == 3);
  CHECK(fields.field(0).number() == 1);
  CHECK(fields.field(0).varint() == static_cast<uint64_t>(status.error_code()));
  CHECK(fields.field(1).number() == 2);
  CHECK(fields.field(1).length_delimited() == status.error_message());
  REQUIRE(fields.field(2).number() == 3);
  google::protobuf::Any any;
  REQUIRE(any.ParseFromString(fields.field(2).length_delimited()));
  v1::UpstreamError detail;
  REQUIRE(any.UnpackTo(&detail));
  return detail;
}

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

inline std::string Value(const Metadata& metadata, const char* key) {
  const auto it = metadata.find(key);
  return it == metadata.end()
             ? std::string()
             : std::string(it->second.data(), it->second.size());
}

}  // namespace llm::server

#endif  // LLM_TESTS_SERVER_GRPC_GRPC_FIXTURE_H_
