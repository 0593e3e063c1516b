// grpc.health.v1, for anyone who asks: no key, no row, no metric. Internal to
// this room.
//
// Threads, ownership: queue_call.h.
#ifndef LLM_SERVER_GRPC_HEALTH_CALL_H_
#define LLM_SERVER_GRPC_HEALTH_CALL_H_

#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/wait_point.h"
#include "server/grpc/queue_call.h"
#include "server/grpc/raw_services.h"

namespace llm::server {

// What one server says of itself. Threads: any.
class Serving {
 public:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // Answers for `services`, and for "", the whole server; all are equally
  // well. NOT_SERVING at first.
  explicit Serving(std::vector<std::string> services)
      : services_(std::move(services)) {}

  void Set(bool serving) { serving_ = serving; }
  // SERVICE_UNKNOWN for names that the server does not have.
  Status Of(std::string_view service) const;

 private:
  const std::vector<std::string> services_;
  std::atomic<bool> serving_{false};
};

class CheckCall final : public QueueCall {
 public:
  CheckCall(const Acceptor& acceptor, RawHealthService& service,
            const Serving& serving);

 private:
  void Renew() override;
  Task<grpc::Status> Run() override;
  void Finish(const grpc::Status& status) override;

  RawHealthService& service_;
  const Serving& serving_;
  // The question's, then the answer's.
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_;
};

class WatchCall final : public QueueCall {
 public:
  WatchCall(const Acceptor& acceptor, RawHealthService& service,
            const Serving& serving);

 private:
  void Renew() override;
  Task<grpc::Status> Run() override;
  void Finish(const grpc::Status& status) override;
  void Moved(bool ok) override;
  void OnCancel() override;
  bool OutlivesDrain() const override { return false; }
  void Look() override;

  // False where the watcher is gone.
  Task<bool> Tell(Serving::Status status);

  RawHealthService& service_;
  const Serving& serving_;
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer_;
  std::string watched_;
  Serving::Status told_ = grpc::health::v1::HealthCheckResponse::UNKNOWN;
  bool writing_ = false;
  bool gone_ = false;
  bool over_ = false;
  WaitPoint event_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_HEALTH_CALL_H_
