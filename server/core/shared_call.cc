#include "server/core/shared_call.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

#include "router/call_error.h"

namespace llm::server {

namespace asio = boost::asio;

namespace {

// Of a cut recording: what may wait for its slowest reader.
constexpr size_t kWindow = size_t{256} << 10;
constexpr size_t kBatch = 32;

}  // namespace

class SharedCall::Reader {
 public:
  explicit Reader(asio::any_io_executor loop) : wakeup(std::move(loop)) {}
  const Wakeup wakeup;
  // Of the call's mutex.
  size_t next = 0;
};

// What a reader may have now.
struct SharedCall::Batch {
  std::optional<v1::ServiceInfo> known;
  std::vector<std::shared_ptr<const v1::ChatCompletionChunk>> chunks;
  // Set once nothing follows the chunks.
  std::shared_ptr<const CallResult> result;
};

SharedCall::SharedCall(asio::any_io_executor loop, const CallContext& context,
                       const ChatRequest& request, bool stream, Options options)
    : loop_(loop),
      options_(std::move(options)),
      stream_(stream),
      context_(context),
      request_(request),
      writer_(loop),
      alone_end_(std::move(loop)) {
  // The caller's own flag goes with its connection.
  context_.service_stopping = &stopping_;
}

SharedCall::~SharedCall() = default;

std::shared_ptr<SharedCall::Reader> SharedCall::MakeReader(
    asio::any_io_executor loop) const {
  return std::make_shared<Reader>(std::move(loop));
}

SharedCall::Joined SharedCall::MayJoinLocked() const {
  // Also where it was given up for that: it is not made again.
  if (!whole_) return Joined::kTooLarge;
  const bool gone = state_ == State::kAbandoned || given_up_;
  return gone ? Joined::kNot : Joined::kYes;
}

SharedCall::Joined SharedCall::MayJoin() const {
  const MutexLock lock(mutex_);
  return MayJoinLocked();
}

SharedCall::Joined SharedCall::Join(const std::shared_ptr<Reader>& reader) {
  const MutexLock lock(mutex_);
  const Joined joined = MayJoinLocked();
  if (joined == Joined::kYes) {
    readers_.push_back(reader);
    SetAlone(false);
  }
  return joined;
}

void SharedCall::Start(Chat chat) {
  chat_ = std::move(chat);
  asio::co_spawn(
      loop_, Run(),
      asio::bind_cancellation_slot(
          cancel_.slot(), [self = shared_from_this()](
                              const std::exception_ptr& error, CallResult r) {
            self->End(error, std::move(r));
            // The signal must outlive this handler's slot.
            asio::post(self->loop_, [self] {});
          }));
}

Task<CallResult> SharedCall::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_return co_await chat_(context_, request_, stream_ ? this : nullptr);
}

void SharedCall::End(const std::exception_ptr& error, CallResult result) {
  if (error != nullptr) {
    result = {};
    result.status = RefuseCall(absl::StatusCode::kInternal, "internal",
                               "The service failed.");
  }
  // What is kept for minutes holds no prompt and no old configuration.
  request_ = {};
  chat_ = nullptr;
  {
    const MutexLock lock(mutex_);
    given_up_ = state_ == State::kAbandoned;
    state_ = State::kEnded;
    SetAlone(false);
    if (options_.recording != nullptr) {
      *options_.recording -= static_cast<int64_t>(bytes_);
    }
    if (result.response) bytes_ += result.response->ByteSizeLong();
    whole_ = whole_ && bytes_ <= options_.largest;
    result_ = std::make_shared<const CallResult>(std::move(result));
    WakeReaders();
  }
  if (options_.ended) options_.ended(*this);
}

void SharedCall::WakeReaders() {
  for (const auto& reader : readers_) reader->wakeup.Wake();
}

void SharedCall::OnCommit(const v1::ServiceInfo& known) {
  const MutexLock lock(mutex_);
  known_ = known;
}

