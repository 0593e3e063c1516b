// Callback reactors against completion queues for the gRPC edge: CPU of the
// server process per call, with the whole hand-over included (gRPC thread →
// mailbox → coroutine on the loop → back, and again for every write and the
// end of the call). What the coroutine does is the same trifle in both.
//
//   grpc_edge_bench [calls=20000] [in_flight=64] [rounds=5] [chunks=50]
//
// Each server is a process of its own, made before gRPC starts; rounds
// alternate between them, so that a noisy machine is noisy for both.
#include <grpcpp/grpcpp.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "adapters/core/task.h"
#include "llm/v1/service.grpc.pb.h"
#include "server/core/event_loop.h"
#include "server/core/mailbox.h"

namespace llm::server {
namespace {

namespace asio = boost::asio;
using Request = v1::ChatCompletionRequest;
using Response = v1::ChatCompletionResponse;
using Chunk = v1::ChatCompletionChunk;

void FillAnswer(const Request& request, Response* response) {
  response->set_model(request.model());
  response->add_choices()->mutable_message()->set_content(
      std::string(600, 'a'));
}

// One wait at a time, woken on the loop.
class Waiter {
 public:
  Task<void> Wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [this](auto handler) {
          waiter_ = [resume = std::move(handler)]() mutable {
            std::move(resume)();
          };
        },
        asio::use_awaitable);
  }
  void Wake() {
    auto waiter = std::exchange(waiter_, nullptr);
    waiter();
  }

 private:
  absl::AnyInvocable<void()> waiter_;
};

// What both edges run on the loop for a stream.
template <typename Call>
Task<void> WriteChunks(Call& call, int count) {
  for (int i = 0; i < count; ++i) {
    Chunk chunk;
    chunk.add_choices()->mutable_delta()->set_content("some text ");
    co_await call.WriteOne(std::move(chunk));
  }
}

// The loop of a server and the way to it.
struct Lane {
  EventLoop loop{0};
  Mailbox mailbox{loop.context()};
};

// --- Callback reactors ----------------------------------------------------

class CallbackUnary final : public grpc::ServerUnaryReactor {
 public:
  CallbackUnary(Lane& lane, const Request* request, Response* response)
      : lane_(lane), request_(request), response_(response) {
    lane_.mailbox.Post([this] {
      asio::co_spawn(
          lane_.loop.context(), Run(),
          [this](const std::exception_ptr&) { Finish(grpc::Status::OK); });
    });
  }

 private:
  Task<void> Run() {
    FillAnswer(*request_, response_);
    co_return;
  }
  void OnCancel() override {
    lane_.mailbox.Post([] {});
  }
  void OnDone() override {
    lane_.mailbox.Post([self = std::unique_ptr<CallbackUnary>(this)] {});
  }
  Lane& lane_;
  const Request* request_;
  Response* response_;
};

class CallbackStream final : public grpc::ServerWriteReactor<Chunk> {
 public:
  CallbackStream(Lane& lane, int chunks) : lane_(lane) {
    lane_.mailbox.Post([this, chunks] {
      asio::co_spawn(
          lane_.loop.context(), WriteChunks(*this, chunks),
          [this](const std::exception_ptr&) { Finish(grpc::Status::OK); });
    });
  }
  Task<void> WriteOne(Chunk chunk) {
    chunk_ = std::move(chunk);
    StartWrite(&chunk_);
    co_await waiter_.Wait();
  }

 private:
  void OnWriteDone(bool /*ok*/) override {
    lane_.mailbox.Post([this] { waiter_.Wake(); });
  }
  void OnCancel() override {
    lane_.mailbox.Post([] {});
  }
  void OnDone() override {
    lane_.mailbox.Post([self = std::unique_ptr<CallbackStream>(this)] {});
  }
  Lane& lane_;
  Chunk chunk_;
  Waiter waiter_;
};

class CallbackEdge final : public v1::LlmService::CallbackService {
 public:
  CallbackEdge(Lane& lane, int chunks) : lane_(lane), chunks_(chunks) {}
  grpc::ServerUnaryReactor* ChatCompletion(grpc::CallbackServerContext*,
                                           const Request* request,
                                           Response* response) override {
    return new CallbackUnary(lane_, request, response);
  }
  grpc::ServerWriteReactor<Chunk>* StreamChatCompletion(
      grpc::CallbackServerContext*, const Request*) override {
    return new CallbackStream(lane_, chunks_);
  }

