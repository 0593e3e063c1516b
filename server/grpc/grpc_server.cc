#include "server/grpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/grpc/accept_calls.h"
#include "server/grpc/queue_call.h"

namespace llm::server {
namespace {

std::shared_ptr<grpc::ServerCredentials> MakeCredentials(const GrpcTls& tls) {
  if (tls.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      tls.client_ca.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.client_ca;
  options.pem_key_cert_pairs.push_back({tls.private_key, tls.certificate});
  return grpc::SslServerCredentials(options);
}

void SetKeepAlive(grpc::ServerBuilder* builder) {
  // Clients may ping every 10 s, with calls or without, and never lose their
  // connection over it (contract.md section 4).
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  // Our own pings find clients that vanished without a word while a long
  // answer is being made for them.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
}

// What gRPC itself receives: more than we accept, since its own refusal says
// neither the limit's name nor anything else in the contract's words. Not much
// more, since it holds a message whole before anyone looks at it.
int64_t ReceiveLimit(const GrpcServerOptions& options) {
  constexpr int64_t kLeastRoom = int64_t{64} << 10;
  const int64_t room = std::max(options.max_message_bytes / 4, kLeastRoom);
  return std::min<int64_t>(options.max_message_bytes + room,
                           std::numeric_limits<int>::max());
}

void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder* builder) {
  const int64_t largest = ReceiveLimit(options);
  builder->SetMaxReceiveMessageSize(static_cast<int>(largest));
  builder->SetMaxSendMessageSize(-1);
  grpc::ResourceQuota quota("llm-grpc");
  quota.Resize(
      static_cast<size_t>(std::max(options.memory_bytes, 2 * largest)));
  builder->SetResourceQuota(quota);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              options.max_streams_per_connection);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024);
  // Two processes on one port would each get half the callers, unseen.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Nothing serves what it gathers.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
}

std::vector<std::string> ServicesOf(const GrpcServerOptions& options) {
  std::vector<std::string> names{Llm::service_full_name()};
  if (options.admin) names.emplace_back(Admin::service_full_name());
  return names;
}

// On a core that it shares with a loop, the thread of a queue should take many
// events at once instead of breaking in on the loop for each. A batch thread
// has its full share of the time; it only does not preempt when it wakes.
// Refused by the system: then it does preempt.
void WakeGently() {
  const sched_param normal{};
  (void)sched_setscheduler(0, SCHED_BATCH, &normal);
}

}  // namespace

class GrpcServer::Parts {
 public:
  Parts(const GrpcServerOptions& options,
        std::vector<std::unique_ptr<Lane>> lanes, const Clock& clock)
      : clock_(clock),
        farewell_(options.limits.farewell),
        abandon_(options.limits.abandon),
        queue_count_(options.look_every > absl::ZeroDuration()
                         ? 1
                         : (lanes.size() + kLanesPerQueue - 1) /
                               kLanesPerQueue),
        look_every_(options.look_every),
        lanes_(std::move(lanes)),
        standard_(ServicesOf(options)) {}

