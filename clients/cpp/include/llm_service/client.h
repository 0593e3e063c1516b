// LLM Service from C++: chat, streams, embeddings, models, usage.
//
//   llm::client::ClientOptions options;
//   options.target = "llm-service:9004";
//   options.key = key;  // "sk-…"
//   auto client = llm::client::Client::Create(options);
//   llm::v1::ChatCompletionRequest request;
//   llm::client::AddMessage("user", "Say hello", &request);
//   auto answer = client->Chat(request);   // absl::StatusOr
//   if (answer.ok()) std::cout << llm::client::AnswerText(*answer);
//
// Requests and answers are the messages of llm/v1; their fields are documented
// there.
//
// Threads:   All methods, any number of threads, one Client: calls share one
//            HTTP/2 connection. Each call waits in its own thread.
// Ownership: A cheap value; copies share the connection, which closes with the
//            last copy and the last stream.
// Errors:    Every call gives absl::Status; error.h reads the service's detail.
//            No exceptions are thrown.
// Retries:   The service repeats and falls back; the library does not, except
//            where a request has never left for the service.
// fork():    gRPC does not survive it: create the Client in the child.
#ifndef LLM_SERVICE_CLIENT_H_
#define LLM_SERVICE_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "llm/v1/chat.pb.h"
#include "llm/v1/embeddings.pb.h"
#include "llm/v1/models.pb.h"
#include "llm/v1/usage.pb.h"
#include "llm_service/call_options.h"
#include "llm_service/chat_stream.h"

namespace llm::client {

// The channel; the library's own.
class Connection;

// PEM files, read by Client::Create.
struct TlsOptions {
  // Who signed the service's certificate; empty: the system's authorities.
  std::string ca_file;
  // The caller's own, where the service asks for one: both or neither.
  std::string cert_file;
  std::string key_file;
  // The name to expect in the service's certificate, where it is not the
  // target's.
  std::string server_name;
};

struct ClientOptions {
  // Any gRPC name: "host:9004", "dns:///host:9004", "unix:/run/llm.sock"; no
  // "http://".
  std::string target = "127.0.0.1:9004";
  // Absent: no encryption, for loopback and meshes. Over it the key is
  // readable to whoever can listen.
  std::optional<TlsOptions> tls;
  // Virtual key ("sk-…"); white space around it is dropped. Empty: none.
  std::string key;
  // For calls that name none. Long analyses take up to 450 s.
  absl::Duration default_timeout = absl::Minutes(10);
  // For calls and requests that say nothing else.
  Tags tags;
  // The service's `server.max_body`; larger requests are not sent.
  int64_t max_request_bytes = int64_t{32} << 20;
  // The service's answers are at most this large.
  int64_t max_response_bytes = int64_t{64} << 20;
  // Pings while the connection is silent, also without calls: a dead peer or
  // a forgotten flow in a firewall is found within this and 20 s. At least
  // 10 s, which is what servers put up with; infinite: off.
  absl::Duration keep_alive = absl::Seconds(10);
};

// Called for each chunk, in order, in the thread that called. Any status but
// OK cancels the call, which then ends with it. An empty one hears nothing.
using ChunkCallback =
    std::function<absl::Status(const v1::ChatCompletionChunk&)>;

class Client {
 public:
  // Does not connect: the first call does. kInvalidArgument where an option is
  // impossible or a file is no PEM, kNotFound where it cannot be read.
  static absl::StatusOr<Client> Create(const ClientOptions& options);

  // One answer, whole.
  absl::StatusOr<v1::ChatCompletionResponse> Chat(
      v1::ChatCompletionRequest request, const CallOptions& options = {}) const;

  // The answer as it comes. Waits only until the request is sent; a call that
  // could not start is a stream that has ended. Usage is asked for where the
  // request has no `stream_options`: Answer().usage().
  ChatStream StreamChat(v1::ChatCompletionRequest request,
                        const CallOptions& options = {}) const;

  // The same with a callback; waits for the end and gives the whole answer.
  // A template, so that StreamChat(request, {}) means empty options.
  template <typename Callback,
            typename = std::enable_if_t<
                std::is_convertible_v<const Callback&, ChunkCallback>>>
  absl::StatusOr<v1::ChatCompletionResponse> StreamChat(
      v1::ChatCompletionRequest request, const Callback& on_chunk,
      const CallOptions& options = {}) const {
    return StreamTo(ChunkCallback(on_chunk), std::move(request), options);
  }

  // Vectors of floats, one for each input, in their order.
  absl::StatusOr<v1::CreateEmbeddingsResponse> CreateEmbeddings(
      v1::CreateEmbeddingsRequest request,
      const CallOptions& options = {}) const;

  // The models that the key may use, with prices, capabilities and health.
  absl::StatusOr<v1::ListModelsResponse> ListModels(
      const CallOptions& options = {}) const;

  // What was used and what it cost, of the key's own calls.
  absl::StatusOr<v1::GetUsageResponse> GetUsage(
      const v1::GetUsageRequest& request,
      const CallOptions& options = {}) const;

  // The same for one run, grouped by any of model, agent, task_type, …; no
  // group: the total alone. Calls count once they have ended at the service: a
  // cancelled one a moment after it ended here.
  absl::StatusOr<v1::GetUsageResponse> GetRunUsage(
      const std::string& run_id, const std::vector<std::string>& by = {"model"},
      const CallOptions& options = {}) const;

 private:
  explicit Client(std::shared_ptr<const Connection> connection);
  absl::StatusOr<v1::ChatCompletionResponse> StreamTo(
      const ChunkCallback& on_chunk, v1::ChatCompletionRequest request,
      const CallOptions& options) const;
  // Shared by copies and by streams, which may outlive them.
  std::shared_ptr<const Connection> connection_;
};

}  // namespace llm::client

#endif  // LLM_SERVICE_CLIENT_H_