 private:
  Lane& lane_;
  int chunks_;
};

// --- Completion queue -----------------------------------------------------

using Tag = std::function<void(bool)>;

struct QueueEdge {
  Lane& lane;
  v1::LlmService::AsyncService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  int chunks = 0;
};

// Common life: arrived → loop → finished and done → deleted on the loop.
class QueueCall {
 public:
  explicit QueueCall(QueueEdge& edge) : edge_(edge) {
    arrived_ = [this](bool ok) { Arrived(ok); };
    finished_ = [this](bool) { Over(); };
    // Also how a cancellation would be noticed.
    done_ = [this](bool) { Over(); };
    context_.AsyncNotifyWhenDone(&done_);
  }
  virtual ~QueueCall() = default;

 protected:
  virtual void Renew() = 0;
  virtual Task<void> Run() = 0;
  virtual void Finish() = 0;

  QueueEdge& edge_;
  grpc::ServerContext context_;
  Request request_;
  Tag arrived_;
  Tag finished_;

 private:
  void Arrived(bool ok) {
    if (!ok) return;  // the server ends
    Renew();
    edge_.lane.mailbox.Post([this] {
      asio::co_spawn(edge_.lane.loop.context(), Run(),
                     [this](const std::exception_ptr&) { Finish(); });
    });
  }
  void Over() {
    edge_.lane.mailbox.Post([this] {
      if (++over_ == 2) delete this;
    });
  }
  Tag done_;
  int over_ = 0;
};

class QueueUnary final : public QueueCall {
 public:
  explicit QueueUnary(QueueEdge& edge)
      : QueueCall(edge), responder_(&context_) {
    edge.service.RequestChatCompletion(&context_, &request_, &responder_,
                                       edge.queue.get(), edge.queue.get(),
                                       &arrived_);
  }

 private:
  void Renew() override { new QueueUnary(edge_); }
  Task<void> Run() override {
    FillAnswer(request_, &response_);
    co_return;
  }
  void Finish() override {
    responder_.Finish(response_, grpc::Status::OK, &finished_);
  }
  Response response_;
  grpc::ServerAsyncResponseWriter<Response> responder_;
};

class QueueStream final : public QueueCall {
 public:
  explicit QueueStream(QueueEdge& edge) : QueueCall(edge), writer_(&context_) {
    written_ = [this](bool) {
      edge_.lane.mailbox.Post([this] { waiter_.Wake(); });
    };
    edge.service.RequestStreamChatCompletion(&context_, &request_, &writer_,
                                             edge.queue.get(), edge.queue.get(),
                                             &arrived_);
  }
  Task<void> WriteOne(Chunk chunk) {
    writer_.Write(chunk, &written_);
    co_await waiter_.Wait();
  }

 private:
  void Renew() override { new QueueStream(edge_); }
  Task<void> Run() override { return WriteChunks(*this, edge_.chunks); }
  void Finish() override { writer_.Finish(grpc::Status::OK, &finished_); }
  grpc::ServerAsyncWriter<Chunk> writer_;
  Tag written_;
  Waiter waiter_;
};

// --- The processes --------------------------------------------------------

enum class Edge { kCallback, kQueue };

// Serves until it is killed; its port goes into `out`.
[[noreturn]] void Serve(Edge kind, int chunks, int out) {
  Lane lane;
  lane.loop.Start();
  CallbackEdge callback(lane, chunks);
  QueueEdge queue{lane, {}, nullptr, chunks};
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  if (kind == Edge::kCallback) {
    builder.RegisterService(&callback);
  } else {
    builder.RegisterService(&queue.service);
    queue.queue = builder.AddCompletionQueue();
  }
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || write(out, &port, sizeof(port)) < 0) std::abort();
  if (kind == Edge::kCallback) server->Wait();
  for (int i = 0; i < 64; ++i) {
    new QueueUnary(queue);
    new QueueStream(queue);
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue.queue->Next(&tag, &ok)) (*static_cast<Tag*>(tag))(ok);
  std::_Exit(0);
}

struct Server {
  const char* name;
  pid_t pid = 0;
  int port = 0;
  std::unique_ptr<v1::LlmService::Stub> stub;

