// The bytes of request bodies that the process holds at once, over all loops
// and both doors: what server.max_body_memory bounds, so that many large
// bodies are refused and do not end in an out-of-memory kill.
//
// What is counted is what has arrived, not what a Content-Length promises: a
// client cannot take memory from others by announcing it.
//
// Threads:   Any.
// Ownership: The budget outlives its holds.
#ifndef LLM_SERVER_CORE_BODY_BUDGET_H_
#define LLM_SERVER_CORE_BODY_BUDGET_H_

#include <atomic>
#include <cstdint>

namespace llm::server {

class BodyBudget {
 public:
  explicit BodyBudget(int64_t limit) : limit_(limit) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;

  // What one body takes; given back when it is destroyed.
  class Hold {
   public:
    // Null: nothing is counted, and nothing refused.
    explicit Hold(BodyBudget* budget) : budget_(budget) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      if (budget_ != nullptr) budget_->held_ -= bytes_;
    }
    // False, and nothing more is held, where that is beyond the limit.
    bool Grow(int64_t bytes) {
      if (budget_ == nullptr) return true;
      if ((budget_->held_ += bytes) > budget_->limit_) {
        budget_->held_ -= bytes;
        ++budget_->refused_;
        return false;
      }
      bytes_ += bytes;
      return true;
    }

   private:
    BodyBudget* const budget_;
    int64_t bytes_ = 0;
  };

  int64_t held() const { return held_; }
  int64_t refused() const { return refused_; }

 private:
  const int64_t limit_;
  std::atomic<int64_t> held_{0};
  std::atomic<int64_t> refused_{0};
};

// A quarter of the memory this process may use: the machine's, or its control
// group's where that is less; at least 64 MiB.
int64_t DefaultBodyMemory();

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_BODY_BUDGET_H_
