// The thread that takes rows from the journals into the store, in groups.
//
// It reads the journals themselves: there is no queue in memory to overflow,
// and one way in for rows of this process and of dead ones. A group is one
// transaction; a store that is locked, slow or away makes rows wait in the
// journal while the group is tried again.
//
// Threads: Any, except that each journal has its loop.
// Errors:  None reaches an append; Health tells.
#ifndef LLM_SERVER_LEDGER_STORE_WRITER_H_
#define LLM_SERVER_LEDGER_STORE_WRITER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "adapters/core/mutex.h"
#include "server/core/side_thread.h"
#include "server/ledger/journal.h"
#include "server/ledger/journal_directory.h"
#include "server/ledger/row_group.h"
#include "server/ledger/segment_reader.h"

namespace llm::server {

struct StoreWriterOptions {
  std::string path;          // of the SQLite file
  std::string journal_root;  // exists or can be made
  std::string instance;      // unique: a UUID
  int64_t journal_bytes = int64_t{256} << 20;
  int64_t segment_bytes = int64_t{4} << 20;
  // A row is in the store about this long after its append.
  absl::Duration group_interval = absl::Milliseconds(100);
  // How often journals of dead processes are looked for.
  absl::Duration adopt_interval = absl::Seconds(1);
  // How long a group waits for another process's lock before a retry.
  absl::Duration busy_timeout = absl::Seconds(1);
  const Clock* clock = nullptr;
};

// For metrics; each is exact, together they are not one instant.
struct LedgerCounters {
  int64_t rows_total = 0;    // records appended by this process
  int64_t rows_dropped = 0;  // records that the disk did not give back
  int64_t queue_rows = 0;    // appended and not yet stored
  int64_t journal_bytes = 0;
  int64_t quarantined = 0;
  int64_t lost = 0;  // rows made for attempts and requests of dead processes
};

class StoreWriter {
 public:
  static absl::StatusOr<std::unique_ptr<StoreWriter>> Start(
      StoreWriterOptions options);
  ~StoreWriter();

  // A journal for one worker. Shared: the loop appends while the store reads,
  // and either may be the last.
  std::shared_ptr<Journal> AddJournal(int worker);
  // Returns when all that was appended before the call is stored, and what
  // dead processes had left at the start, as far as it can be read; or, with
  // false, after `patience`.
  bool WaitStored(absl::Duration patience);
  absl::Status Health() const;
  LedgerCounters Counters() const;
  // Refuses further appends, stores what there is and removes the journals.
  // What cannot be stored within `patience` stays for the next process.
  absl::Status Close(absl::Duration patience);

 private:
  struct Tail;
  explicit StoreWriter(StoreWriterOptions options,
                       std::unique_ptr<JournalDirectory> directory);

  absl::Duration Tick();
  // `unread`: a journal of ours that cannot be read now.
  absl::Status WriteOnce(bool* more, absl::Status* unread);
  absl::Status OpenDatabase();
  absl::Status AdoptDead();
  absl::Status Adopt(JournalDirectory& directory);
  absl::StatusOr<bool> AdoptSegment(const std::string& path, OpenCalls* calls);
  absl::StatusOr<bool> Gather(Tail& tail);
  void Take(SegmentSlice slice, const std::string& path, Tail& tail);
  absl::Status Commit(const RowGroup& group);
  absl::Status Settle();
  absl::Status Finish();
  std::vector<std::shared_ptr<Tail>> Tails() const;

  const StoreWriterOptions options_;
  JournalBudget budget_;

  // Of the thread.
  std::unique_ptr<JournalDirectory> directory_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<RowWriter> rows_;
  RowGroup group_;
  absl::Duration backoff_;
  Instant next_adoption_;  // the first is at once
  absl::Status unread_;    // of the last adoption
  absl::Duration adoption_wait_;

  std::atomic<int64_t> quarantined_{0};
  std::atomic<int64_t> lost_{0};
  std::atomic<int64_t> dropped_{0};

  mutable Mutex mutex_;
  CondVar stored_;
  std::vector<std::shared_ptr<Tail>> tails_ ABSL_GUARDED_BY(mutex_);
  bool adopted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);

  // Last: it uses all of the above.
  std::unique_ptr<SideThread> thread_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_STORE_WRITER_H_
