// llm.v1.LlmService on a free port whose answers a test scripts, and a Client
// beside it. Handlers run in gRPC's threads: no assertions in them.
#ifndef LLM_TESTS_CLIENTS_CPP_SCRIPTED_SERVICE_H_
#define LLM_TESTS_CLIENTS_CPP_SCRIPTED_SERVICE_H_

#include <google/protobuf/any.pb.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "llm/v1/service.grpc.pb.h"
#include "llm_service/client.h"
#include "llm_service/messages.h"

namespace llm::client {

using Metadata = std::multimap<std::string, std::string>;
using ChunkWriter = grpc::ServerWriter<v1::ChatCompletionChunk>;

class ScriptedService final : public v1::LlmService::Service {
 public:
  std::function<grpc::Status(grpc::ServerContext*,
                             const v1::ChatCompletionRequest&,
                             v1::ChatCompletionResponse*)>
      chat = [](auto*, const auto&, auto*) { return grpc::Status::OK; };
  std::function<grpc::Status(grpc::ServerContext*,
                             const v1::ChatCompletionRequest&, ChunkWriter*)>
      stream = [](auto*, const auto&, auto*) { return grpc::Status::OK; };
  std::atomic<int> calls{0};

  Metadata metadata() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return metadata_;
  }
  // The last request of its kind.
  template <typename Request>
  Request Last() {
    const std::lock_guard<std::mutex> lock(mutex_);
    Request request;
    last_.UnpackTo(&request);
    return request;
  }

  grpc::Status ChatCompletion(grpc::ServerContext* context,
                              const v1::ChatCompletionRequest* request,
                              v1::ChatCompletionResponse* response) override {
    Note(*context, *request);
    return chat(context, *request, response);
  }
  grpc::Status StreamChatCompletion(grpc::ServerContext* context,
                                    const v1::ChatCompletionRequest* request,
                                    ChunkWriter* writer) override {
    Note(*context, *request);
    return stream(context, *request, writer);
  }
  grpc::Status CreateEmbeddings(
      grpc::ServerContext* context, const v1::CreateEmbeddingsRequest* request,
      v1::CreateEmbeddingsResponse* response) override {
    Note(*context, *request);
    response->add_data()->add_embedding(0.5F);
    return grpc::Status::OK;
  }
  grpc::Status ListModels(grpc::ServerContext* context,
                          const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* response) override {
    Note(*context, *request);
    response->add_data()->set_id("m-1");
    return grpc::Status::OK;
  }
  grpc::Status GetUsage(grpc::ServerContext* context,
                        const v1::GetUsageRequest* request,
                        v1::GetUsageResponse* response) override {
    Note(*context, *request);
    response->mutable_total()->set_requests(3);
    return grpc::Status::OK;
  }

 private:
  void Note(const grpc::ServerContext& context,
            const google::protobuf::Message& request) {
    calls.fetch_add(1);
    const std::lock_guard<std::mutex> lock(mutex_);
    last_.PackFrom(request);
    metadata_.clear();
    for (const auto& [name, value] : context.client_metadata()) {
      metadata_.emplace(std::string(name.data(), name.size()),
                        std::string(value.data(), value.size()));
    }
  }

  std::mutex mutex_;
  google::protobuf::Any last_;
  Metadata metadata_;
};

class ClientFixture {
 public:
  explicit ClientFixture(const std::shared_ptr<grpc::ServerCredentials>&
                             credentials = grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~ClientFixture() {
    // Cancels what a failed test has left.
    server_->Shutdown(std::chrono::system_clock::now());
  }

  ClientOptions Options() const {
    ClientOptions options;
    options.target = "127.0.0.1:" + std::to_string(port_);
    options.default_timeout = absl::Seconds(60);
    return options;
  }
  Client Connect() const { return Connect(Options()); }
  static Client Connect(const ClientOptions& options) {
    auto client = Client::Create(options);
    REQUIRE(client.ok());
    return *std::move(client);
  }

  ScriptedService service;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

inline v1::ChatCompletionRequest Hello() {
  v1::ChatCompletionRequest request;
  AddMessage("user", "hello", &request);
  return request;
}

inline v1::ChatCompletionChunk TextChunk(const std::string& text) {
  v1::ChatCompletionChunk chunk;
  chunk.add_choices()->mutable_delta()->set_content(text);
  return chunk;
}

// As the service sends a failure; google.rpc.Status written by hand.
inline grpc::Status Failure(grpc::StatusCode code,
                            const v1::UpstreamError& detail) {
  google::protobuf::Any any;
  any.PackFrom(detail);
  const std::string packed = any.SerializeAsString();
  std::string details = {0x08, static_cast<char>(code), 0x1a};
  for (size_t size = packed.size(); true; size >>= 7) {
    details += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f) break;
  }
  return {code, detail.message(), details + packed};
}

// Waits for the caller's cancellation to reach this side.
inline bool SeesCancel(grpc::ServerContext* context) {
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (!context->IsCancelled() && absl::Now() < limit) {
    std::this_thread::yield();
  }
  return context->IsCancelled();
}

inline std::string One(const Metadata& metadata, const std::string& name) {
  return metadata.count(name) == 1 ? metadata.find(name)->second : "";
}

}  // namespace llm::client

#endif  // LLM_TESTS_CLIENTS_CPP_SCRIPTED_SERVICE_H_
