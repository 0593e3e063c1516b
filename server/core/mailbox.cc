#include "server/core/mailbox.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

#include "adapters/core/mutex.h"

namespace llm::server {

class Mailbox::Queue : public std::enable_shared_from_this<Queue> {
 public:
  explicit Queue(boost::asio::io_context& loop) : loop_(loop) {}

  void Push(Job job) {
    {
      MutexLock lock(mutex_);
      if (closed_) return;
      jobs_.push_back(std::move(job));
      if (awake_) return;
      awake_ = true;
    }
    Wake();
  }

  // Drops what has not run.
  void Close() {
    // Destroyed after the lock is released: captures may do anything.
    std::vector<Job> dropped;
    MutexLock lock(mutex_);
    closed_ = true;
    dropped.swap(jobs_);
  }

 private:
  void Wake() {
    boost::asio::post(loop_, [self = shared_from_this()] { self->Drain(); });
  }

  void Drain() {
    {
      MutexLock lock(mutex_);
      batch_.swap(jobs_);
    }
    for (Job& job : batch_) {
      job();
      // Before the next job, as its captures may be what that one waits for.
      job = nullptr;
    }
    batch_.clear();
    {
      MutexLock lock(mutex_);
      awake_ = !jobs_.empty();
      if (!awake_) return;
    }
    Wake();
  }

  boost::asio::io_context& loop_;
  // Only the loop's; keeps its capacity between batches.
  std::vector<Job> batch_;

  Mutex mutex_;
  std::vector<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  // A Drain is posted or running.
  bool awake_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

Mailbox::Mailbox(boost::asio::io_context& loop)
    : queue_(std::make_shared<Queue>(loop)) {}

Mailbox::~Mailbox() { queue_->Close(); }

void Mailbox::Post(Job job) { queue_->Push(std::move(job)); }

}  // namespace llm::server
