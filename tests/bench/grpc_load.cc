// gRPC calls, many at once, through the generated stubs. Prints one line of
// JSON: calls or deltas, latencies, and how late each delta is after its
// upstream sent it (the simulator's STAMP-OF-SENDING).
//
//   grpc_load --port P --text-file F [--key K] [--model m] [--connections 16]
//             [--seconds 3]                 unary, one call at a time on each
//             [--calls N]                   instead of seconds: so many in all
//             [--streams 50] [--rounds 1]   streams, spread over connections
//             [--hold]                      holds them; see stream_load.cc
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "llm/v1/service.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;
using llm::v1::ChatCompletionChunk;
using llm::v1::ChatCompletionRequest;
using llm::v1::ChatCompletionResponse;
using llm::v1::LlmService;

struct Options {
  int port = 0;
  std::string text_file;
  std::string key;
  std::string model = "m";
  int connections = 16;
  double seconds = 3;
  int calls = 0;
  int streams = 0;
  int rounds = 1;
  bool hold = false;
};

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             Clock::now().time_since_epoch())
      .count();
}

struct Tally {
  std::mutex mutex;
  std::vector<int64_t> micros;  // a call's latency, or a delta's lateness
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::atomic<int> failed{0};
  std::atomic<bool> stop{false};

  void Add(int64_t value) {
    const std::lock_guard lock(mutex);
    micros.push_back(value);
  }
  void Ended(const grpc::Status& status) {
    if (status.ok()) {
      ++ended;
    } else if (failed++ == 0) {
      std::fprintf(stderr, "%d %s\n", static_cast<int>(status.error_code()),
                   status.error_message().c_str());
    }
  }
};

void Prepare(const Options& options, grpc::ClientContext* context) {
  context->AddMetadata("authorization", "Bearer " + options.key);
}

// One call at a time until it is told to stop.
class UnaryLane {
 public:
  UnaryLane(const Options& options, LlmService::Stub* stub,
            const ChatCompletionRequest& request, Tally* tally)
      : options_(options), stub_(stub), request_(request), tally_(tally) {}

  void Next() {
    context_ = std::make_unique<grpc::ClientContext>();
    Prepare(options_, context_.get());
    began_ = NowMicros();
    stub_->async()->ChatCompletion(
        context_.get(), &request_, &response_, [this](grpc::Status status) {
          tally_->Add(NowMicros() - began_);
          tally_->Ended(status);
          if (tally_->stop || !status.ok() || AllMade()) {
            done_ = true;
            return;
          }
          Next();
        });
  }
  bool done() const { return done_; }

 private:
  bool AllMade() const {
    return options_.calls > 0 && tally_->ended >= options_.calls;
  }
  const Options& options_;
  LlmService::Stub* const stub_;
  const ChatCompletionRequest& request_;
  Tally* const tally_;
  std::unique_ptr<grpc::ClientContext> context_;
  ChatCompletionResponse response_;
  int64_t began_ = 0;
  std::atomic<bool> done_{false};
};

// So many streams, one after the other.
class StreamLane : public grpc::ClientReadReactor<ChatCompletionChunk> {
 public:
  StreamLane(const Options& options, LlmService::Stub* stub,
             const ChatCompletionRequest& request, Tally* tally)
      : options_(options),
        stub_(stub),
        request_(request),
        tally_(tally),
        left_(options.rounds) {}

