// A scripted HttpService, and a server on one real loop in front of it.
//
// Threads: The service's methods run on the server's loop; what the test's
//          thread reads is atomic or behind the mutex.
#ifndef LLM_TESTS_SERVER_HTTP_FAKE_SERVICE_H_
#define LLM_TESTS_SERVER_HTTP_FAKE_SERVICE_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/mutex.h"
#include "router/call_error.h"
#include "server/core/event_loop.h"
#include "server/core/http_service.h"
#include "server/http/http_server.h"

namespace llm::server {

class FakeService : public HttpService {
 public:
  using ChatScript = std::function<Task<CallResult>(
      const CallContext&, const ChatRequest&, ChunkSink*)>;

  // What the next calls do; set before the server starts.
  ChatScript on_chat;
  std::string key;  // "Bearer …" that is let in; empty: everyone
  bool ready = true;
  bool key_id_of_credentials = false;  // callers are told apart

  absl::StatusOr<Caller> Authenticate(
      std::string_view authorization) const override {
    if (!key.empty() && authorization != key) return Unauthenticated();
    Caller caller;
    caller.tenant = "test";
    if (key_id_of_credentials) {
      caller.key_id.value = std::string(authorization);
    }
    return caller;
  }
  absl::Status AuthoriseAdmin(std::string_view authorization) const override {
    if (authorization != "Bearer admin") return Unauthenticated();
    return absl::OkStatus();
  }
  CallContext NewCall(Caller caller, std::string_view door) const override {
    CallContext context;
    context.call_id.value = "call-1";
    context.caller = std::move(caller);
    context.door = std::string(door);
    context.received = Instant{absl::Hours(1)};
    return context;
  }
  Task<CallResult> Chat(const CallContext& context, const ChatRequest& request,
                        ChunkSink* sink) override {
    Saw(context, request);
    return on_chat(context, request, sink);
  }
  // Each text has the vector {its length, 0.5}; models called "bad" fail.
  Task<EmbedCallResult> Embed(
      const CallContext& context,
      const v1::CreateEmbeddingsRequest& request) override;
  v1::CreateEmbeddingsRequest last_embed() const {
    const MutexLock lock(mutex_);
    return embed_;
  }
  absl::StatusOr<RoutePlan> Explain(const CallContext& context,
                                    const ChatRequest& request) const override;
  v1::ListModelsResponse ListModels(const Caller&) const override;
  absl::StatusOr<v1::Model> GetModel(const Caller&,
                                     std::string_view id) const override;
  Task<absl::StatusOr<v1::GetUsageResponse>> GetUsage(
      const Caller&, const v1::GetUsageRequest& request) override;
  Task<absl::StatusOr<v1::CreateKeyResponse>> CreateKey(
      const v1::CreateKeyRequest& request) override;
  Task<absl::StatusOr<v1::ListKeysResponse>> ListKeys(
      const v1::ListKeysRequest& request) override;
  Task<absl::StatusOr<v1::RevokeKeyResponse>> RevokeKey(
      const v1::RevokeKeyRequest& request) override;
  v1::ListProvidersResponse ListProviders() const override;
  Task<absl::StatusOr<v1::TestProviderResponse>> TestProvider(
      const v1::TestProviderRequest& request) override;
  bool Ready() const override { return ready; }
  std::string ReadinessJson() const override {
    return "{\"ready\":" + std::string(ready ? "true" : "false") + "}";
  }

  // The context and message of the last chat call.
  CallContext last_context() const {
    const MutexLock lock(mutex_);
    return context_;
  }
  v1::ChatCompletionRequest last_message() const {
    const MutexLock lock(mutex_);
    return message_;
  }

  v1::CreateKeyRequest last_create() const {
    const MutexLock lock(mutex_);
    return create_;
  }
  void NoteRefusal(const CallContext&, std::string_view code, int) override {
    const MutexLock lock(mutex_);
    refused_code_ = std::string(code);
  }
  // Of the last refusal that was noted.
  std::string refused_code() const {
    const MutexLock lock(mutex_);
    return refused_code_;
  }
  std::string last_revoked() const {
    const MutexLock lock(mutex_);
    return revoked_;
  }

