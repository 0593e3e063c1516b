// A thread beside the loops, for what would hold one up: jobs one after the
// other, and something to do now and then. The bridge by which coroutines wait
// for a job is here too.
//
// Threads: Post, Wake and RunOn from any thread; Stop once.
#ifndef LLM_SERVER_CORE_SIDE_THREAD_H_
#define LLM_SERVER_CORE_SIDE_THREAD_H_

#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/beside.h"
#include "adapters/core/mutex.h"
#include "adapters/core/task.h"

namespace llm::server {

class SideThread {
 public:
  // Called with OK at the job's turn, else with why that never comes:
  // kUnavailable.
  using Job = std::function<void(absl::Status turn)>;
  // Runs after every job and wake-up; returns how long it may wait for the
  // next. Empty: nothing to do but jobs.
  using Tick = std::function<absl::Duration()>;

  static constexpr size_t kMostWaiting = 64;
  // Where what waits is bounded by other means.
  static constexpr size_t kUnbounded = std::numeric_limits<size_t>::max();

  // `name` begins the message of a refusal: "the store". Jobs beyond
  // `most_waiting` are refused.
  SideThread(std::string name, Tick tick, size_t most_waiting = kMostWaiting);
  ~SideThread();  // stops
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  // A job that would be one too many is refused at once, on the thread that
  // posts.
  void Post(Job job);
  void Wake();
  // Jobs that wait for their turn.
  size_t waiting() const;
  // Waits for the running job; those in the queue are told and dropped.
  void Stop();

 private:
  void Run();
  bool Next(absl::Duration patience, Job* job);

  const std::string name_;
  const Tick tick_;
  const size_t most_waiting_;
  mutable Mutex mutex_;
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
// returned; kInternal where it threw. kCancelled when the task is cancelled
// first (the work may still run: it must own, or share, what it touches);
// kUnavailable when the thread has stopped or has too much to do. A task
// destroyed while it waits is forgotten.
Task<absl::Status> RunOn(SideThread* thread, std::function<absl::Status()> work,
                         Abandoned abandoned = Abandoned::kRuns);

// The same for work that makes something, which nobody gets where the task
// left before.
template <typename T>
Task<absl::StatusOr<T>> MakeOn(SideThread* thread,
                               std::function<absl::StatusOr<T>()> make,
                               Abandoned abandoned = Abandoned::kRuns) {
  // Shared, since a cancelled caller leaves while the thread still makes it.
  const auto made = std::make_shared<std::optional<T>>();
  std::function<absl::Status()> work = [made, make = std::move(make)] {
    absl::StatusOr<T> result = make();
    if (!result.ok()) return std::move(result).status();
    *made = *std::move(result);
    return absl::OkStatus();
  };
  const absl::Status done = co_await RunOn(thread, std::move(work), abandoned);
  if (!done.ok()) co_return done;
  co_return std::move(**made);
}

// A side thread as adapters see it.
class BesideOn : public Beside {
 public:
  // `thread` outlives it.
  explicit BesideOn(SideThread* thread) : thread_(thread) {}
  Task<absl::Status> Run(std::function<void()> work) override;

 private:
  SideThread* const thread_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_SIDE_THREAD_H_
