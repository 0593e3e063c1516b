// One worker's append-only file: what Append returned OK for is in the page
// cache and survives kill -9.
//
// Not fsynced here: a power cut can lose what the store has not committed
// yet, up to a group interval (store_writer.h).
// Segments rotate at a size and are removed once everything in them is
// stored. A full journal pushes back; nothing is dropped.
//
// Threads: Append on the worker's loop; all else on the store's writer
//          thread, which holds the mutex between them for assignments only.
// Errors:  kResourceExhausted when the budget or the disk is full,
//          kUnavailable for other write errors and after Close. The file
//          never keeps part of a failed append.
#ifndef LLM_SERVER_LEDGER_JOURNAL_H_
#define LLM_SERVER_LEDGER_JOURNAL_H_

#include <atomic>
#include <compare>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "adapters/core/mutex.h"
#include "router/usage_ledger.h"

namespace llm::server {

// The bytes of all journals of one process, against one limit. New attempts
// are refused at seven eighths of it, so that those in flight can still write
// their records.
class JournalBudget {
 public:
  explicit JournalBudget(int64_t limit) : limit_(limit) {}
  // False, and nothing taken, if it does not fit.
  bool Take(int64_t bytes, bool starts_attempt);
  void Return(int64_t bytes) { used_ -= bytes; }
  int64_t used() const { return used_; }

 private:
  const int64_t limit_;
  std::atomic<int64_t> used_{0};
};

// A place in a journal: everything before `offset` of segment `sequence`.
struct JournalPosition {
  int64_t sequence = 1;
  int64_t offset = 0;
  friend auto operator<=>(const JournalPosition&,
                          const JournalPosition&) = default;
};

std::string SegmentName(int worker, int64_t sequence);

class Journal {
 public:
  // `directory` exists; `budget` outlives the journal.
  Journal(std::string directory, int worker, int64_t segment_bytes,
          JournalBudget* budget);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // All entries in one write, or none.
  absl::Status Append(absl::Span<const LedgerEntry> entries);

  // Where the next append goes.
  JournalPosition End() const;
  // The size of a segment and whether it will grow; size -1: not there.
  struct SegmentState {
    int64_t size = -1;
    int64_t rows = 0;  // records, not intents
    bool closed = false;
  };
  SegmentState Segment(int64_t sequence) const;
  std::string SegmentPath(int64_t sequence) const;
  // Removes the oldest segments, up to and including `sequence`.
  void RemoveThrough(int64_t sequence);
  // Appends fail from here on.
  void Close();
  // Records that were appended.
  int64_t appended_rows() const { return appended_rows_; }

 private:
  absl::Status Write(std::string_view frame, int64_t rows);
  absl::Status OpenSegment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseSegment() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string directory_;
  const int worker_;
  const int64_t segment_bytes_;
  JournalBudget* const budget_;

  // Of the loop.
  int fd_ = -1;
  std::string buffer_;
  std::atomic<int64_t> appended_rows_{0};

  struct Piece {
    int64_t sequence;
    SegmentState state;
  };
  mutable Mutex mutex_;
  std::deque<Piece> pieces_ ABSL_GUARDED_BY(mutex_);
  int64_t next_sequence_ ABSL_GUARDED_BY(mutex_) = 1;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_JOURNAL_H_
