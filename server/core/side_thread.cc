#include "server/core/side_thread.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace llm::server {
namespace {

namespace asio = boost::asio;

// What a waiting coroutine and the side thread share; the last of them to
// leave destroys it.
class Waiting {
 public:
  explicit Waiting(asio::steady_timer* alarm)
      : executor_(alarm->get_executor()), alarm_(alarm) {}

  // On the side thread. The post happens under the lock: while the coroutine
  // is there (Forget has not run), so is its loop.
  void Finish(absl::Status result, std::shared_ptr<Waiting> self) {
    MutexLock lock(mutex_);
    result_ = std::move(result);
    if (alarm_ != nullptr) asio::post(executor_, [self] { self->Ring(); });
  }

  // On the loop, with the coroutine.
  void Forget() {
    MutexLock lock(mutex_);
    alarm_ = nullptr;
    executor_ = asio::any_io_executor();
  }
  // On the side thread: nobody waits any more.
  bool Left() {
    MutexLock lock(mutex_);
    return alarm_ == nullptr;
  }
  // Taken, not copied: a Status counts its owners in code that a sanitizer
  // cannot see into, so the two threads must not both own it.
  std::optional<absl::Status> TakeResult() {
    MutexLock lock(mutex_);
    return std::exchange(result_, std::nullopt);
  }

 private:
  void Ring() {
    asio::steady_timer* alarm = nullptr;
    {
      MutexLock lock(mutex_);
      alarm = alarm_;
    }
    // In the past: wakes a wait and any that is still to come.
    if (alarm != nullptr) {
      alarm->expires_at(asio::steady_timer::time_point::min());
    }
  }

  Mutex mutex_;
  asio::any_io_executor executor_ ABSL_GUARDED_BY(mutex_);
  asio::steady_timer* alarm_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> result_ ABSL_GUARDED_BY(mutex_);
};

// Runs also where the coroutine is destroyed while it waits.
class Forgetting {
 public:
  explicit Forgetting(Waiting* waiting) : waiting_(waiting) {}
  ~Forgetting() { waiting_->Forget(); }
  Forgetting(const Forgetting&) = delete;
  Forgetting& operator=(const Forgetting&) = delete;

 private:
  Waiting* waiting_;
};

}  // namespace

SideThread::SideThread(std::string name, Tick tick, size_t most_waiting)
    : name_(std::move(name)),
      tick_(std::move(tick)),
      most_waiting_(most_waiting) {
  thread_ = std::thread([this] { Run(); });
}

SideThread::~SideThread() { Stop(); }

void SideThread::Post(Job job) {
  bool stopping = false;
  {
    MutexLock lock(mutex_);
    stopping = stopping_;
    if (!stopping && jobs_.size() < most_waiting_) {
      jobs_.push_back(std::move(job));
      changed_.NotifyOne();
      return;
    }
  }
  job(absl::UnavailableError(
      absl::StrCat(name_, stopping ? " is closed" : " has too much to do")));
}

void SideThread::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  changed_.NotifyOne();
}

size_t SideThread::waiting() const {
  MutexLock lock(mutex_);
  return jobs_.size();
}

void SideThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
  std::deque<Job> left;
  {
    MutexLock lock(mutex_);
    left.swap(jobs_);
  }
  for (Job& job : left) {
    job(absl::UnavailableError(absl::StrCat(name_, " is closed")));
  }
}

void SideThread::Run() {
  absl::Duration patience = absl::ZeroDuration();
  Job job;
  while (Next(patience, &job)) {
    if (job) job(absl::OkStatus());
    job = nullptr;
    patience = tick_ ? tick_() : absl::InfiniteDuration();
  }
}

// Waits for a job, a wake-up or the end of `patience`. False: stop.
bool SideThread::Next(absl::Duration patience, Job* job) {
  // wait_for adds to now: an infinite wait would overflow.
  constexpr absl::Duration kLongest = absl::Hours(1);
  MutexLock lock(mutex_);
  if (jobs_.empty() && !woken_ && !stopping_ &&
      patience > absl::ZeroDuration()) {
    changed_.WaitFor(mutex_, std::min(patience, kLongest));
  }
  if (stopping_) return false;
  woken_ = false;
  if (jobs_.empty()) return true;
  *job = std::move(jobs_.front());
  jobs_.pop_front();
  return true;
}

Task<absl::Status> RunOn(SideThread* thread, std::function<absl::Status()> work,
                         Abandoned abandoned) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer alarm(executor, asio::steady_timer::time_point::max());
  // Shared, since a cancelled caller leaves before the side thread is done.
  const auto waiting = std::make_shared<Waiting>(&alarm);
  const Forgetting forgetting(waiting.get());
  thread->Post([waiting, abandoned, work = std::move(work)](absl::Status turn) {
    if (abandoned == Abandoned::kSkipped && waiting->Left()) return;
    // Moved, as TakeResult says. Ours throws nothing, memory may run out.
    try {
      if (turn.ok()) turn = work();
    } catch (const std::exception&) {
      turn = absl::InternalError("the work threw");
    }
    waiting->Finish(std::move(turn), waiting);
  });
  try {
    co_await alarm.async_wait(asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    // Rung while waiting, or cancelled: the result says which.
  }
  const std::optional<absl::Status> result = waiting->TakeResult();
  co_return result ? *result : absl::CancelledError("the caller left");
}

Task<absl::Status> BesideOn::Run(std::function<void()> work) {
  std::function<absl::Status()> job = [work = std::move(work)] {
    work();
    return absl::OkStatus();
  };
  co_return co_await RunOn(thread_, std::move(job));
}

}  // namespace llm::server