  double CpuMicros() const {
    clockid_t clock;
    timespec used{};
    clock_getcpuclockid(pid, &clock);
    clock_gettime(clock, &used);
    return static_cast<double>(used.tv_sec) * 1e6 +
           static_cast<double>(used.tv_nsec) / 1e3;
  }
};

Server Launch(const char* name, Edge kind, int chunks) {
  int pipe_ends[2];
  Server server{name, 0, 0, nullptr};
  if (pipe(pipe_ends) != 0) std::abort();
  server.pid = fork();
  if (server.pid == 0) Serve(kind, chunks, pipe_ends[1]);
  if (read(pipe_ends[0], &server.port, sizeof(server.port)) <= 0) std::abort();
  return server;
}

Request SmallRequest() {
  Request request;
  request.set_model("auto");
  v1::Message* message = request.add_messages();
  message->set_role("user");
  message->set_content(std::string(400, 'q'));
  return request;
}

// One call of the client; starts the next of its kind until none are left.
struct ClientCall {
  grpc::ClientContext context;
  Response response;
  Chunk chunk;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> unary;
  std::unique_ptr<grpc::ClientAsyncReader<Chunk>> stream;
  bool finishing = false;
};

double CpuPerCall(Server& server, bool stream, int calls, int in_flight) {
  grpc::CompletionQueue queue;
  const Request request = SmallRequest();
  int started = 0;
  int finished = 0;
  const auto start = [&] {
    if (started == calls) return;
    ++started;
    auto* call = new ClientCall;
    if (stream) {
      call->stream = server.stub->AsyncStreamChatCompletion(
          &call->context, request, &queue, call);
    } else {
      call->unary =
          server.stub->AsyncChatCompletion(&call->context, request, &queue);
      call->finishing = true;
      call->unary->Finish(&call->response, &call->status, call);
    }
  };
  const double before = server.CpuMicros();
  for (int i = 0; i < in_flight; ++i) start();
  void* tag = nullptr;
  bool ok = false;
  while (finished < calls && queue.Next(&tag, &ok)) {
    auto* call = static_cast<ClientCall*>(tag);
    if (call->finishing) {
      if (!call->status.ok()) std::abort();
      delete call;
      ++finished;
      start();
    } else if (ok) {
      call->stream->Read(&call->chunk, call);
    } else {
      call->finishing = true;
      call->stream->Finish(&call->status, call);
    }
  }
  const double used = server.CpuMicros() - before;
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return used / calls;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Compare(std::vector<Server>& servers, bool stream, int calls,
             int in_flight, int rounds) {
  std::vector<std::vector<double>> seen(servers.size());
  for (int round = 0; round <= rounds; ++round) {
    for (size_t i = 0; i < servers.size(); ++i) {
      const double cpu = CpuPerCall(servers[i], stream, calls, in_flight);
      if (round > 0) seen[i].push_back(cpu);  // the first one warms up
    }
  }
  for (size_t i = 0; i < servers.size(); ++i) {
    const auto [low, high] =
        std::minmax_element(seen[i].begin(), seen[i].end());
    std::printf("%-7s %3d in flight  %-9s %8.1f us CPU (%.1f to %.1f)\n",
                stream ? "stream" : "unary", in_flight, servers[i].name,
                Median(seen[i]), *low, *high);
  }
}

int Main(int argc, char** argv) {
  const auto number = [&](int index, int fallback) {
    return argc > index ? std::atoi(argv[index]) : fallback;
  };
  const int calls = number(1, 20000);
  const int in_flight = number(2, 64);
  const int rounds = number(3, 5);
  const int chunks = number(4, 50);
  std::vector<Server> servers;
  servers.push_back(Launch("callback", Edge::kCallback, chunks));
  servers.push_back(Launch("queue", Edge::kQueue, chunks));
  for (Server& server : servers) {
    server.stub = v1::LlmService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(server.port),
                            grpc::InsecureChannelCredentials()));
  }
  Compare(servers, false, calls, in_flight, rounds);
  Compare(servers, false, calls, 1, rounds);
  Compare(servers, true, std::max(1, calls / 20), in_flight, rounds);
  for (const Server& server : servers) kill(server.pid, SIGKILL);
  return 0;
}

}  // namespace
}  // namespace llm::server

int main(int argc, char** argv) { return llm::server::Main(argc, argv); }
