// A thread of the store: jobs one after the other, and something to do now
// and then. The bridge by which coroutines wait for a job is here too.
//
// Threads: Post, Wake and RunOn from any thread; Stop once.
#ifndef LLM_SERVER_LEDGER_STORE_THREAD_H_
#define LLM_SERVER_LEDGER_STORE_THREAD_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "adapters/core/mutex.h"
#include "adapters/core/task.h"

namespace llm::server {

class StoreThread {
 public:
  // Called with OK at the job's turn, else with why that never comes:
  // kUnavailable.
  using Job = std::function<void(absl::Status turn)>;
  // Runs after every job and wake-up; returns how long it may wait for the
  // next. Empty: nothing to do but jobs.
  using Tick = std::function<absl::Duration()>;

  explicit StoreThread(Tick tick);
  ~StoreThread();  // stops
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  // A job that would wait behind kMostWaiting others is refused at once, on
  // the thread that posts.
  static constexpr size_t kMostWaiting = 64;
  void Post(Job job);
  void Wake();
  // Waits for the running job; those in the queue are told and dropped.
  void Stop();

 private:
  void Run();
  bool Next(absl::Duration patience, Job* job);

  const Tick tick_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Whether work is still wanted when its turn comes and its caller has left:
// a report is not, a revocation is.
enum class Abandoned { kRuns, kSkipped };

// Runs `work` on `thread` and resumes on the caller's loop with what it
// returned. kCancelled when the task is cancelled first (the work may still
// run: it must own, or share, what it touches); kUnavailable when the thread
// has stopped or has too much to do. A task destroyed while it waits is
// forgotten.
Task<absl::Status> RunOn(StoreThread* thread,
                         std::function<absl::Status()> work,
                         Abandoned abandoned = Abandoned::kRuns);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_STORE_THREAD_H_
