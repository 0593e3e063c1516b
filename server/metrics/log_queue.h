// Where log lines wait for their thread: a loop never waits for a slow
// terminal or pipe, and lines leave many at a time.
//
// A line that is only news leaves after kPatience, and what came meanwhile
// with it; what is flushed leaves at once. spdlog's own asynchronous logger
// wakes its thread for every line, three futex calls a request at full load.
//
// Bounds:  kMostWaiting bytes wait; what comes beyond is counted, and the
//          count takes its place in the log.
// Threads: Any. Lines of one thread stay in their order.
#ifndef LLM_SERVER_METRICS_LOG_QUEUE_H_
#define LLM_SERVER_METRICS_LOG_QUEUE_H_

#include <spdlog/sinks/base_sink.h>

#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "adapters/core/mutex.h"

namespace llm::server {

class LogQueue : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr absl::Duration kPatience = absl::Milliseconds(10);
  static constexpr size_t kMostWaiting = size_t{4} << 20;

  // Writes to `fd`, which outlives it.
  explicit LogQueue(int fd);
  ~LogQueue() override { End(); }

  // Writes what waits, however long its reader takes; what comes later is
  // not written. Once or more.
  void End();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

 private:
  void Run();
  // Waits for lines, and takes them with a word on what was lost. False at the
  // end, when none are left.
  bool Next(std::string* lines);
  bool Pressing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return urgent_ || ending_;
  }

  const int fd_;
  Mutex mutex_;
  CondVar changed_;
  std::string waiting_ ABSL_GUARDED_BY(mutex_);
  int64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool urgent_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
  std::once_flag ended_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_LOG_QUEUE_H_
