// Reads a segment file's frames from an offset on.
//
// Threads: One at a time.
// Errors:  kNotFound where there is no such file, kUnavailable where it could
//          not be read: nothing is known of its content then, and nothing may
//          be concluded from it.
#ifndef LLM_SERVER_LEDGER_SEGMENT_READER_H_
#define LLM_SERVER_LEDGER_SEGMENT_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "router/usage_ledger.h"

namespace llm::server {

struct SegmentSlice {
  std::vector<LedgerEntry> entries;
  int64_t end = 0;  // the offset after the last frame read
  // What could not be read between the offset and `end`, and why.
  int64_t unreadable_bytes = 0;
  std::string reason;
};

// Whole frames of `path` in [offset, size), until about `max_entries` are in.
// Damaged frames are skipped; a torn one takes the rest of the file with it.
absl::StatusOr<SegmentSlice> ReadSegment(const std::string& path,
                                         int64_t offset, int64_t size,
                                         size_t max_entries);

absl::StatusOr<int64_t> FileSize(const std::string& path);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_SEGMENT_READER_H_