  void Next() {
    context_ = std::make_unique<grpc::ClientContext>();
    Prepare(options_, context_.get());
    first_ = true;
    stub_->async()->StreamChatCompletion(context_.get(), &request_, this);
    StartRead(&chunk_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (first_) ++tally_->begun;
    first_ = false;
    for (const auto& choice : chunk_.choices()) {
      const std::string& text = choice.delta().content();
      if (text.size() < 16) continue;
      tally_->Add(NowMicros() - std::atoll(text.substr(0, 16).c_str()));
    }
    StartRead(&chunk_);
  }
  void OnDone(const grpc::Status& status) override {
    tally_->Ended(status);
    if (--left_ == 0 || !status.ok()) {
      done_ = true;
      return;
    }
    Next();
  }
  void Cancel() { context_->TryCancel(); }
  bool done() const { return done_; }

 private:
  const Options& options_;
  LlmService::Stub* const stub_;
  const ChatCompletionRequest& request_;
  Tally* const tally_;
  std::unique_ptr<grpc::ClientContext> context_;
  ChatCompletionChunk chunk_;
  int left_;
  bool first_ = true;
  std::atomic<bool> done_{false};
};

std::vector<std::unique_ptr<LlmService::Stub>> Connect(const Options& options) {
  std::vector<std::unique_ptr<LlmService::Stub>> stubs;
  for (int i = 0; i < options.connections; ++i) {
    grpc::ChannelArguments arguments;
    // A connection of its own for each.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs.push_back(LlmService::NewStub(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(options.port),
        grpc::InsecureChannelCredentials(), arguments)));
  }
  return stubs;
}

template <typename Lanes>
void WaitFor(const Lanes& lanes) {
  const auto all = [&] {
    return std::all_of(lanes.begin(), lanes.end(),
                       [](const auto& lane) { return lane->done(); });
  };
  while (!all()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

template <typename Lane>
std::vector<std::unique_ptr<Lane>> Start(
    const Options& options, int count,
    const std::vector<std::unique_ptr<LlmService::Stub>>& stubs,
    const ChatCompletionRequest& request, Tally* tally) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < count; ++i) {
    const auto& stub = stubs[static_cast<size_t>(i) % stubs.size()];
    lanes.push_back(
        std::make_unique<Lane>(options, stub.get(), request, tally));
    lanes.back()->Next();
  }
  return lanes;
}

void HoldOpen(const Options& options, Tally& tally) {
  while (tally.begun + tally.failed < options.streams) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::printf("open %d\n", tally.begun.load());
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

long long At(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(static_cast<double>(sorted.size() - 1) *
                                    share)];
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"gRPC calls, many at once"};
  app.add_option("--port", options.port)->required();
  app.add_option("--text-file", options.text_file, "The user's message")
      ->required();
  app.add_option("--key", options.key);
  app.add_option("--model", options.model);
  app.add_option("--connections", options.connections);
  app.add_option("--seconds", options.seconds);
  app.add_option("--calls", options.calls);
  app.add_option("--streams", options.streams);
  app.add_option("--rounds", options.rounds);
  app.add_flag("--hold", options.hold);
  CLI11_PARSE(app, argc, argv);
  std::ifstream file(options.text_file, std::ios::binary);
  ChatCompletionRequest request;
  request.set_model(options.model);
  llm::v1::Message& message = *request.add_messages();
  message.set_role("user");
  message.set_content(std::string{std::istreambuf_iterator<char>(file), {}});
  const auto stubs = Connect(options);
  Tally tally;
  const auto began = Clock::now();
  if (options.streams == 0) {
    const auto lanes =
        Start<UnaryLane>(options, options.connections, stubs, request, &tally);
    if (options.calls == 0) {
      std::this_thread::sleep_for(
          std::chrono::duration<double>(options.seconds));
      tally.stop = true;
    }
    WaitFor(lanes);
  } else {
    const auto lanes =
        Start<StreamLane>(options, options.streams, stubs, request, &tally);
    if (options.hold) {
      HoldOpen(options, tally);
      for (const auto& lane : lanes) lane->Cancel();
    }
    WaitFor(lanes);
  }
  const std::chrono::duration<double> took = Clock::now() - began;
  std::sort(tally.micros.begin(), tally.micros.end());
  std::printf(
      "{\"seconds\":%.3f,\"ended\":%d,\"failed\":%d,\"samples\":%zu,"
      "\"us\":{\"p50\":%lld,\"p90\":%lld,\"p99\":%lld,\"max\":%lld}}\n",
      took.count(), tally.ended.load(), tally.failed.load(),
      tally.micros.size(), At(tally.micros, 0.5), At(tally.micros, 0.9),
      At(tally.micros, 0.99), At(tally.micros, 1));
  return tally.failed == 0 || options.hold ? 0 : 1;
}
