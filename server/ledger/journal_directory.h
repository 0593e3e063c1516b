// Where journals live, and whose they are.
//
//   <store>.journal/<instance>/lock             flock'ed while its process
//   lives <store>.journal/<instance>/worker-N-SEQ.log
//
// The kernel drops the lock with its process, however it ends, so a directory
// whose lock is free belongs to a dead one and may be claimed. A directory
// gets its name only after it is locked: a nameless one is never claimed.
//
// Threads: Any, one object at a time.
#ifndef LLM_SERVER_LEDGER_JOURNAL_DIRECTORY_H_
#define LLM_SERVER_LEDGER_JOURNAL_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace llm::server {

struct SegmentFile {
  int worker = 0;
  int64_t sequence = 0;
  std::string path;
};

// An instance's directory, held by its lock until the object goes.
class JournalDirectory {
 public:
  // A fresh one under `root`, which is made if missing.
  static absl::StatusOr<std::unique_ptr<JournalDirectory>> Create(
      const std::string& root, const std::string& instance);
  // Those of dead processes under `root`; an unreadable root has none.
  static std::vector<std::unique_ptr<JournalDirectory>> ClaimDead(
      const std::string& root);
  ~JournalDirectory();
  JournalDirectory(const JournalDirectory&) = delete;
  JournalDirectory& operator=(const JournalDirectory&) = delete;

  const std::string& path() const { return path_; }
  const std::string& instance() const { return instance_; }
  // Ordered by worker, then sequence. kUnavailable: not all can be listed.
  absl::StatusOr<std::vector<SegmentFile>> Segments() const;
  // Removes `taken` and then the directory, unless it holds other segments.
  void Remove(const std::vector<SegmentFile>& taken);

 private:
  JournalDirectory(std::string path, std::string instance, int lock_fd);
  static std::unique_ptr<JournalDirectory> Claim(const std::string& root,
                                                 const std::string& instance);

  std::string path_;
  std::string instance_;
  int lock_fd_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_JOURNAL_DIRECTORY_H_
