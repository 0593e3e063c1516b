// The one channel of a Client and what all its calls have in common.
//
// Threads: Any; constant after Create.
#ifndef LLM_SERVICE_SRC_CONNECTION_H_
#define LLM_SERVICE_SRC_CONNECTION_H_

#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "llm/v1/service.grpc.pb.h"
#include "llm_service/client.h"
#include "open_call.h"

namespace llm::client {

grpc::ChannelArguments ChannelArgumentsOf(const ClientOptions& options);

class Connection {
 public:
  static absl::StatusOr<std::shared_ptr<const Connection>> Make(
      const ClientOptions& given);

  v1::LlmService::StubInterface& stub() const { return *stub_; }

  // A call's context, if the request may be sent.
  absl::StatusOr<std::shared_ptr<OpenCall>> Open(
      const google::protobuf::Message& request,
      const CallOptions& options) const;

  // How a call ended.
  absl::Status ToStatus(const grpc::Status& status, const OpenCall& call) const;

  // Fills what the request leaves empty from the call's tags, then from the
  // client's; the task only where TakesTask.
  template <typename Request>
  void Tag(const CallOptions& options, Request* request) const;

 private:
  Connection(ClientOptions options, std::shared_ptr<grpc::Channel> channel);

  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::LlmService::StubInterface> stub_;
};

// A tag is a habit of the caller, and must not change the route that a request
// names: `task_type` wins over "auto-quick", "auto-deep" and "auto:…", and over
// the embedding task.
inline bool TakesTask(const v1::ChatCompletionRequest& request) {
  const std::string& model = request.model();
  return model != "auto-quick" && model != "auto-deep" &&
         !absl::StartsWith(model, "auto:");
}
inline bool TakesTask(const v1::CreateEmbeddingsRequest&) { return false; }

template <typename Request>
void FillTags(const Tags& tags, Request* request) {
  if (request->run_id().empty()) request->set_run_id(tags.run_id);
  if (request->user().empty()) request->set_user(tags.user);
  if (request->agent().empty()) request->set_agent(tags.agent);
  if (request->task_type().empty() && TakesTask(*request)) {
    request->set_task_type(tags.task_type);
  }
  if (!tags.symbol.empty()) {
    // Keeps what is there.
    request->mutable_metadata()->insert({"symbol", tags.symbol});
  }
}

template <typename Request>
void Connection::Tag(const CallOptions& options, Request* request) const {
  FillTags(options.tags, request);
  FillTags(options_.tags, request);
}

}  // namespace llm::client

#endif  // LLM_SERVICE_SRC_CONNECTION_H_
