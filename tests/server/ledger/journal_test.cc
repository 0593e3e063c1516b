#include "server/ledger/journal.h"

#include <signal.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "server/ledger/journal_codec.h"
#include "server/ledger/journal_directory.h"
#include "server/ledger/segment_reader.h"
#include "tests/server/ledger/ledger_samples.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

constexpr int64_t kPlenty = int64_t{1} << 30;

size_t EntriesIn(const std::string& path) {
  return ReadSegment(path, 0, FileSize(path).value(), 1'000'000)
      .value()
      .entries.size();
}

// Lowers the size that files may have, for a while.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const struct rlimit lowered = {bytes, before_.rlim_max};
    handler_ = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &lowered);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_ {};
  void (*handler_)(int) = nullptr;
};

TEST_CASE("An append is in the file when it returns", "[ledger][journal]") {
  TempDir dir;
  JournalBudget budget(kPlenty);
  Journal journal(dir.path(), 3, kPlenty, &budget);
  REQUIRE_THAT(journal.Append(SampleCall("1")), IsOk());
  const std::string path = dir.File("worker-3-0000000001.log");
  CHECK(EntriesIn(path) == 3);
  CHECK(FileSize(path).value() == budget.used());
  CHECK(journal.appended_rows() == 2);
  CHECK(journal.End() == JournalPosition{1, budget.used()});
}

TEST_CASE("Segments rotate by size and are removed oldest first",
          "[ledger][journal]") {
  TempDir dir;
  JournalBudget budget(kPlenty);
  Journal journal(dir.path(), 0, 500, &budget);
  for (int i = 0; i < 6; ++i) {
    REQUIRE_THAT(journal.Append(SampleCall(std::to_string(i))), IsOk());
  }
  CHECK(journal.Segment(1).closed);
  CHECK(journal.Segment(1).rows == 2);
  CHECK(journal.Segment(7).size == -1);
  journal.RemoveThrough(5);
  CHECK(journal.Segment(5).size == -1);
  CHECK_FALSE(std::filesystem::exists(journal.SegmentPath(5)));
  CHECK(std::filesystem::exists(journal.SegmentPath(6)));
  journal.RemoveThrough(6);
  CHECK(budget.used() == 0);
}

TEST_CASE("A full journal refuses new attempts first, then all",
          "[ledger][journal][LED-4]") {
  TempDir dir;
  std::string frame;
  EncodeFrame(SampleCall("1"), &frame);
  const auto bytes = static_cast<int64_t>(frame.size());
  // Room for eight: seven with an intent, then one without.
  JournalBudget budget(bytes * 8);
  Journal journal(dir.path(), 0, 1, &budget);
  for (int i = 0; i < 7; ++i) {
    REQUIRE_THAT(journal.Append(SampleCall("1")), IsOk());
  }
  CHECK_THAT(journal.Append(SampleCall("1")),
             HasCode(absl::StatusCode::kResourceExhausted));
  CHECK_THAT(journal.Append({{SampleAttempt("r", "a")}}), IsOk());
  // What is left of the eighth is smaller than another whole call.
  CHECK_THAT(journal.Append({{SampleAttempt("r", "a"), SampleRequest("r")}}),
             HasCode(absl::StatusCode::kResourceExhausted));
  journal.RemoveThrough(1);
  CHECK_THAT(journal.Append({{SampleAttempt("r", "a")}}), IsOk());
}

TEST_CASE("A disk that fills in mid-write leaves no part of the append",
          "[ledger][journal][STO-1]") {
  TempDir dir;
  JournalBudget budget(kPlenty);
  Journal journal(dir.path(), 0, kPlenty, &budget);
  REQUIRE_THAT(journal.Append(SampleCall("1")), IsOk());
  const int64_t whole = budget.used();
  {
    const FileSizeLimit limit(static_cast<rlim_t>(whole + whole / 2));
    CHECK_THAT(journal.Append(SampleCall("2")),
               HasCode(absl::StatusCode::kResourceExhausted));
  }
  CHECK(FileSize(journal.SegmentPath(1)).value() == whole);
  CHECK(budget.used() == whole);
  CHECK(journal.appended_rows() == 2);
  REQUIRE_THAT(journal.Append(SampleCall("3")), IsOk());
  CHECK(EntriesIn(journal.SegmentPath(1)) == 6);
}