Task<absl::Status> SharedCall::Write(v1::ChatCompletionChunk&& chunk) {
  const size_t size = chunk.ByteSizeLong();
  auto kept = std::make_shared<const v1::ChatCompletionChunk>(std::move(chunk));
  {
    const MutexLock lock(mutex_);
    chunks_.push_back(std::move(kept));
    bytes_ += size;
    int64_t all = 0;
    if (options_.recording != nullptr) {
      all = *options_.recording += static_cast<int64_t>(size);
    }
    if (bytes_ > options_.largest || all > options_.max_recording) {
      whole_ = false;
      // Nobody could join it any more.
      if (alone_ && state_ == State::kRunning) GiveUp();
    }
    WakeReaders();
  }
  while (!HasRoom()) {
    const absl::Status waited =
        co_await writer_.Wait(*options_.clock, Instant::Never());
    if (!waited.ok()) co_return waited;
  }
  co_return absl::OkStatus();
}

bool SharedCall::HasRoom() {
  const MutexLock lock(mutex_);
  if (whole_ || state_ == State::kAbandoned) return true;
  size_t slowest = first_ + chunks_.size();
  for (const auto& reader : readers_) {
    slowest = std::min(slowest, reader->next);
  }
  while (first_ < slowest) {
    const size_t size = chunks_.front()->ByteSizeLong();
    bytes_ -= size;
    if (options_.recording != nullptr) {
      *options_.recording -= static_cast<int64_t>(size);
    }
    chunks_.pop_front();
    ++first_;
  }
  return bytes_ <= kWindow;
}

SharedCall::Batch SharedCall::Take(Reader& reader) {
  Batch batch;
  const MutexLock lock(mutex_);
  batch.known = known_;
  const size_t end = first_ + chunks_.size();
  const size_t upto = std::min(end, reader.next + kBatch);
  for (size_t i = reader.next; i < upto; ++i) {
    batch.chunks.push_back(chunks_[i - first_]);
  }
  if (upto == end) batch.result = result_;
  return batch;
}

void SharedCall::Advance(Reader& reader) {
  const MutexLock lock(mutex_);
  ++reader.next;
  if (!whole_) writer_.Wake();
}

void SharedCall::SetAlone(bool alone) {
  if (alone == alone_) return;
  alone_ = alone;
  if (options_.alone != nullptr) *options_.alone += alone ? 1 : -1;
  if (!alone) {
    alone_end_.Wake();
    return;
  }
  alone_until_ = options_.clock->Monotonic() + options_.alone_for;
  if (std::exchange(watched_, true)) return;
  // Never at once: the lock is held.
  asio::post(loop_, [self = shared_from_this()] {
    asio::co_spawn(self->loop_, self->WatchAlone(),
                   [self](const std::exception_ptr&) {});
  });
}

void SharedCall::GiveUp() {
  state_ = State::kAbandoned;
  asio::post(loop_, [self = shared_from_this()] {
    self->cancel_.emit(asio::cancellation_type::terminal);
  });
}

Task<void> SharedCall::WatchAlone() {
  while (true) {
    Instant until;
    {
      const MutexLock lock(mutex_);
      watched_ = alone_ && state_ == State::kRunning;
      if (!watched_) co_return;
      if (options_.clock->Monotonic() >= alone_until_) {
        watched_ = false;
        GiveUp();
        co_return;
      }
      until = alone_until_;
    }
    (void)co_await alone_end_.Wait(*options_.clock, until);
  }
}

void SharedCall::CutAlone() {
  const MutexLock lock(mutex_);
  if (!alone_ || state_ != State::kRunning) return;
  stopping_ = true;
  GiveUp();
}

bool SharedCall::Detach(const std::shared_ptr<Reader>& reader, bool give_up) {
  const MutexLock lock(mutex_);
  if (std::erase(readers_, reader) == 0) return false;
  if (!whole_) writer_.Wake();
  if (!readers_.empty() || state_ != State::kRunning) return false;
  // Nobody could join what is no longer recorded.
  if (give_up || !whole_) {
    GiveUp();
  } else {
    SetAlone(true);
  }
  return true;
}

bool SharedCall::ended() const {
  const MutexLock lock(mutex_);
  return result_ != nullptr;
}

