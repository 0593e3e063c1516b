#include "server/metrics/log_queue.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace llm::server {
namespace {

// All of it, or as much as there is somebody for; what is left.
std::string_view WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(fd, bytes.data(), bytes.size());
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // A pipe that somebody else made non-blocking.
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      break;
    }
  }
  return bytes;
}

}  // namespace

LogQueue::LogQueue(int fd) : fd_(fd), thread_([this] { Run(); }) {}

void LogQueue::End() {
  std::call_once(ended_, [this] {
    {
      const MutexLock lock(mutex_);
      ending_ = true;
      changed_.NotifyOne();
    }
    thread_.join();
  });
}

void LogQueue::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  const MutexLock lock(mutex_);
  if (ending_) return;
  if (waiting_.size() + line.size() > kMostWaiting) {
    ++lost_;
    return;
  }
  // Only the first is worth a wake-up.
  if (waiting_.empty()) changed_.NotifyOne();
  waiting_.append(line.data(), line.size());
}

void LogQueue::flush_() {
  const MutexLock lock(mutex_);
  urgent_ = true;
  changed_.NotifyOne();
}

bool LogQueue::Next(std::string* lines) {
  const MutexLock lock(mutex_);
  while (waiting_.empty() && !Pressing()) {
    changed_.WaitFor(mutex_, absl::Hours(1));
  }
  if (!Pressing()) changed_.WaitFor(mutex_, kPatience);
  urgent_ = false;
  lines->clear();
  lines->swap(waiting_);
  if (lost_ > 0 && !lines->empty()) {
    absl::StrAppend(lines, "... ", std::exchange(lost_, 0),
                    " lines were lost: the log was not read fast enough\n");
  }
  return !lines->empty() || !ending_;
}

void LogQueue::Run() {
  std::string lines;
  while (Next(&lines)) {
    const std::string_view left = WriteAll(fd_, lines);
    const MutexLock lock(mutex_);
    lost_ += std::count(left.begin(), left.end(), '\n');
  }
}

}  // namespace llm::server