TEST_CASE("A closed journal takes nothing more", "[ledger][journal]") {
  TempDir dir;
  JournalBudget budget(kPlenty);
  Journal journal(dir.path(), 0, kPlenty, &budget);
  journal.Close();
  CHECK_THAT(journal.Append(SampleCall("1")),
             HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("A folder that is gone refuses the append", "[ledger][journal]") {
  JournalBudget budget(kPlenty);
  Journal journal("/nonexistent/folder", 0, kPlenty, &budget);
  CHECK_THAT(journal.Append(SampleCall("1")),
             HasCode(absl::StatusCode::kUnavailable));
  CHECK(budget.used() == 0);
}

TEST_CASE("A file cut at any byte gives back the whole frames before it",
          "[ledger][journal]") {
  TempDir dir;
  JournalBudget budget(kPlenty);
  Journal journal(dir.path(), 0, kPlenty, &budget);
  REQUIRE_THAT(journal.Append(SampleCall("1")), IsOk());
  const int64_t first = budget.used();
  REQUIRE_THAT(journal.Append(SampleCall("2")), IsOk());
  const int64_t both = budget.used();
  const std::string path = journal.SegmentPath(1);
  for (int64_t size = both - 1; size >= 0; --size) {
    CAPTURE(size);
    std::filesystem::resize_file(path, static_cast<uintmax_t>(size));
    SegmentSlice slice = ReadSegment(path, 0, size, 100).value();
    CHECK(slice.entries.size() == (size >= first ? 3U : 0U));
    if (size >= first && size > slice.end) {
      slice = ReadSegment(path, slice.end, size, 100).value();
      CHECK(slice.entries.empty());
    }
    CHECK(slice.end == size);
  }
}

TEST_CASE("A damaged frame does not hide the ones behind it",
          "[ledger][journal]") {
  TempDir dir;
  JournalBudget budget(kPlenty);
  Journal journal(dir.path(), 0, kPlenty, &budget);
  REQUIRE_THAT(journal.Append(SampleCall("1")), IsOk());
  const int64_t first = budget.used();
  REQUIRE_THAT(journal.Append(SampleCall("2")), IsOk());
  const std::string path = journal.SegmentPath(1);
  std::FILE* file = std::fopen(path.c_str(), "r+");
  REQUIRE(file != nullptr);
  std::fseek(file, 100, SEEK_SET);
  std::fputc('\x7F', file);
  std::fclose(file);
  const SegmentSlice slice = ReadSegment(path, 0, budget.used(), 100).value();
  REQUIRE(slice.entries.size() == 3);
  CHECK(std::get<RequestRecord>(slice.entries[2]).identity.request_id ==
        CallId{"r-2"});
  CHECK(slice.unreadable_bytes == first);
}

TEST_CASE("Of a file that cannot be read nothing is concluded",
          "[ledger][journal]") {
  TempDir dir;
  CHECK_THAT(FileSize(dir.File("none")).status(),
             HasCode(absl::StatusCode::kNotFound));
  CHECK_THAT(ReadSegment(dir.File("none"), 0, 10, 100).status(),
             HasCode(absl::StatusCode::kNotFound));
  const std::string loop = dir.File("loop");
  std::filesystem::create_symlink(loop, loop);
  CHECK_THAT(FileSize(loop).status(), HasCode(absl::StatusCode::kUnavailable));
  CHECK_THAT(ReadSegment(loop, 0, 10, 100).status(),
             HasCode(absl::StatusCode::kUnavailable));
  // Opens, and fails at the first byte.
  CHECK_THAT(ReadSegment(dir.path(), 0, 10, 100).status(),
             HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("Only the folder of a process that has ended can be claimed",
          "[ledger][journal]") {
  TempDir dir;
  const std::string root = dir.File("root");
  auto alive = JournalDirectory::Create(root, "one");
  REQUIRE_THAT(alive, IsOk());
  CHECK(JournalDirectory::ClaimDead(root).empty());
  alive->reset();  // the lock goes, as with the process
  auto claimed = JournalDirectory::ClaimDead(root);
  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0]->instance() == "one");
  CHECK(JournalDirectory::ClaimDead(root).empty());
  claimed[0]->Remove({});
  claimed.clear();
  CHECK(JournalDirectory::ClaimDead(root).empty());
  CHECK(std::filesystem::is_empty(root));
}

}  // namespace
}  // namespace llm::server
