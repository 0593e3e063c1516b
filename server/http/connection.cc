#include "server/http/connection.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

namespace llm::server {
namespace asio = boost::asio;
namespace {

using SteadyClock = std::chrono::steady_clock;

SteadyClock::duration ToChrono(absl::Duration d) {
  return absl::ToChronoNanoseconds(d);
}

const std::string& Named(const std::string& setting) {
  static const std::string kFixed = "a fixed limit";
  return setting.empty() ? kFixed : setting;
}

// What took too long, and how long it may take.
DoorFault TooSlow(RequestReader::Stage stage, const HttpLimits& limits) {
  const bool body = stage == RequestReader::Stage::kBody;
  return {
      408, "invalid_request",
      body ? absl::StrCat("No byte of the body arrived for ",
                          absl::FormatDuration(limits.body_read),
                          ", or after that time it came slower than ",
                          limits.body_rate, " bytes a second (fixed limits).")
           : absl::StrCat("The request's head did not arrive within ",
                          absl::FormatDuration(limits.header_read),
                          " (a fixed limit).")};
}

}  // namespace

Connection::Connection(Socket socket, HttpHandler& handler,
                       const HttpLimits& limits, ConnectionSet& set,
                       std::shared_ptr<void> owner)
    : owner_(std::move(owner)),
      socket_(std::move(socket)),
      handler_(handler),
      limits_(limits),
      set_(set),
      reader_(socket_, limits,
              {[this](RequestReader::Stage stage) { OnProgress(stage); },
               [this](const HttpRequest& head) {
                 return handler_.RefuseEarly(head);
               },
               [this] {
                 pending_.append("HTTP/1.1 100 Continue\r\n\r\n");
                 Flush();
               },
               [this](const HttpRequest& head) {
                 return handler_.BodyOwner(head);
               }}),
      written_(socket_.executor()) {}

void Connection::Start(ConnectionCount::Kind kind) {
  auto self = shared_from_this();
  set_.Add(self);
  asio::co_spawn(socket_.executor(),
                 Run(kind == ConnectionCount::Kind::kRefused),
                 asio::bind_cancellation_slot(
                     cancel_.slot(), [self, kind](std::exception_ptr) {
                       // A throw here is a third party's; the connection ends
                       // with it.
                       self->socket_.Close();
                       self->set_.Remove(self);
                       // The signal must outlive this handler's slot. And once
                       // nothing is counted the loops may go, so this is the
                       // last of the connection that waits in its loop.
                       asio::post(self->socket_.executor(),
                                  [self, kind] { self->set_.Release(kind); });
                     }));
}

Task<void> Connection::Run(bool overloaded) {
  // A caller who leaves cancels what is awaited; what must still be done
  // after that (rows, for one) is done.
  co_await asio::this_coro::throw_if_cancelled(false);
  SetDeadline(limits_.header_read);
  const Socket::Error error = co_await socket_.Handshake();
  if (error || gone_) co_return;
  if (overloaded) {
    const DoorFault fault{
        503, "overloaded",
        absl::StrCat("There are more than ", limits_.max_connections,
                     " connections (", Named(limits_.max_connections_key),
                     "); try again later.")};
    co_await RefuseFault(HttpRequest(), fault);
    co_return;
  }
  co_await Serve();
}

Task<void> Connection::Serve() {
  bool more = true;
  while (more && !gone_ && !write_failed_) {
    if (set_.draining()) break;
    more = co_await ServeOne();
  }
  state_ = State::kFlushing;
  SetDeadline(absl::InfiniteDuration());
  const bool flushed = co_await WaitQueued(0);
  if (flushed) co_await Linger(close_after_ && !draining_);
}

Task<bool> Connection::ServeOne() {
  using Kind = RequestReader::Result::Kind;
  state_ = State::kReading;
  close_after_ = false;
  RequestReader::Result read = co_await reader_.Next();
  if (read.kind != Kind::kRequest) {
    co_return co_await RefuseRead(std::move(read));
  }
  if (gone_) co_return false;
  request_ = std::move(read.request);
  replied_ = stream_started_ = false;
  stream_head_.reset();
  close_after_ = !request_->keep_alive;
  state_ = State::kAnswering;
  SetDeadline(absl::InfiniteDuration());
  co_await Answer();
  // An idle connection holds none of the memory for bodies.
  request_->body = nullptr;
  if (gone_ || !replied_) co_return false;
  // The next request is read when this answer is nearly out.
  const bool reading = co_await WaitQueued(kHighWater);
  co_return reading && !close_after_;
}

// Ours never throw; what they stand on may (memory, for one).
Task<void> Connection::Answer() {
  bool threw = false;
  try {
    co_await handler_.Handle(*request_, *this);
  } catch (const std::exception&) {
    threw = true;
  }
  if (threw && !replied_ && !stream_started_) {
    close_after_ = true;
    Reply(
        handler_.Refusal(*request_, {500, "internal", "The service failed."}));
  }
}

Task<bool> Connection::Refuse(HttpReply reply) {
  close_after_ = true;
  // Nothing that follows on this connection can be trusted to be a request.
  request_.emplace();
  replied_ = false;
  Reply(std::move(reply));
  state_ = State::kFlushing;
  const bool flushed = co_await WaitQueued(0);
  if (flushed) co_await Linger(true);
  co_return false;
}

Task<bool> Connection::RefuseFault(HttpRequest head, DoorFault fault) {
  HttpReply reply = handler_.Refusal(head, fault);
  co_return co_await Refuse(std::move(reply));
}

// A read that brought no request: it was refused, cut short by a time limit
// or by the service's end, or the client is gone.
Task<bool> Connection::RefuseRead(RequestReader::Result read) {
  if (gone_) co_return false;
  if (read.reply) co_return co_await Refuse(*std::move(read.reply));
  if (read.kind == RequestReader::Result::Kind::kEnd) {
    const bool begun = reader_.stage() != RequestReader::Stage::kIdle;
    if (!begun || (!timed_out_ && !stopping_)) co_return false;
    read.fault = timed_out_ ? TooSlow(reader_.stage(), limits_)
                            : DoorFault{503, "overloaded",
                                        "The service is shutting down."};
  }
  co_return co_await RefuseFault(std::move(read.request),
                                 std::move(read.fault));
}

// Closing while the client still sends would reset the connection, and the
// refusal might never be read.
Task<void> Connection::Linger(bool read) {
  state_ = State::kLingering;
  timed_out_ = false;
  SetDeadline(limits_.linger);
  co_await socket_.EndSending();
  bool more = read;
  while (more && !timed_out_ && !gone_) more = co_await reader_.Discard();
}

void Connection::OnProgress(RequestReader::Stage stage) {
  using Stage = RequestReader::Stage;
  if (stage != Stage::kBody) {
    in_body_ = false;
    SetDeadline(stage == Stage::kIdle ? limits_.idle : limits_.header_read);
    return;
  }
  const int64_t arrived = reader_.body_bytes();
  if (!std::exchange(in_body_, true)) body_since_ = SteadyClock::now();
  SetDeadline(limits_.body_read);
  // What has come fast earns time for what comes slowly.
  const absl::Duration earned = absl::Seconds(
      static_cast<double>(arrived) / static_cast<double>(limits_.body_rate));
  deadline_ =
      std::min(deadline_, body_since_ + ToChrono(limits_.body_read + earned));
}

void Connection::SetDeadline(absl::Duration from_now) {
  deadline_ = from_now == absl::InfiniteDuration()
                  ? TimePoint::max()
                  : SteadyClock::now() + ToChrono(from_now);
}

void Connection::OnClientGone() {
  gone_ = true;
  // Again at each tick: a step that began after the first one must end too.
  cancel_.emit(asio::cancellation_type::terminal);
}

void Connection::Drain() {
  draining_ = true;
  const bool idle = state_ == State::kReading &&
                    reader_.stage() == RequestReader::Stage::kIdle;
  if (idle || state_ == State::kLingering) Abort();
}

void Connection::Cut() {
  draining_ = true;
  stopping_ = true;
  if (state_ == State::kAnswering) {
    cancel_.emit(asio::cancellation_type::terminal);
  } else if (state_ == State::kReading) {
    socket_.CancelReads();
  }
}

void Connection::Abort() {
  gone_ = true;
  write_failed_ = true;
  written_.cancel();
  cancel_.emit(asio::cancellation_type::terminal);
  socket_.CancelReads();
  socket_.CancelAll();
}

void Connection::OnTick(TimePoint now) {
  if (now >= write_deadline_) return Abort();
  if (now >= deadline_) {
    timed_out_ = true;
    deadline_ = TimePoint::max();
    socket_.CancelReads();
  }
  if (state_ != State::kAnswering || replied_ || gone_) return;
  // Again: what began after the first time must end too.
  if (stopping_) cancel_.emit(asio::cancellation_type::terminal);
  if (!stream_head_) return;
  if (now - last_sent_ < grace_ || Queued() > 0) return;
  StartStream();
  QueueEvent(": keep-alive\n\n");
}

}  // namespace llm::server