Task<void> SharedCall::AwaitEnd(std::shared_ptr<Reader> reader) {
  // The reader is cancelled already; this wait is not, and it is short.
  co_await asio::this_coro::reset_cancellation_state(
      asio::disable_cancellation());
  {
    const MutexLock lock(mutex_);
    readers_.push_back(reader);
  }
  while (!ended()) {
    (void)co_await reader->wakeup.Wait(*options_.clock, Instant::Never());
  }
  Detach(reader);
  co_await asio::this_coro::reset_cancellation_state(
      asio::enable_total_cancellation());
}

Task<CallResult> SharedCall::Leave(std::shared_ptr<Reader> reader,
                                   const CallContext& context, bool replay,
                                   absl::Status why) {
  const bool cut =
      context.service_stopping != nullptr && *context.service_stopping;
  if (cut) stopping_ = true;
  CallResult result;
  // The router writes the row of the first caller's call, whoever reads it.
  if (!replay) result.info.set_request_id(context.call_id.value);
  const bool last = Detach(reader, cut);
  if (last && cut) {
    co_await AwaitEnd(reader);
    const MutexLock lock(mutex_);
    result = *result_;
  } else if (cut) {
    result.status =
        RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                   "The service is shutting down; try another instance");
  } else {
    result.status = RefuseCall(absl::StatusCode::kCancelled, "client_cancelled",
                               "The caller left");
  }
  if (absl::IsDeadlineExceeded(why)) {
    result.status = RefuseCall(absl::StatusCode::kDeadlineExceeded, "timeout",
                               "The deadline passed before the answer of the "
                               "first request with this Idempotency-Key");
  }
  co_return result;
}

Task<CallResult> SharedCall::Follow(std::shared_ptr<Reader> reader,
                                    const CallContext& context, ChunkSink* sink,
                                    bool replay) {
  bool replay_told = !replay;
  // The call keeps its first caller's deadline itself.
  const Instant until = replay ? context.deadline : Instant::Never();
  bool told = false;
  absl::Status status;
  while (true) {
    const Batch batch = Take(*reader);
    const bool any = batch.known || !batch.chunks.empty();
    // Not before: an answer that does not come is called for anew.
    if (sink != nullptr && any && !std::exchange(replay_told, true)) {
      sink->OnReplay();
    }
    if (sink != nullptr && batch.known && !told) {
      told = true;
      sink->OnCommit(*batch.known);
    }
    for (const auto& chunk : batch.chunks) {
      if (sink != nullptr) {
        v1::ChatCompletionChunk own = *chunk;  // others read it too
        status = co_await sink->Write(std::move(own));
      }
      if (!status.ok()) break;
      Advance(*reader);
    }
    if (status.ok() && batch.result != nullptr) {
      Detach(reader);
      CallResult result = *batch.result;
      result.replayed = replay;
      co_return result;
    }
    if (status.ok() && batch.chunks.empty()) {
      status = co_await reader->wakeup.Wait(*options_.clock, until);
    }
    if (!status.ok()) break;
  }
  CallResult result = co_await Leave(reader, context, replay, status);
  result.replayed = replay;
  co_return result;
}

bool SharedCall::RanOutBefore(const Reader& reader, const CallResult& result,
                              Instant deadline) const {
  const Instant now = options_.clock->Monotonic();
  const MutexLock lock(mutex_);
  return result_ != nullptr && !known_ && reader.next == 0 &&
         CallErrorDetail(result.status).code() == "timeout" &&
         context_.deadline <= now && deadline > now;
}

bool SharedCall::worth_keeping() const {
  const MutexLock lock(mutex_);
  if (result_ == nullptr) return false;
  // That it was made is worth knowing (Joined::kTooLarge).
  if (given_up_) return !whole_;
  if (result_->status.ok() || result_->committed) return true;
  const std::string code = CallErrorDetail(result_->status).code();
  return result_->info.attempts() > 0 &&
         CallErrorHttpStatus(result_->status) != 409 &&
         (code == "provider_rejected" || code == "content_filter" ||
          code == "context_length_exceeded");
}

bool SharedCall::whole() const {
  const MutexLock lock(mutex_);
  return whole_;
}

size_t SharedCall::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace llm::server
