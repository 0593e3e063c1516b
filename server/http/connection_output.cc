// The writing half of Connection: heads, events, the queue and its flush.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "server/http/connection.h"
#include "server/http/replies.h"

namespace llm::server {
namespace asio = boost::asio;
namespace {

constexpr size_t kWriteSize = 256 * 1024;
// More goes through the loop, for the others' sake.
constexpr size_t kWriteNow = 16 * 1024;

void AppendHeader(std::string_view name, std::string_view value,
                  std::string* out) {
  absl::StrAppend(out, ToAbsl(name), ": ", ToAbsl(value), "\r\n");
}

}  // namespace

void Connection::QueueHead(const HttpReply& reply, bool stream) {
  absl::StrAppend(&pending_, "HTTP/1.1 ", reply.status, " ",
                  ToAbsl(ReasonPhrase(reply.status)), "\r\n");
  AppendHeader("Date", set_.HttpDate(), &pending_);
  if (!reply.content_type.empty() && reply.status != 204) {
    AppendHeader("Content-Type", reply.content_type, &pending_);
  }
  for (const auto& [name, value] : reply.headers) {
    AppendHeader(name, value, &pending_);
  }
  if (stream) {
    // HTTP/1.0 knows no chunks: there the end of the stream is the end of the
    // connection.
    stream_chunked_ = !request_->http10;
    if (stream_chunked_) {
      AppendHeader("Transfer-Encoding", "chunked", &pending_);
    } else {
      close_after_ = true;
    }
  } else if (reply.status != 204) {
    AppendHeader("Content-Length", absl::StrCat(reply.body.size()), &pending_);
  }
  close_after_ = close_after_ || draining_ || set_.draining();
  if (close_after_) {
    AppendHeader("Connection", "close", &pending_);
  } else if (request_->http10) {
    AppendHeader("Connection", "keep-alive", &pending_);
  }
  pending_.append("\r\n");
}

void Connection::Reply(HttpReply reply) {
  if (replied_) return;
  replied_ = true;
  QueueHead(reply, false);
  if (request_->method != "HEAD" && reply.status != 204) {
    pending_.append(reply.body);
  }
  // Answers to requests that came together leave together, in the loop's time.
  if (reader_.has_more() || flush_posted_ || !inflight_.empty()) {
    Flush();
  } else {
    WriteMore();
  }
}

void Connection::SetStream(HttpReply head, absl::Duration grace) {
  if (stream_started_) return;
  if (!stream_head_) last_sent_ = std::chrono::steady_clock::now();
  stream_head_ = std::move(head);
  grace_ = absl::ToChronoNanoseconds(grace);
}

void Connection::StartStream() {
  if (stream_started_) return;
  stream_started_ = true;
  QueueHead(*stream_head_, true);
}

void Connection::QueueEvent(std::string_view bytes) {
  last_sent_ = std::chrono::steady_clock::now();
  if (stream_chunked_) {
    absl::StrAppend(&pending_, absl::Hex(bytes.size()), "\r\n", ToAbsl(bytes),
                    "\r\n");
  } else {
    pending_.append(bytes);
  }
  Flush();
}

Task<absl::Status> Connection::Send(std::string_view bytes) {
  if (!write_failed_ && !gone_) {
    StartStream();
    QueueEvent(bytes);
    const bool reading = co_await WaitQueued(kHighWater);
    if (reading && !gone_) co_return absl::OkStatus();
  }
  co_return absl::CancelledError("the caller is gone");
}

void Connection::EndStream() {
  if (replied_) return;
  StartStream();
  replied_ = true;
  if (stream_chunked_) pending_.append("0\r\n\r\n");
  Flush();
}

void Connection::Flush() {
  if (flush_posted_ || !inflight_.empty() || write_failed_) return;
  flush_posted_ = true;
  asio::post(socket_.executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->WriteMore();
  });
}

void Connection::WriteMore() {
  if (write_failed_) return;
  if (inflight_done_ == inflight_.size()) {
    inflight_.clear();
    inflight_done_ = 0;
    // One large answer must not cost its memory for as long as the
    // connection lives.
    if (inflight_.capacity() > kWriteSize) inflight_.shrink_to_fit();
    std::swap(inflight_, pending_);
  }
  if (inflight_.empty()) {
    write_deadline_ = TimePoint::max();
    taken_ = -1;
    return;
  }
  SetWriteDeadline();
  const size_t left = inflight_.size() - inflight_done_;
  // Most of what is written fits the system's buffer.
  const size_t now =
      left > kWriteNow
          ? 0
          : socket_.WriteNow(asio::buffer(&inflight_[inflight_done_], left));
  if (now == left) {
    OnWritten({}, now);
    return;
  }
  inflight_done_ += now;
  taken_ += static_cast<int64_t>(now);
  const size_t size = std::min(left - now, kWriteSize);
  socket_.WriteSome(asio::buffer(inflight_.data() + inflight_done_, size),
                    [self = shared_from_this()](boost::system::error_code error,
                                                size_t count) {
                      self->OnWritten(error, count);
                    });
}

// Some of it must go soon, and all of it at a rate.
void Connection::SetWriteDeadline() {
  const TimePoint now = std::chrono::steady_clock::now();
  if (taken_ < 0) {
    owed_since_ = now;
    taken_ = 0;
  }
  const double pieces = 1 + static_cast<double>(taken_) /
                                static_cast<double>(limits_.write_piece);
  write_deadline_ =
      std::min(now + absl::ToChronoNanoseconds(limits_.write),
               owed_since_ + absl::ToChronoNanoseconds(limits_.write * pieces));
}

void Connection::OnWritten(boost::system::error_code error, size_t count) {
  inflight_done_ += count;
  taken_ += static_cast<int64_t>(count);
  if (error) {
    write_failed_ = true;
    write_deadline_ = TimePoint::max();
    pending_.clear();
    inflight_.clear();
    inflight_done_ = 0;
  } else {
    WriteMore();
  }
  written_.cancel();
}

Task<bool> Connection::WaitQueued(size_t bytes) {
  while (!write_failed_ && !gone_ && Queued() - inflight_done_ > bytes) {
    boost::system::error_code ignored;
    written_.expires_at(TimePoint::max());
    co_await written_.async_wait(
        asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return !write_failed_ && !gone_;
}

}  // namespace llm::server
