#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "server/ledger/sqlite_store.h"
#include "tests/server/ledger/ledger_samples.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

// In a child: `calls` whole calls, then a call of two attempts that is cut
// off, then kill -9. With `stored` the store has everything before that.
void DieWriting(StoreFixture& fixture, int calls, bool stored) {
  auto store = OpenStore(fixture.options());
  if (!store.ok()) _exit(1);
  auto ledger = (*store)->MakeLedger(0);
  for (int i = 0; i < calls; ++i) {
    if (!fixture.Append(*ledger, SampleCall(std::to_string(i))).ok()) _exit(2);
  }
  if (!fixture.Append(*ledger, {SampleIntent("r-cut", "a-known")}).ok() ||
      !fixture
           .Append(*ledger, {SampleAttempt("r-cut", "a-known"),
                             SampleIntent("r-cut", "a-lost")})
           .ok()) {
    _exit(3);
  }
  if (stored && !fixture.Query(**store).ok()) _exit(4);
  kill(getpid(), SIGKILL);
}

bool WasKilled(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
         WTERMSIG(status) == SIGKILL;
}

void CheckAllIsThere(const std::string& path, int calls) {
  CHECK(Count(path, "attempts WHERE outcome = 'ok'") == calls + 1);
  CHECK(Count(path, "requests WHERE outcome = 'ok'") == calls);
  CHECK(Rows(path, "SELECT attempt_id FROM attempts WHERE outcome = 'lost'") ==
        std::vector<std::vector<std::string>>{{"a-lost"}});
  CHECK(Rows(path,
             "SELECT request_id, attempts, unpriced, fresh_input, run_id FROM "
             "requests WHERE outcome = 'lost'") ==
        std::vector<std::vector<std::string>>{
            {"r-cut", "2", "1", "100", "run-7"}});
  CHECK(Count(path, "open_calls") == 0);
}

TEST_CASE("After kill -9 every row is there once and the cut call is lost",
          "[ledger][store][crash][LED-2]") {
  const int calls = GENERATE(0, 1, 40);
  const bool stored = GENERATE(false, true);
  const int64_t segment_bytes = GENERATE(1, 5'000, 1 << 20);
  CAPTURE(calls, stored, segment_bytes);
  StoreOptions options;
  options.segment_bytes = segment_bytes;
  StoreFixture fixture(options);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) DieWriting(fixture, calls, stored);
  REQUIRE(WasKilled(child));

  auto store = fixture.Open();
  REQUIRE_THAT(fixture.Query(*store), IsOk());
  while (Count(fixture.path(), "requests") < calls + 1) {
    REQUIRE_THAT(fixture.Query(*store), IsOk());
  }
  CheckAllIsThere(fixture.path(), calls);
  REQUIRE_THAT(store->Close(kPatience), IsOk());
  CheckAllIsThere(fixture.path(), calls);
  CHECK(std::filesystem::is_empty(fixture.path() + ".journal"));
}

TEST_CASE("An adoption that was cut short is repeated without harm",
          "[ledger][store][crash]") {
  StoreFixture fixture;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) DieWriting(fixture, 5, false);
  REQUIRE(WasKilled(child));
  const std::string journals = fixture.path() + ".journal";
  const std::string copy = fixture.dir().File("copy");
  std::filesystem::copy(journals, copy,
                        std::filesystem::copy_options::recursive);
  REQUIRE_THAT(fixture.Open()->Close(kPatience), IsOk());
  CheckAllIsThere(fixture.path(), 5);
  // As if the process had died before it removed the journal.
  std::filesystem::copy(copy, journals,
                        std::filesystem::copy_options::recursive);
  REQUIRE_THAT(fixture.Open()->Close(kPatience), IsOk());
  CheckAllIsThere(fixture.path(), 5);
}

TEST_CASE("A torn tail costs nothing but itself", "[ledger][store][crash]") {
  StoreFixture fixture;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) DieWriting(fixture, 5, false);
  REQUIRE(WasKilled(child));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           fixture.path() + ".journal")) {
    if (entry.path().extension() != ".log") continue;
    // The last frame, with a-known's record and a-lost's intent, loses a byte.
    std::filesystem::resize_file(entry.path(), entry.file_size() - 1);
  }
  REQUIRE_THAT(fixture.Open()->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "requests WHERE outcome = 'ok'") == 5);
  CHECK(Rows(fixture.path(),
             "SELECT attempt_id FROM attempts WHERE outcome = 'lost'") ==
        std::vector<std::vector<std::string>>{{"a-known"}});
  CHECK(Count(fixture.path(), "quarantine WHERE kind = 'journal'") == 1);
}

// Puts a link that leads nowhere but to itself in a file's place.
void Obstruct(const std::filesystem::path& file,
              const std::filesystem::path& kept) {
  std::filesystem::rename(file, kept);
  std::filesystem::create_symlink(file, file);
}

TEST_CASE("A dead process's journal that cannot be read stays until it can",
          "[ledger][store][crash]") {
  StoreFixture fixture;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) DieWriting(fixture, 5, false);
  REQUIRE(WasKilled(child));
  std::filesystem::path segment;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           fixture.path() + ".journal")) {
    if (entry.path().extension() == ".log") segment = entry.path();
  }
  const std::string kept = fixture.dir().File("kept");
  Obstruct(segment, kept);
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("live")), IsOk());
  ledger.reset();
  CHECK_THAT(store->Close(kPatience), IsOk());
  // What can be read is stored meanwhile, and nothing is called torn.
  CHECK(Count(fixture.path(), "requests") == 1);
  CHECK(Count(fixture.path(), "quarantine") == 0);
  REQUIRE(std::filesystem::is_symlink(segment));
  std::filesystem::rename(kept, segment);
  REQUIRE_THAT(fixture.Open()->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "requests WHERE outcome = 'ok'") == 6);
  CHECK(Count(fixture.path(), "attempts WHERE outcome = 'lost'") == 1);
}

TEST_CASE("A journal that cannot be read for a while loses no row",
          "[ledger][store][crash]") {
  StoreFixture fixture;
  auto store = fixture.Open();
  auto ledger = store->MakeLedger(0);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("1")), IsOk());
  REQUIRE_THAT(fixture.Query(*store).status(), IsOk());
  std::filesystem::path segment;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           fixture.path() + ".journal")) {
    if (entry.path().extension() == ".log") segment = entry.path();
  }
  const std::string kept = fixture.dir().File("kept");
  Obstruct(segment, kept);
  REQUIRE_THAT(fixture.Append(*ledger, SampleCall("2")), IsOk());
  ledger.reset();
  CHECK_THAT(store->Close(absl::Milliseconds(200)),
             HasCode(absl::StatusCode::kUnavailable));
  store.reset();
  std::filesystem::rename(kept, segment);
  REQUIRE_THAT(fixture.Open()->Close(kPatience), IsOk());
  CHECK(Count(fixture.path(), "requests WHERE outcome = 'ok'") == 2);
  CHECK(Count(fixture.path(), "quarantine") == 0);
}

}  // namespace
}  // namespace llm::server
