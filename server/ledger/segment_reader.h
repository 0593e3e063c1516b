// Reads a segment file's frames from an offset on.
//
// Threads: One at a time.
#ifndef LLM_SERVER_LEDGER_SEGMENT_READER_H_
#define LLM_SERVER_LEDGER_SEGMENT_READER_H_

#include <cstdint>
#include <string>
#include <vector>

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
SegmentSlice ReadSegment(const std::string& path, int64_t offset, int64_t size,
                         size_t max_entries);

// The size of a file; 0 if it is not there.
int64_t FileSize(const std::string& path);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_SEGMENT_READER_H_
