// grpc.reflection, v1 and v1alpha, for anyone who asks. Internal to this room.
//
// A drain does not wait for it: an answer under way is finished, then the
// caller hears UNAVAILABLE; one who asks nothing is cut off with CANCELLED:
// Finish would overlap the read.
//
// Threads, ownership: queue_call.h.
#ifndef LLM_SERVER_GRPC_REFLECTION_CALL_H_
#define LLM_SERVER_GRPC_REFLECTION_CALL_H_

#include <grpcpp/support/async_stream.h>

#include <string>
#include <vector>

#include "adapters/core/wait_point.h"
#include "server/grpc/queue_call.h"
#include "server/grpc/raw_services.h"
#include "server/grpc/reflect.h"
#include "server/grpc/wire_message.h"
#include "server/grpc/wire_status.h"

namespace llm::server {

// One question at a time; the next is read when the answer was taken.
template <typename Service>
class ReflectionCall final : public QueueCall {
 public:
  ReflectionCall(const Acceptor& acceptor, Service& service,
                 const std::vector<std::string>& names)
      : QueueCall(acceptor, acceptor.lanes.First()),
        service_(service),
        names_(names),
        stream_(&context()) {
    service_.RequestServerReflectionInfo(&context(), &stream_, &acceptor.queue,
                                         &acceptor.queue, arrived());
  }

 private:
  void Renew() override { new ReflectionCall(acceptor(), service_, names_); }

  Task<grpc::Status> Run() override {
    while (true) {
      if (over_) {
        co_return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                               "the service is shutting down");
      }
      moving_ = reading_ = true;
      stream_.Read(&bytes_, moved());
      const bool asked = co_await AllMoved();
      reading_ = false;
      if (!asked) co_return grpc::Status::OK;
      grpc::reflection::v1::ServerReflectionRequest question;
      const absl::Status read = QuestionFromWire(&bytes_, &question);
      if (!read.ok()) co_return ToWireStatus(read, "").status;
      const grpc::ByteBuffer answer = ToWire(Reflect(question, names_));
      BreakOffUnlessTaken(answer.Length());
      moving_ = true;
      stream_.Write(answer, moved());
      if (!co_await AllMoved()) co_return grpc::Status::CANCELLED;
    }
  }

  void Finish(const grpc::Status& status) override {
    stream_.Finish(status, finished());
  }

  // False where the caller has ended its side or is gone.
  Task<bool> AllMoved() {
    while (moving_) co_await event_.Wait();
    co_return ok_;
  }

  void Moved(bool ok) override {
    moving_ = false;
    ok_ = ok;
    Taken();
    event_.Wake();
  }

  void OnCancel() override {
    over_ = true;
    // The read fails then.
    if (reading_) context().TryCancel();
  }
  bool OutlivesDrain() const override { return false; }

  Service& service_;
  const std::vector<std::string>& names_;
  grpc::ByteBuffer bytes_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_;
  bool moving_ = false;
  bool reading_ = false;
  bool over_ = false;
  bool ok_ = false;
  WaitPoint event_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_REFLECTION_CALL_H_
