#include "llm_service/client.h"

#include <utility>

#include "connection.h"
#include "stream_call.h"

namespace llm::client {
namespace {

using Stub = v1::LlmService::StubInterface;

// One unary call: open, ask, translate. `Method` is the stub's.
template <typename Response, typename Request>
absl::StatusOr<Response> Ask(const Connection& connection,
                             grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                          const Request&,
                                                          Response*),
                             const Request& request,
                             const CallOptions& options) {
  if (options.received != nullptr) options.received->clear();
  auto call = connection.Open(request, options);
  if (!call.ok()) return call.status();
  Response response;
  const grpc::Status status =
      (connection.stub().*method)(&(*call)->context, request, &response);
  (*call)->has_metadata = true;
  if (options.received != nullptr) *options.received = MetadataFrom(**call);
  if (status.ok()) return response;
  return connection.ToStatus(status, **call);
}

}  // namespace

Client::Client(std::shared_ptr<const Connection> connection)
    : connection_(std::move(connection)) {}

absl::StatusOr<Client> Client::Create(const ClientOptions& options) {
  auto connection = Connection::Make(options);
  if (!connection.ok()) return connection.status();
  return Client(*std::move(connection));
}

absl::StatusOr<v1::ChatCompletionResponse> Client::Chat(
    v1::ChatCompletionRequest request, const CallOptions& options) const {
  connection_->Tag(options, &request);
  return Ask(*connection_, &Stub::ChatCompletion, request, options);
}

ChatStream Client::StreamChat(v1::ChatCompletionRequest request,
                              const CallOptions& options) const {
  connection_->Tag(options, &request);
  // Without it a stream has no usage, and Answer() less than Chat() gives.
  if (!request.has_stream_options()) {
    request.mutable_stream_options()->set_include_usage(true);
  }
  auto call = connection_->Open(request, options);
  if (!call.ok()) {
    return ChatStream(std::make_unique<ChatStream::Call>(call.status()));
  }
  return ChatStream(std::make_unique<ChatStream::Call>(
      connection_, *std::move(call), request));
}

absl::StatusOr<v1::ChatCompletionResponse> Client::StreamTo(
    const ChunkCallback& on_chunk, v1::ChatCompletionRequest request,
    const CallOptions& options) const {
  if (options.received != nullptr) options.received->clear();
  ChatStream stream = StreamChat(std::move(request), options);
  absl::Status status;
  while (const auto chunk = stream.Next()) {
    if (on_chunk != nullptr) status = on_chunk(*chunk);
    if (!status.ok()) break;
  }
  if (options.received != nullptr) *options.received = stream.Metadata();
  if (!status.ok()) return status;
  status = stream.Finish();
  if (!status.ok()) return status;
  return stream.Answer();
}

absl::StatusOr<v1::CreateEmbeddingsResponse> Client::CreateEmbeddings(
    v1::CreateEmbeddingsRequest request, const CallOptions& options) const {
  connection_->Tag(options, &request);
  return Ask(*connection_, &Stub::CreateEmbeddings, request, options);
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels(
    const CallOptions& options) const {
  return Ask(*connection_, &Stub::ListModels, v1::ListModelsRequest(), options);
}

absl::StatusOr<v1::GetUsageResponse> Client::GetUsage(
    const v1::GetUsageRequest& request, const CallOptions& options) const {
  return Ask(*connection_, &Stub::GetUsage, request, options);
}

absl::StatusOr<v1::GetUsageResponse> Client::GetRunUsage(
    const std::string& run_id, const std::vector<std::string>& by,
    const CallOptions& options) const {
  v1::GetUsageRequest request;
  (*request.mutable_filter())["run_id"] = run_id;
  for (const std::string& group : by) request.add_by(group);
  return GetUsage(request, options);
}

}  // namespace llm::client
