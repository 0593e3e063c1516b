#include "server/ledger/segment_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "server/ledger/journal_codec.h"

namespace llm::server {
namespace {

// Enough for a group of rows; a bigger frame is read with all that follows.
constexpr int64_t kWindowBytes = int64_t{1} << 20;

absl::Status ReadError(const std::string& path, int error) {
  const std::string what =
      absl::StrCat("cannot read the journal ", path, ": ", strerror(error));
  return error == ENOENT ? absl::NotFoundError(what)
                         : absl::UnavailableError(what);
}

// What the file has of [offset, offset + size): less only where it ends.
absl::StatusOr<std::string> ReadBytes(const std::string& path, int64_t offset,
                                      int64_t size) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ReadError(path, errno);
  std::string bytes(static_cast<size_t>(size), '\0');
  size_t filled = 0;
  int error = 0;
  while (filled < bytes.size()) {
    const ssize_t got = pread(fd, bytes.data() + filled, bytes.size() - filled,
                              offset + static_cast<int64_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  close(fd);
  if (error != 0) return ReadError(path, error);
  bytes.resize(filled);
  return bytes;
}

// Adds the frames at the start of `bytes`; returns how many bytes they take.
size_t TakeFrames(std::string_view bytes, size_t max_entries,
                  SegmentSlice* slice) {
  // An entry takes some 400 bytes and a record has forty texts, which need
  // not move each time the list grows.
  slice->entries.reserve(std::min(max_entries, bytes.size() / 400 + 1));
  size_t taken = 0;
  while (taken < bytes.size() && slice->entries.size() < max_entries) {
    const FrameFacts frame = DecodeFrame(bytes.substr(taken), &slice->entries);
    if (frame.state == FrameState::kTorn) break;
    if (frame.state == FrameState::kDamaged) {
      slice->unreadable_bytes += static_cast<int64_t>(frame.bytes);
      slice->reason = "damaged frame";
    }
    taken += frame.bytes;
  }
  return taken;
}

}  // namespace

absl::StatusOr<SegmentSlice> ReadSegment(const std::string& path,
                                         int64_t offset, int64_t size,
                                         size_t max_entries) {
  SegmentSlice slice;
  int64_t window = std::min(size - offset, kWindowBytes);
  LLM_ASSIGN_OR_RETURN(std::string bytes, ReadBytes(path, offset, window));
  size_t taken = TakeFrames(bytes, max_entries, &slice);
  if (taken == 0 && window < size - offset) {
    window = size - offset;
    LLM_ASSIGN_OR_RETURN(bytes, ReadBytes(path, offset, window));
    taken = TakeFrames(bytes, max_entries, &slice);
  }
  slice.end = offset + static_cast<int64_t>(taken);
  if (taken == 0 && window > 0) {
    slice.unreadable_bytes = window;
    slice.reason = "torn frame";
    slice.end = size;
  }
  return slice;
}

absl::StatusOr<int64_t> FileSize(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return ReadError(path, errno);
  return info.st_size;
}

}  // namespace llm::server
