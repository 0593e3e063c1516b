#include "server/ledger/journal_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/core/status_macros.h"

namespace llm::server {
namespace {

namespace fs = std::filesystem;

absl::Status FileError(const char* what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

absl::StatusOr<std::vector<std::string>> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator at(directory, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat(
        "cannot list the journals in ", directory, ": ", error.message()));
  }
  return names;
}

// "worker-3-0000000017.log".
bool ParseSegmentName(const std::string& name, SegmentFile* file) {
  const std::vector<std::string> parts = absl::StrSplit(name, '-');
  if (parts.size() != 3 || parts[0] != "worker") return false;
  absl::string_view sequence = parts[2];
  if (!absl::ConsumeSuffix(&sequence, ".log")) return false;
  return absl::SimpleAtoi(parts[1], &file->worker) &&
         absl::SimpleAtoi(sequence, &file->sequence);
}

int LockedFile(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

JournalDirectory::JournalDirectory(std::string path, std::string instance,
                                   int lock_fd)
    : path_(std::move(path)),
      instance_(std::move(instance)),
      lock_fd_(lock_fd) {}

JournalDirectory::~JournalDirectory() { close(lock_fd_); }

absl::StatusOr<std::unique_ptr<JournalDirectory>> JournalDirectory::Create(
    const std::string& root, const std::string& instance) {
  if (mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    return FileError("cannot make the journal directory", root);
  }
  const std::string hidden = absl::StrCat(root, "/.", instance);
  const std::string path = absl::StrCat(root, "/", instance);
  if (mkdir(hidden.c_str(), 0700) != 0) {
    return FileError("cannot make the journal directory", hidden);
  }
  const int fd = LockedFile(hidden + "/lock", O_CREAT | O_EXCL);
  if (fd < 0) return FileError("cannot lock the journal directory", hidden);
  if (rename(hidden.c_str(), path.c_str()) != 0) {
    close(fd);
    return FileError("cannot name the journal directory", path);
  }
  return std::unique_ptr<JournalDirectory>(
      new JournalDirectory(path, instance, fd));
}

std::vector<std::unique_ptr<JournalDirectory>> JournalDirectory::ClaimDead(
    const std::string& root) {
  std::vector<std::unique_ptr<JournalDirectory>> dead;
  const auto names = NamesIn(root);
  if (!names.ok()) return dead;
  for (const std::string& instance : *names) {
    if (instance.empty() || instance[0] == '.') continue;
    auto claimed = Claim(root, instance);
    if (claimed != nullptr) dead.push_back(std::move(claimed));
  }
  return dead;
}

std::unique_ptr<JournalDirectory> JournalDirectory::Claim(
    const std::string& root, const std::string& instance) {
  const std::string path = absl::StrCat(root, "/", instance);
  const int fd = LockedFile(path + "/lock", 0);
  if (fd < 0) return nullptr;
  // Whoever claimed it first may have removed it between open and lock.
  struct stat info {};
  if (fstat(fd, &info) != 0 || info.st_nlink == 0) {
    close(fd);
    return nullptr;
  }
  return std::unique_ptr<JournalDirectory>(
      new JournalDirectory(path, instance, fd));
}

absl::StatusOr<std::vector<SegmentFile>> JournalDirectory::Segments() const {
  std::vector<SegmentFile> files;
  LLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path_));
  for (const std::string& name : names) {
    SegmentFile file;
    if (!ParseSegmentName(name, &file)) continue;
    file.path = absl::StrCat(path_, "/", name);
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const SegmentFile& a, const SegmentFile& b) {
              return std::tie(a.worker, a.sequence) <
                     std::tie(b.worker, b.sequence);
            });
  return files;
}

void JournalDirectory::Remove(const std::vector<SegmentFile>& taken) {
  for (const SegmentFile& file : taken) unlink(file.path.c_str());
  const auto left = Segments();
  if (!left.ok() || !left->empty()) return;
  // The lock goes last: until then a second claimer finds it taken.
  unlink((path_ + "/lock").c_str());
  rmdir(path_.c_str());
}

}  // namespace llm::server
