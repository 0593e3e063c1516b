#include "server/grpc/health_call.h"

#include <algorithm>

#include "server/grpc/wire_message.h"
#include "server/grpc/wire_status.h"

namespace llm::server {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

Serving::Status Serving::Of(std::string_view service) const {
  if (!service.empty() && std::find(services_.begin(), services_.end(),
                                    service) == services_.end()) {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  return serving_ ? HealthCheckResponse::SERVING
                  : HealthCheckResponse::NOT_SERVING;
}

CheckCall::CheckCall(const Acceptor& acceptor, RawHealthService& service,
                     const Serving& serving)
    : QueueCall(acceptor, acceptor.lanes.First()),
      service_(service),
      serving_(serving),
      responder_(&context()) {
  service_.RequestCheck(&context(), &bytes_, &responder_, &acceptor.queue,
                        &acceptor.queue, arrived());
}

void CheckCall::Renew() { new CheckCall(acceptor(), service_, serving_); }

void CheckCall::Finish(const grpc::Status& status) {
  responder_.Finish(bytes_, status, finished());
}

Task<grpc::Status> CheckCall::Run() {
  HealthCheckRequest question;
  const absl::Status read = QuestionFromWire(&bytes_, &question);
  if (!read.ok()) co_return ToWireStatus(read, "").status;
  HealthCheckResponse answer;
  answer.set_status(serving_.Of(question.service()));
  if (answer.status() == HealthCheckResponse::SERVICE_UNKNOWN) {
    co_return grpc::Status(grpc::StatusCode::NOT_FOUND,
                           "this server has no service of that name");
  }
  bytes_ = ToWire(answer);
  co_return grpc::Status::OK;
}

WatchCall::WatchCall(const Acceptor& acceptor, RawHealthService& service,
                     const Serving& serving)
    : QueueCall(acceptor, acceptor.lanes.First()),
      service_(service),
      serving_(serving),
      writer_(&context()) {
  service_.RequestWatch(&context(), &bytes_, &writer_, &acceptor.queue,
                        &acceptor.queue, arrived());
}

void WatchCall::Renew() { new WatchCall(acceptor(), service_, serving_); }

void WatchCall::Finish(const grpc::Status& status) {
  writer_.Finish(status, finished());
}

Task<grpc::Status> WatchCall::Run() {
  HealthCheckRequest question;
  const absl::Status read = QuestionFromWire(&bytes_, &question);
  if (!read.ok()) co_return ToWireStatus(read, "").status;
  watched_ = question.service();
  while (true) {
    const Serving::Status now = serving_.Of(watched_);
    if (now != told_) {
      if (!co_await Tell(now)) co_return grpc::Status::CANCELLED;
    } else if (over_) {
      co_return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                             "the service is shutting down");
    } else {
      co_await event_.Wait();
    }
  }
}

Task<bool> WatchCall::Tell(Serving::Status status) {
  told_ = status;
  HealthCheckResponse answer;
  answer.set_status(status);
  const grpc::ByteBuffer bytes = ToWire(answer);
  writing_ = true;
  BreakOffUnlessTaken(bytes.Length());
  writer_.Write(bytes, moved());
  while (writing_) co_await event_.Wait();
  co_return !gone_;
}

void WatchCall::Moved(bool ok) {
  writing_ = false;
  gone_ = !ok;
  Taken();
  event_.Wake();
}

void WatchCall::OnCancel() {
  over_ = true;
  event_.Wake();
}

void WatchCall::Look() {
  if (serving_.Of(watched_) != told_) event_.Wake();
}

}  // namespace llm::server
