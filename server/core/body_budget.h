// The bytes of request bodies that the process holds at once, over all loops
// and both doors: what server.max_body_memory bounds, so that many large
// bodies are refused and do not end in an out-of-memory kill.
//
// What is counted is what has arrived, not what a Content-Length promises: a
// client cannot take memory from others by announcing it. Nor by sending it:
// one owner's bodies take half of the budget at most (a single body more, if
// there is room), and small bodies are let in however full it is, since the
// limits of connections and calls bound them.
//
// Threads:   Any.
// Ownership: The budget outlives its holds.
#ifndef LLM_SERVER_CORE_BODY_BUDGET_H_
#define LLM_SERVER_CORE_BODY_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "adapters/core/mutex.h"

namespace llm::server {

class BodyBudget {
 public:
  static constexpr int64_t kSmallBody = 16 * 1024;

  explicit BodyBudget(int64_t limit, int64_t small = kSmallBody)
      : limit_(limit), small_(small) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

  // What one body takes; given back when it is destroyed.
  class Hold {
   public:
    // Budget null: nothing is counted, and nothing refused. `owner`: the key
    // of the caller; empty where callers are not told apart.
    explicit Hold(BodyBudget* budget, std::string owner = {})
        : budget_(budget), owner_(std::move(owner)) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      if (budget_ != nullptr) budget_->GiveBack(*this);
    }
    // False, and nothing more is held, where that is beyond the limit or the
    // owner's share.
    bool Grow(int64_t bytes) {
      return budget_ == nullptr || budget_->Take(*this, bytes);
    }

   private:
    friend class BodyBudget;
    BodyBudget* const budget_;
    const std::string owner_;
    int64_t bytes_ = 0;
    bool shared_ = false;  // it is part of its owner's share
  };

  int64_t limit() const { return limit_; }
  int64_t held() const { return held_; }
  int64_t refused() const { return refused_; }

 private:
  // An owner's bodies that are not small.
  struct Share {
    int64_t bytes = 0;
    int64_t bodies = 0;
  };

  bool Take(Hold& hold, int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  bool TakeShare(Hold& hold, int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveBack(const Hold& hold) ABSL_LOCKS_EXCLUDED(mutex_);

  const int64_t limit_;
  const int64_t small_;
  std::atomic<int64_t> held_{0};
  std::atomic<int64_t> refused_{0};
  Mutex mutex_;
  absl::flat_hash_map<std::string, Share> shares_ ABSL_GUARDED_BY(mutex_);
};

// A quarter of the memory this process may use: the machine's, or its control
// group's where that is less; at least 64 MiB.
int64_t DefaultBodyMemory();

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_BODY_BUDGET_H_
