#include "server/ledger/segment_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "server/ledger/journal_codec.h"

namespace llm::server {
namespace {

// Enough for a group of rows; a bigger frame is read with all that follows.
constexpr int64_t kWindowBytes = int64_t{1} << 20;

// What the file has of [offset, offset + size).
std::string ReadBytes(const std::string& path, int64_t offset, int64_t size) {
  std::string bytes;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bytes;
  bytes.resize(static_cast<size_t>(size));
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = pread(fd, bytes.data() + filled, bytes.size() - filled,
                              offset + static_cast<int64_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  close(fd);
  bytes.resize(filled);
  return bytes;
}

// Adds the frames at the start of `bytes`; returns how many bytes they take.
size_t TakeFrames(std::string_view bytes, size_t max_entries,
                  SegmentSlice* slice) {
  size_t taken = 0;
  while (taken < bytes.size() && slice->entries.size() < max_entries) {
    DecodedFrame frame = DecodeFrame(bytes.substr(taken));
    if (frame.state == FrameState::kTorn) break;
    if (frame.state == FrameState::kDamaged) {
      slice->unreadable_bytes += static_cast<int64_t>(frame.bytes);
      slice->reason = "damaged frame";
    }
    std::move(frame.entries.begin(), frame.entries.end(),
              std::back_inserter(slice->entries));
    taken += frame.bytes;
  }
  return taken;
}

}  // namespace

SegmentSlice ReadSegment(const std::string& path, int64_t offset, int64_t size,
                         size_t max_entries) {
  SegmentSlice slice;
  int64_t window = std::min(size - offset, kWindowBytes);
  size_t taken =
      TakeFrames(ReadBytes(path, offset, window), max_entries, &slice);
  if (taken == 0 && window < size - offset) {
    window = size - offset;
    taken = TakeFrames(ReadBytes(path, offset, window), max_entries, &slice);
  }
  slice.end = offset + static_cast<int64_t>(taken);
  if (taken == 0 && window > 0) {
    slice.unreadable_bytes = window;
    slice.reason = "torn frame";
    slice.end = size;
  }
  return slice;
}

int64_t FileSize(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

}  // namespace llm::server
