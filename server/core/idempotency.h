// Idempotency-Key: the same key from the same tenant within ten minutes gets
// the same answer, in flight or finished, and never a second upstream call
// [RTY-1].
//
// Kept:    A success, and a stream that broke after its first content, as it
//          was; a provider's refusal of the request itself. Not kept: what a
//          retry may heal (refused before dispatch, 429, 5xx, timeouts): the
//          next request calls anew, and so does one that waited for a call
//          whose own, shorter deadline passed before its first content.
// Left:    A call that all its callers left goes on alone, for ten minutes at
//          most, and its answer waits for the retry. One whose answer is, or
//          becomes, too large to keep is ended: nobody could read it.
// Refused: The key with another request: 400 `invalid_request`. An answer too
//          large to keep: 409 `idempotency_conflict` rather than a second
//          call.
// Bounds:  max_bytes for what is kept and as much again for calls under way.
//          Above it the oldest answer of whichever tenant holds most goes, so
//          a greedy tenant evicts itself.
// Memory:  Of keys and requests, digests only. Nothing is written to disk or
//          log; a restart, or another process, knows nothing of a key.
//
// Threads:   Any event loop.
// Ownership: Outlives the loops and their calls.
#ifndef LLM_SERVER_CORE_IDEMPOTENCY_H_
#define LLM_SERVER_CORE_IDEMPOTENCY_H_

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "router/digest.h"
#include "server/core/shared_call.h"

namespace llm::server {

struct IdempotencyLimits {
  // From the end of the first call.
  absl::Duration kept = absl::Minutes(10);
  int64_t max_bytes = int64_t{64} << 20;
  // Of one answer.
  size_t largest = size_t{2} << 20;
  // For how long a call goes on that nobody reads.
  absl::Duration alone = absl::Minutes(10);
};

class IdempotencyStore {
 public:
  // `clock` outlives the store.
  explicit IdempotencyStore(const Clock& clock, IdempotencyLimits limits = {});
  ~IdempotencyStore();
  IdempotencyStore(const IdempotencyStore&) = delete;
  IdempotencyStore& operator=(const IdempotencyStore&) = delete;

  // The answer of the first request with context.idempotency_key, which must
  // not be empty; `chat` makes it where there is none yet. What `chat` is
  // given outlives the callers' own.
  Task<CallResult> Chat(const CallContext& context, const ChatRequest& request,
                        ChunkSink* sink, SharedCall::Chat chat);

  // Calls under way that nobody reads.
  int64_t alone() const { return alone_; }
  // The service ends: they are cancelled.
  void CutAlone() ABSL_LOCKS_EXCLUDED(mutex_);

  // Bytes and answers kept.
  int64_t bytes() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t answers() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Kept {
    Digest key;
    Instant until;
  };
  struct Tenant {
    int64_t bytes = 0;
    std::list<Kept> kept;  // oldest first
  };
  struct Entry {
    // Null: ended, and too large to keep.
    std::shared_ptr<SharedCall> call;
    Digest request;
    std::string tenant;
    // Of one that has ended.
    int64_t bytes = 0;
    std::list<Kept>::iterator place;
  };
  // How a caller stands to its key.
  struct Entered {
    std::shared_ptr<SharedCall> call;
    std::shared_ptr<SharedCall::Reader> reader;
    bool first = false;
    absl::Status refusal;
  };

  Entered Enter(const CallContext& context, const ChatRequest& request,
                bool stream, boost::asio::any_io_executor loop)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<SharedCall> MakeCall(const Digest& key,
                                       const CallContext& context,
                                       const ChatRequest& request, bool stream,
                                       boost::asio::any_io_executor loop);
  // What is known of `key`, if that settles it.
  std::optional<Entered> FindKnown(const Digest& key, const Digest& request,
                                   const boost::asio::any_io_executor& loop)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The entry's call if it can be joined; a refusal; or neither.
  static Entered JoinKnown(const Entry& entry, const Digest& request,
                           boost::asio::any_io_executor loop);
  void Ended(const Digest& key, const SharedCall& call);
  void DropExpired() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldestOf(const std::string& tenant)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const IdempotencyLimits limits_;
  std::atomic<int64_t> recording_{0};
  std::atomic<int64_t> alone_{0};

  mutable Mutex mutex_;
  absl::flat_hash_map<Digest, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Tenant> tenants_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  Instant next_look_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_IDEMPOTENCY_H_