  absl::Status Listen(const GrpcServerOptions& options) {
    // Never given back: when the last user of the library goes, it waits up to
    // 10 s for its own poller, and a drained process should just end.
    grpc_init();
    // Debian builds Abseil with its checks on: each lock of gRPC's would be
    // entered into one graph of the process, behind one lock, in search of
    // deadlocks in gRPC.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    grpc::ServerBuilder builder;
    SetKeepAlive(&builder);
    SetLimits(options, &builder);
    builder.AddListeningPort(options.listen, MakeCredentials(options.tls),
                             &port_);
    builder.RegisterService(&llm_);
    if (options.admin) builder.RegisterService(&admin_);
    standard_.Register(&builder);
    for (size_t i = 0; i < queue_count_; ++i) {
      queues_.push_back(builder.AddCompletionQueue());
    }
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      StopQueues();
      server_ = nullptr;
      return absl::UnavailableError(
          absl::StrCat("cannot listen for gRPC on ", options.listen,
                       options.tls.certificate.empty()
                           ? ""
                           : " with its TLS certificate and key"));
    }
    for (const auto& queue : queues_) {
      const Acceptor acceptor{lanes_, live_, *queue};
      AcceptLlmCalls(acceptor, llm_);
      if (options.admin) AcceptAdminCalls(acceptor, admin_);
      AcceptStandardCalls(acceptor, standard_);
      threads_.emplace_back([this, &queue] {
        WakeGently();
        Serve(*queue);
      });
    }
    return absl::OkStatus();
  }

  void SetServing(bool serving) {
    standard_.serving.Set(serving);
    // Watchers hear of it.
    lanes_.Tick();
  }

  void Shutdown(absl::Duration grace) {
    if (server_ == nullptr) return;
    SetServing(false);
    // We end the calls and tell their callers why; whoever has not taken that
    // by then hears gRPC's own end of calls, without a detail.
    lanes_.CutAt(clock_.Monotonic() + grace);
    server_->Shutdown(std::chrono::system_clock::now() +
                      absl::ToChronoMilliseconds(grace + farewell_));
    live_.AwaitNone();
    StopQueues();
  }

  void Hurry() { lanes_.CutAt(clock_.Monotonic()); }

  // Past the grace.
  absl::Duration patience() const { return farewell_ + abandon_; }
  int port() const { return port_; }

 private:
  // The queue's thread: passes every event on until the queue is shut down.
  void Serve(grpc::ServerCompletionQueue& queue) const {
    const bool waits = look_every_ == absl::ZeroDuration();
    // Of a listener that is only looked at: by then the next event of a call
    // that has begun, a stream's above all, is waited for.
    auto until = std::chrono::system_clock::time_point();
    void* raw = nullptr;
    bool ok = false;
    while (true) {
      const auto next = queue.AsyncNext(
          &raw, &ok,
          waits ? std::chrono::system_clock::time_point::max() : until);
      if (next == grpc::CompletionQueue::SHUTDOWN) return;
      if (next == grpc::CompletionQueue::GOT_EVENT) {
        const auto* tag = static_cast<QueueCall::Tag*>(raw);
        tag->call->OnEvent(tag->event, ok);
        if (!waits) {
          until = std::chrono::system_clock::now() +
                  absl::ToChronoMicroseconds(look_every_);
        }
      } else {
        std::this_thread::sleep_for(absl::ToChronoMicroseconds(look_every_));
      }
    }
  }

  void StopQueues() {
    for (const auto& queue : queues_) queue->Shutdown();
    for (std::thread& thread : threads_) thread.join();
    if (!threads_.empty()) return;
    // gRPC insists on an empty queue.
    for (const auto& queue : queues_) Serve(*queue);
  }

  // A queue thread does a tenth of what a loop does for a call.
  static constexpr size_t kLanesPerQueue = 8;
  const Clock& clock_;
  const absl::Duration farewell_;
  const absl::Duration abandon_;
  const size_t queue_count_;
  const absl::Duration look_every_;
  // Destroyed last to first: the server before what its calls use.
  Lanes lanes_;
  LiveCalls live_;
  RawLlmService llm_;
  RawAdminService admin_;
  StandardServices standard_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::thread> threads_;
  int port_ = 0;
};

GrpcServer::GrpcServer(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const GrpcServerOptions& options, const std::vector<GrpcLane>& lanes,
    const Clock& clock) {
  if (options.tls.certificate.empty() != options.tls.private_key.empty()) {
    return absl::InvalidArgumentError(
        "TLS for gRPC needs both a certificate and its key");
  }
  std::vector<std::unique_ptr<Lane>> own;
  for (const GrpcLane& lane : lanes) {
    own.push_back(
        std::make_unique<Lane>(*lane.loop, *lane.service, clock, options.limits,
                               options.max_message_bytes, options.reader));
  }
  auto parts = std::make_unique<Parts>(options, std::move(own), clock);
  absl::Status listening = parts->Listen(options);
  if (!listening.ok()) return listening;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(parts)));
}

GrpcServer::~GrpcServer() {
  // What is stuck may still use it.
  if (!Shutdown(absl::ZeroDuration())) (void)parts_.release();
}

int GrpcServer::port() const { return parts_->port(); }
void GrpcServer::SetServing(bool serving) { parts_->SetServing(serving); }
void GrpcServer::Hurry() { parts_->Hurry(); }

bool GrpcServer::Shutdown(absl::Duration grace) {
  if (ended_ != Ended::kNot) return ended_ == Ended::kClean;
  // gRPC's own shutdown waits without a limit for calls that do not end, so it
  // has a thread that can be left behind.
  std::promise<void> over;
  const std::future<void> waits = over.get_future();
  std::thread ending(
      [parts = parts_.get(), grace, done = std::move(over)]() mutable {
        parts->Shutdown(grace);
        done.set_value();
      });
  const auto limit = absl::ToChronoMilliseconds(grace + parts_->patience());
  const bool clean = waits.wait_for(limit) == std::future_status::ready;
  ended_ = clean ? Ended::kClean : Ended::kStuck;
  if (clean) {
    ending.join();
  } else {
    ending.detach();
  }
  return clean;
}

}  // namespace llm::server