 private:
  static absl::Status Unauthenticated() {
    return RefuseCall(absl::StatusCode::kUnauthenticated, "invalid_api_key",
                      "missing or wrong API key");
  }
  void Saw(const CallContext& context, const ChatRequest& request) {
    const MutexLock lock(mutex_);
    context_ = context;
    message_ = request.message;
  }

  mutable Mutex mutex_;
  CallContext context_ ABSL_GUARDED_BY(mutex_);
  v1::ChatCompletionRequest message_ ABSL_GUARDED_BY(mutex_);
  v1::CreateEmbeddingsRequest embed_ ABSL_GUARDED_BY(mutex_);
  v1::CreateKeyRequest create_ ABSL_GUARDED_BY(mutex_);
  std::string revoked_ ABSL_GUARDED_BY(mutex_);
  std::string refused_code_ ABSL_GUARDED_BY(mutex_);
};

// Something one thread waits for and another announces.
class Signal {
 public:
  void Set() {
    const MutexLock lock(mutex_);
    set_ = true;
    changed_.NotifyAll();
  }
  bool IsSet() {
    const MutexLock lock(mutex_);
    return set_;
  }
  // False when it did not come within a time no healthy run needs.
  bool Wait() {
    const MutexLock lock(mutex_);
    for (int i = 0; i < 200 && !set_; ++i) {
      changed_.WaitFor(mutex_, absl::Milliseconds(50));
    }
    return set_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool set_ ABSL_GUARDED_BY(mutex_) = false;
};

// An answer of one choice with `text`.
CallResult WholeAnswer(std::string_view text);
v1::ChatCompletionChunk TextChunk(std::string_view text);
// The last chunk of a stream: finish reason and llm_service.
v1::ChatCompletionChunk LastChunk();

// Waits on the loop until the call is cancelled.
Task<void> UntilCancelled();

// A script that answers with the caller's `agent`, so that answers can be told
// apart.
Task<CallResult> Echo(const CallContext&, const ChatRequest& request,
                      ChunkSink*);
// Options with a sweep that is soon.
HttpServerOptions Quick();

// A server on a loopback port; stops when it goes.
class RunningServer {
 public:
  explicit RunningServer(FakeService& service, HttpServerOptions options = {},
                         int loops = 1);
  ~RunningServer();
  uint16_t port() const { return server_->port(); }
  HttpServer& server() { return *server_; }

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::unique_ptr<HttpServer> server_;
};

// A client that sends and reads raw bytes on a blocking socket.
class RawClient {
 public:
  explicit RawClient(uint16_t port);
  ~RawClient();
  void Send(std::string_view bytes);
  // Half-closes.
  void FinishSending();
  // Sends a reset instead of an orderly end.
  void Reset();
  // Reads until `text` has been seen; what was read, also when the server
  // closed first.
  std::string ReadUntil(std::string_view text);
  // Reads until the server closes.
  std::string ReadAll();
  bool closed() const { return closed_; }

 private:
  bool ReadSome();
  int fd_ = -1;
  bool closed_ = false;
  std::string seen_;
};

// All that comes back on a connection of its own, until the server closes it.
inline std::string AskRaw(uint16_t port, std::string_view bytes) {
  RawClient client(port);
  client.Send(bytes);
  return client.ReadAll();
}
// A POST of a minimal chat request with `members` added to its body.
std::string ChatPost(std::string_view members = "",
                     std::string_view headers = "",
                     std::string_view path = "/v1/chat/completions");
// The status of the first answer in `bytes`; 0 if there is none.
int StatusOf(std::string_view bytes);
// The value of a header of the first answer; empty if it has none.
std::string HeaderOf(std::string_view bytes, std::string_view name);

}  // namespace llm::server

#endif  // LLM_TESTS_SERVER_HTTP_FAKE_SERVICE_H_
