#include "server/ledger/store_writer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "adapters/core/status_macros.h"
#include "server/ledger/journal_codec.h"
#include "server/ledger/open_calls.h"
#include "server/ledger/schema.h"

namespace llm::server {
namespace {

// A group is a transaction of some milliseconds: other processes get their
// turn in between.
constexpr size_t kGroupRows = 2000;
constexpr absl::Duration kLongestBackoff = absl::Seconds(2);
constexpr absl::Duration kLongestAdoptionWait = absl::Minutes(1);

}  // namespace

// How far one worker's journal has been taken.
struct StoreWriter::Tail {
  std::shared_ptr<Journal> journal;
  // Of the writer thread: read into the group, though not yet committed.
  JournalPosition read;
  int64_t segment_rows = 0;  // of segment `read.sequence`
  int64_t settled_rows = 0;
  OpenCalls calls;
  // Under the writer's mutex: committed.
  JournalPosition stored;
  int64_t stored_rows = 0;
};

absl::StatusOr<std::unique_ptr<StoreWriter>> StoreWriter::Start(
    StoreWriterOptions options) {
  LLM_ASSIGN_OR_RETURN(
      auto directory,
      JournalDirectory::Create(options.journal_root, options.instance));
  std::unique_ptr<StoreWriter> writer(
      new StoreWriter(std::move(options), std::move(directory)));
  writer->thread_ = std::make_unique<SideThread>(
      "the store", [self = writer.get()] { return self->Tick(); });
  return writer;
}

StoreWriter::StoreWriter(StoreWriterOptions options,
                         std::unique_ptr<JournalDirectory> directory)
    : options_(std::move(options)),
      budget_(options_.journal_bytes),
      directory_(std::move(directory)),
      backoff_(options_.group_interval) {}

StoreWriter::~StoreWriter() { thread_->Stop(); }

std::shared_ptr<Journal> StoreWriter::AddJournal(int worker) {
  auto tail = std::make_shared<Tail>();
  tail->journal = std::make_shared<Journal>(directory_->path(), worker,
                                            options_.segment_bytes, &budget_);
  MutexLock lock(mutex_);
  tails_.push_back(tail);
  return tail->journal;
}

std::vector<std::shared_ptr<StoreWriter::Tail>> StoreWriter::Tails() const {
  MutexLock lock(mutex_);
  return tails_;
}

absl::Duration StoreWriter::Tick() {
  bool more = false;
  // What cannot be read is trouble, but no reason to write less.
  absl::Status unread;
  absl::Status written = WriteOnce(&more, &unread);
  const bool ok = written.ok();
  {
    MutexLock lock(mutex_);
    health_ = ok ? std::move(unread) : std::move(written);
    stored_.NotifyAll();
  }
  if (!ok) {
    // A fresh connection next time: some errors stay with the old one.
    rows_.reset();
    database_.reset();
    backoff_ = std::min(backoff_ * 2, kLongestBackoff);
    return backoff_;
  }
  backoff_ = options_.group_interval;
  if (more) return absl::ZeroDuration();
  return options_.group_interval;
}

absl::Status StoreWriter::WriteOnce(bool* more, absl::Status* unread) {
  if (database_ == nullptr) LLM_RETURN_IF_ERROR(OpenDatabase());
  // By the clock: under a backlog that never ends there are no idle turns.
  const Instant now = options_.clock->Monotonic();
  if (now >= next_adoption_) {
    LLM_RETURN_IF_ERROR(AdoptDead());
    adoption_wait_ =
        unread_.ok()
            ? options_.adopt_interval
            : std::min(std::max(adoption_wait_ * 2, options_.adopt_interval),
                       kLongestAdoptionWait);
    next_adoption_ = now + adoption_wait_;
    MutexLock lock(mutex_);
    adopted_ = true;
  }
  // What cannot be read waits where it is and keeps nothing else waiting.
  if (group_.empty()) {
    for (const auto& tail : Tails()) {
      const absl::StatusOr<bool> gathered = Gather(*tail);
      *more = gathered.value_or(false) || *more;
      unread->Update(gathered.status());
    }
  }
  return Settle();
}

absl::Status StoreWriter::OpenDatabase() {
  LLM_ASSIGN_OR_RETURN(auto database,
                       OpenMigrated(options_.path, options_.busy_timeout));
  LLM_ASSIGN_OR_RETURN(RowWriter rows, RowWriter::Make(*database));
  database_ = std::move(database);
  rows_ = std::make_unique<RowWriter>(std::move(rows));
  return absl::OkStatus();
}

// Reads on from where the last group ended. True: there may be more.
absl::StatusOr<bool> StoreWriter::Gather(Tail& tail) {
  while (group_.size() < kGroupRows) {
    const int64_t sequence = tail.read.sequence;
    const Journal::SegmentState state = tail.journal->Segment(sequence);
    const std::string path = tail.journal->SegmentPath(sequence);
    if (state.size > tail.read.offset) {
      absl::StatusOr<SegmentSlice> slice =
          ReadSegment(path, tail.read.offset, state.size, kGroupRows);
      if (absl::IsNotFound(slice.status())) {
        // Somebody removed it: there is nothing to wait for.
        slice = SegmentSlice{.entries = {},
                             .end = state.size,
                             .unreadable_bytes = state.size - tail.read.offset,
                             .reason = "no such file"};
      }
      if (!slice.ok()) return slice.status();
      Take(*std::move(slice), path, tail);
    } else if (state.closed) {
      group_.Carry(options_.instance, &tail.calls);
      dropped_ += state.rows - tail.segment_rows;
      tail.settled_rows += state.rows;
      tail.segment_rows = 0;
      tail.read = {sequence + 1, 0};
    } else {
      return false;
    }
  }
  return true;
}

void StoreWriter::Take(SegmentSlice slice, const std::string& path,
                       Tail& tail) {
  tail.read.offset = slice.end;
  for (const LedgerEntry& entry : slice.entries) {
    if (!std::holds_alternative<AttemptIntent>(entry)) ++tail.segment_rows;
  }
  group_.Add(std::move(slice.entries), &tail.calls);
  group_.EndCarried(options_.instance, &tail.calls);
  if (slice.unreadable_bytes > 0) {
    group_.AddUnreadable(path, slice.reason, slice.unreadable_bytes);
  }
}

absl::Status StoreWriter::Commit(const RowGroup& group) {
  LLM_ASSIGN_OR_RETURN(
      const int64_t aside,
      group.Commit(*database_, *rows_, options_.clock->WallNow()));
  quarantined_ += aside;
  return absl::OkStatus();
}

// Commits the group, then tells who waits and lets go of what is stored.
absl::Status StoreWriter::Settle() {
  if (!group_.empty()) {
    LLM_RETURN_IF_ERROR(Commit(group_));
    group_.clear();
  }
  for (const auto& tail : Tails()) {
    {
      MutexLock lock(mutex_);
      tail->stored = tail->read;
      tail->stored_rows = tail->settled_rows + tail->segment_rows;
    }
    tail->journal->RemoveThrough(tail->read.sequence - 1);
  }
  return absl::OkStatus();
}

absl::Status StoreWriter::AdoptDead() {
  const absl::Status before = std::exchange(unread_, absl::OkStatus());
  for (const auto& dead : JournalDirectory::ClaimDead(options_.journal_root)) {
    LLM_RETURN_IF_ERROR(Adopt(*dead));
  }
  // Said once: no instance stops being ready for what another left behind.
  if (unread_ != before && !unread_.ok()) {
    spdlog::error("the journal of an ended process waits to be read: {}",
                  std::string(unread_.message()));
  }
  return absl::OkStatus();
}

// Segments go only when all is stored: an adoption that is cut short starts
// again, and finds the rows it had stored already there.
absl::Status StoreWriter::Adopt(JournalDirectory& directory) {
  OpenCalls calls;
  LLM_ASSIGN_OR_RETURN(const std::vector<std::string> carried,
                       rows_->CarriedOf(directory.instance()));
  for (const std::string& frame : carried) {
    calls.Restore(DecodeFrame(frame).entries);
  }
  const auto files = directory.Segments();
  unread_.Update(files.status());
  if (!files.ok()) return absl::OkStatus();
  for (const SegmentFile& file : *files) {
    LLM_ASSIGN_OR_RETURN(const bool whole, AdoptSegment(file.path, &calls));
    if (!whole) return absl::OkStatus();
  }
  RowGroup last;
  const int64_t lost = last.AddLost(directory.instance(), calls);
  LLM_RETURN_IF_ERROR(Commit(last));
  lost_ += lost;
  directory.Remove(*files);
  return absl::OkStatus();
}

// False: not all could be read, and unread_ says why.
absl::StatusOr<bool> StoreWriter::AdoptSegment(const std::string& path,
                                               OpenCalls* calls) {
  const absl::StatusOr<int64_t> size = FileSize(path);
  if (absl::IsNotFound(size.status())) return true;
  unread_.Update(size.status());
  for (int64_t at = 0; size.ok() && at < *size;) {
    absl::StatusOr<SegmentSlice> slice =
        ReadSegment(path, at, *size, kGroupRows);
    unread_.Update(slice.status());
    if (!slice.ok()) return false;
    at = slice->end;
    RowGroup group;
    group.Add(std::move(slice->entries), calls);
    if (slice->unreadable_bytes > 0) {
      group.AddUnreadable(path, slice->reason, slice->unreadable_bytes);
    }
    LLM_RETURN_IF_ERROR(Commit(group));
  }
  return size.ok();
}

bool StoreWriter::WaitStored(absl::Duration patience) {
  std::vector<std::pair<std::shared_ptr<Tail>, JournalPosition>> goals;
  for (const auto& tail : Tails()) {
    goals.emplace_back(tail, tail->journal->End());
  }
  thread_->Wake();
  const auto until =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(patience);
  MutexLock lock(mutex_);
  while (true) {
    const bool all =
        adopted_ &&
        std::all_of(goals.begin(), goals.end(), [](const auto& goal) {
          return goal.first->stored >= goal.second;
        });
    if (all) return true;
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    stored_.WaitFor(mutex_, absl::FromChrono(left));
  }
}

absl::Status StoreWriter::Health() const {
  MutexLock lock(mutex_);
  // A new one: see Waiting::TakeResult in side_thread.cc.
  return {health_.code(), health_.message()};
}

LedgerCounters StoreWriter::Counters() const {
  LedgerCounters counters;
  MutexLock lock(mutex_);
  for (const auto& tail : tails_) {
    // Stored first: the difference is then never negative.
    const int64_t stored = tail->stored_rows;
    const int64_t appended = tail->journal->appended_rows();
    counters.rows_total += appended;
    counters.queue_rows += appended - stored;
  }
  counters.rows_dropped = dropped_;
  counters.journal_bytes = budget_.used();
  counters.quarantined = quarantined_;
  counters.lost = lost_;
  return counters;
}

absl::Status StoreWriter::Close(absl::Duration patience) {
  if (directory_ == nullptr) return absl::OkStatus();  // closed before
  for (const auto& tail : Tails()) tail->journal->Close();
  const bool stored = WaitStored(patience);
  // From here on this thread is the only one that touches the writer.
  thread_->Stop();
  if (!stored) {
    directory_.reset();
    return absl::UnavailableError(
        "the store is behind: usage rows wait in the journal");
  }
  absl::Status finished = Finish();
  directory_.reset();
  return finished;
}

// Calls that never ended are lost; then nothing is left in the journals.
absl::Status StoreWriter::Finish() {
  for (const auto& tail : Tails()) {
    lost_ += group_.AddLost(options_.instance, tail->calls);
  }
  if (database_ == nullptr) LLM_RETURN_IF_ERROR(OpenDatabase());
  LLM_RETURN_IF_ERROR(Settle());
  for (const auto& tail : Tails()) {
    tail->journal->RemoveThrough(tail->read.sequence);
  }
  directory_->Remove({});
  return absl::OkStatus();
}

}  // namespace llm::server
