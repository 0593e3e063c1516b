#include "server/ledger/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "server/ledger/journal_codec.h"

namespace llm::server {
namespace {

absl::Status WriteError(int error) {
  const std::string what = absl::StrCat("journal: ", std::strerror(error));
  // EFBIG is the file size limit of the process: a full disk by other means.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return absl::ResourceExhaustedError(what);
  }
  return absl::UnavailableError(what);
}

template <typename T>
bool Holds(const LedgerEntry& entry) {
  return std::holds_alternative<T>(entry);
}

}  // namespace

bool JournalBudget::Take(int64_t bytes, bool starts_attempt) {
  const int64_t limit = starts_attempt ? limit_ - limit_ / 8 : limit_;
  if (used_.fetch_add(bytes) + bytes <= limit) return true;
  used_ -= bytes;
  return false;
}

std::string SegmentName(int worker, int64_t sequence) {
  return absl::StrCat("worker-", worker, "-",
                      absl::Dec(sequence, absl::kZeroPad10), ".log");
}

Journal::Journal(std::string directory, int worker, int64_t segment_bytes,
                 JournalBudget* budget)
    : directory_(std::move(directory)),
      worker_(worker),
      segment_bytes_(segment_bytes),
      budget_(budget) {}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Journal::Append(absl::Span<const LedgerEntry> entries) {
  if (entries.empty()) return absl::OkStatus();
  buffer_.clear();
  EncodeFrame(entries, &buffer_);
  const auto bytes = static_cast<int64_t>(buffer_.size());
  const bool starts_attempt =
      std::any_of(entries.begin(), entries.end(), Holds<AttemptIntent>);
  if (!budget_->Take(bytes, starts_attempt)) {
    return absl::ResourceExhaustedError(
        "the usage journal is full: the store is behind");
  }
  const int64_t intents =
      std::count_if(entries.begin(), entries.end(), Holds<AttemptIntent>);
  const int64_t rows = static_cast<int64_t>(entries.size()) - intents;
  absl::Status written = Write(buffer_, rows);
  if (!written.ok()) budget_->Return(bytes);
  return written;
}

absl::Status Journal::Write(std::string_view frame, int64_t rows) {
  // Held over the write, so that nothing slips in behind Close. Only the
  // store's thread ever waits for it.
  MutexLock lock(mutex_);
  if (closed_) return absl::UnavailableError("the ledger is closed");
  if (fd_ < 0) LLM_RETURN_IF_ERROR(OpenSegment());
  ssize_t written = 0;
  do {
    written = write(fd_, frame.data(), frame.size());
  } while (written < 0 && errno == EINTR);
  const int error = written < 0 ? errno : ENOSPC;
  const bool whole = written == static_cast<ssize_t>(frame.size());
  SegmentState& state = pieces_.back().state;
  if (whole) {
    state.size += written;
    state.rows += rows;
    appended_rows_ += rows;
    if (state.size >= segment_bytes_) CloseSegment();
    return absl::OkStatus();
  }
  // A part of a frame must not stand in front of the next one. If it cannot
  // be cut off, the next one goes to a new file.
  if (written > 0 && ftruncate(fd_, state.size) != 0) CloseSegment();
  return WriteError(error);
}

absl::Status Journal::OpenSegment() {
  const std::string path =
      absl::StrCat(directory_, "/", SegmentName(worker_, next_sequence_));
  const int fd = open(path.c_str(),
                      O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return WriteError(errno);
  fd_ = fd;
  pieces_.push_back({next_sequence_++, {.size = 0}});
  return absl::OkStatus();
}

void Journal::CloseSegment() {
  pieces_.back().state.closed = true;
  close(fd_);
  fd_ = -1;
}

JournalPosition Journal::End() const {
  MutexLock lock(mutex_);
  if (pieces_.empty()) return {next_sequence_, 0};
  const Piece& last = pieces_.back();
  if (last.state.closed) return {next_sequence_, 0};
  return {last.sequence, last.state.size};
}

Journal::SegmentState Journal::Segment(int64_t sequence) const {
  MutexLock lock(mutex_);
  for (const Piece& piece : pieces_) {
    if (piece.sequence == sequence) return piece.state;
  }
  return {};
}

std::string Journal::SegmentPath(int64_t sequence) const {
  return absl::StrCat(directory_, "/", SegmentName(worker_, sequence));
}

void Journal::RemoveThrough(int64_t sequence) {
  while (true) {
    int64_t oldest = 0;
    int64_t size = 0;
    {
      MutexLock lock(mutex_);
      if (pieces_.empty() || pieces_.front().sequence > sequence) return;
      oldest = pieces_.front().sequence;
      size = pieces_.front().state.size;
      pieces_.pop_front();
    }
    unlink(SegmentPath(oldest).c_str());
    budget_->Return(size);
  }
}

void Journal::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

}  // namespace llm::server
