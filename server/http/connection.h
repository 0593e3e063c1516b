// One client connection: requests in, answers out in the same order, until
// either side has enough.
//
// A stream's output is queued and flushed once per turn of the loop, so chunks
// that became ready together leave in one write and none waits for a timer; a
// slow reader stops its sender in Send. A whole answer leaves at once, unless
// the next request has come with its own.
//
// All time limits are kept by OnTick, called by the loop's ConnectionSet, and
// not by a timer per operation.
//
// Threads:   The connection's loop.
// Ownership: Shared by its set, its coroutine and its pending write.
#ifndef LLM_SERVER_HTTP_CONNECTION_H_
#define LLM_SERVER_HTTP_CONNECTION_H_

#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "server/http/connection_set.h"
#include "server/http/exchange.h"
#include "server/http/http_handler.h"
#include "server/http/http_server.h"
#include "server/http/request_reader.h"
#include "server/http/socket.h"

namespace llm::server {

class Connection : public Exchange,
                   public std::enable_shared_from_this<Connection> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `owner` keeps the other arguments alive.
  Connection(Socket socket, HttpHandler& handler, const HttpLimits& limits,
             ConnectionSet& set, std::shared_ptr<void> owner);

  // Runs the connection on its loop until it ends.
  void Start(ConnectionCount::Kind kind);

  // --- for the set
  int fd() { return socket_.fd(); }
  // A request is being answered: the set watches whether its caller leaves.
  bool answering() const { return state_ == State::kAnswering; }
  void OnClientGone();
  void OnTick(TimePoint now);
  // Ends after the answer under way; at once if there is none.
  void Drain();
  // Tells a caller who is still waited on that the service stops; what it
  // waits for is cancelled.
  void Cut();
  void Abort();

  // --- Exchange
  void Reply(HttpReply reply) override;
  void SetStream(HttpReply head, absl::Duration grace) override;
  bool stream_started() const override { return stream_started_; }
  Task<absl::Status> Send(std::string_view bytes) override;
  void EndStream() override;
  const std::atomic<bool>& service_stopping() const override {
    return stopping_;
  }

 private:
  enum class State { kReading, kAnswering, kFlushing, kLingering };

  Task<void> Run(bool overloaded);
  Task<void> Serve();
  // One request and its answer; false when the connection must end.
  Task<bool> ServeOne();
  Task<void> Answer();
  Task<bool> Refuse(HttpReply reply);
  Task<bool> RefuseFault(HttpRequest head, DoorFault fault);
  Task<bool> RefuseRead(RequestReader::Result read);
  // The orderly end. `read`: of what the client still sends, too.
  Task<void> Linger(bool read);

  void QueueHead(const HttpReply& reply, bool stream);
  void StartStream();
  void QueueEvent(std::string_view bytes);
  // Starts a write in the loop's next turn unless one is under way.
  void Flush();
  void WriteMore();
  void SetWriteDeadline();
  void OnWritten(boost::system::error_code error, size_t count);
  size_t Queued() const { return pending_.size() + inflight_.size(); }
  // Returns when at most `bytes` are queued; false if the reader is gone.
  Task<bool> WaitQueued(size_t bytes);
  void OnProgress(RequestReader::Stage stage);
  void SetDeadline(absl::Duration from_now);

  // A sender waits while more than this is queued for its reader.
  static constexpr size_t kHighWater = 64 * 1024;

  const std::shared_ptr<void> owner_;
  Socket socket_;
  HttpHandler& handler_;
  const HttpLimits& limits_;
  ConnectionSet& set_;
  RequestReader reader_;
  boost::asio::cancellation_signal cancel_;
  boost::asio::steady_timer written_;  // cancelled after each write

  State state_ = State::kReading;
  bool draining_ = false;
  std::atomic<bool> stopping_{false};  // Cut was called
  bool gone_ = false;       // the client left, or the connection was aborted
  bool timed_out_ = false;  // a deadline ended the read
  TimePoint deadline_ = TimePoint::max();
  TimePoint body_since_;
  bool in_body_ = false;

  // The answer under way.
  std::optional<HttpRequest> request_;
  bool replied_ = false;
  bool stream_started_ = false;
  bool stream_chunked_ = false;
  bool close_after_ = false;
  std::optional<HttpReply> stream_head_;
  std::chrono::steady_clock::duration grace_{};
  TimePoint last_sent_;

  // Output.
  std::string pending_;
  std::string inflight_;
  size_t inflight_done_ = 0;
  bool flush_posted_ = false;
  bool write_failed_ = false;
  TimePoint write_deadline_ = TimePoint::max();
  // Since when there has been output without a pause, and how much of it the
  // reader took.
  TimePoint owed_since_;
  int64_t taken_ = -1;  // nothing is owed
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_CONNECTION_H_
