// One chat call whose answer several callers read, each on its own loop: what
// an Idempotency-Key makes of requests that are the same.
//
// The call runs in a coroutine of its own on the loop of its first caller and
// belongs to nobody's connection. What it writes is recorded, and every reader
// goes through the recording at its own pace, from the start. When the last
// reader leaves, the call goes on alone, so that a retry finds its answer: to
// its own deadline, for options.alone_for at most, or until CutAlone.
//
// Memory:       A recording larger than `largest`, or than what all recordings
//               together may take, is cut: it can be joined no more, chunks go
//               once all readers have them, and the slowest reader holds the
//               provider up.
// Threads:      Start and End on the call's loop; the rest on any.
// Ownership:    Shared by its readers, its coroutine and the store. What
//               `options` points to outlives it.
// Cancellation: Of Follow: the reader leaves. Where the service ends, the last
//               one waits until the call has ended and its rows are written.
#ifndef LLM_SERVER_CORE_SHARED_CALL_H_
#define LLM_SERVER_CORE_SHARED_CALL_H_

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "adapters/core/mutex.h"
#include "router/router.h"
#include "router/wakeup.h"

namespace llm::server {

class SharedCall : public ChunkSink,
                   public std::enable_shared_from_this<SharedCall> {
 public:
  using Chat = std::function<Task<CallResult>(const CallContext&,
                                              const ChatRequest&, ChunkSink*)>;
  struct Options {
    const Clock* clock = nullptr;
    size_t largest = size_t{2} << 20;
    // Bytes in the recordings of calls under way, and their bound.
    std::atomic<int64_t>* recording = nullptr;
    int64_t max_recording = int64_t{64} << 20;
    // Calls under way that nobody reads, and how long one may be that.
    std::atomic<int64_t>* alone = nullptr;
    absl::Duration alone_for = absl::Minutes(10);
    // Once, on the call's loop, when the result is there.
    std::function<void(const SharedCall&)> ended;
  };
  // A caller's place in the recording.
  class Reader;
  enum class Joined {
    kYes,
    kTooLarge,  // its beginning is gone, or it was ended for that
    kNot,       // it was given up
  };

  SharedCall(boost::asio::any_io_executor loop, const CallContext& context,
             const ChatRequest& request, bool stream, Options options);
  ~SharedCall() override;

  std::shared_ptr<Reader> MakeReader(boost::asio::any_io_executor loop) const;
  // Whether a reader could join now.
  Joined MayJoin() const;
  Joined Join(const std::shared_ptr<Reader>& reader);
  // Once, after the first reader has joined.
  void Start(Chat chat);
  // The answer, from its beginning. `sink` is null for a whole one. `replay`:
  // the reader is not the first; its own deadline ends its wait.
  Task<CallResult> Follow(std::shared_ptr<Reader> reader,
                          const CallContext& context, ChunkSink* sink,
                          bool replay);
  // The service ends: a call that nobody reads is cancelled.
  void CutAlone();
  // Whether `result` of Follow says that the call's own deadline passed while
  // `reader` had heard nothing and has time left by `deadline`.
  bool RanOutBefore(const Reader& reader, const CallResult& result,
                    Instant deadline) const;

  // After the end.
  // The same request would meet the same answer: it is worth keeping.
  bool worth_keeping() const;
  // All of the answer is here.
  bool whole() const;
  size_t bytes() const;

 private:
  enum class State { kRunning, kAbandoned, kEnded };
  struct Batch;

  void OnCommit(const v1::ServiceInfo& known) override;
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override;
  Task<CallResult> Run();
  void End(const std::exception_ptr& error, CallResult result);
  // Nothing the slowest reader lacks is large.
  bool HasRoom();
  Joined MayJoinLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeReaders() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Batch Take(Reader& reader);
  void Advance(Reader& reader);
  // True: it was the last of a call that still runs. `give_up`: then the call
  // is cancelled, else left alone.
  bool Detach(const std::shared_ptr<Reader>& reader, bool give_up = false);
  void GiveUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetAlone(bool alone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives the call up when it has been alone for too long.
  Task<void> WatchAlone();
  Task<CallResult> Leave(std::shared_ptr<Reader> reader,
                         const CallContext& context, bool replay,
                         absl::Status why);
  Task<void> AwaitEnd(std::shared_ptr<Reader> reader);
  bool ended() const;

  const boost::asio::any_io_executor loop_;
  const Options options_;
  const bool stream_;
  // Of the call's loop.
  CallContext context_;
  ChatRequest request_;
  Chat chat_;
  boost::asio::cancellation_signal cancel_;
  const Wakeup writer_;
  // Wakes what watches a call that is alone.
  const Wakeup alone_end_;
  // Its callers were cut by the end of the service.
  std::atomic<bool> stopping_{false};

  mutable Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kRunning;
  std::vector<std::shared_ptr<Reader>> readers_ ABSL_GUARDED_BY(mutex_);
  std::optional<v1::ServiceInfo> known_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<const v1::ChatCompletionChunk>> chunks_
      ABSL_GUARDED_BY(mutex_);
  // The number of the first of chunks_.
  size_t first_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool whole_ ABSL_GUARDED_BY(mutex_) = true;
  bool given_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool alone_ ABSL_GUARDED_BY(mutex_) = false;
  bool watched_ ABSL_GUARDED_BY(mutex_) = false;
  Instant alone_until_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const CallResult> result_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_SHARED_CALL_H_
