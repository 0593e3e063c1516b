// A SQLite connection and its prepared statements, with our errors.
//
// Threads: One at a time per connection.
// Errors:  By whose fault it is, since that decides what follows:
//          kInvalidArgument: this row cannot be stored (constraint, too big);
//          kDataLoss: not a database, or damaged; kResourceExhausted: disk
//          full; kCancelled: interrupted; kUnavailable: busy, locked, or any
//          other trouble that may pass. Messages never hold bound values.
#ifndef LLM_SERVER_LEDGER_SQLITE_DATABASE_H_
#define LLM_SERVER_LEDGER_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace llm::server {

// `text` as valid UTF-8 without NUL: what is neither becomes U+FFFD. SQLite
// would take the bytes and hand them to readers that choke on them.
std::string CleanText(std::string_view text);

class Statement {
 public:
  // Parameters count from 1, columns from 0.
  absl::Status BindText(int index, std::string_view text);  // cleaned
  // The same without a copy: `text` stays as it is until the next Reset.
  absl::Status BindLasting(int index, std::string_view text);
  absl::Status BindBlob(int index, std::string_view bytes);
  absl::Status BindInt(int index, int64_t value);
  absl::Status BindNull(int index);
  // True: there is a row. After the last one, or an error, Reset.
  absl::StatusOr<bool> Step();
  // Steps to the end of a statement without rows of interest, and resets.
  absl::Status Run();
  void Reset();
  std::string Text(int column) const;
  int64_t Int(int column) const;
  bool IsNull(int column) const;
  int columns() const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  absl::Status Bound(int index, bool empty, int code);
  absl::Status BindEmpty(int index);

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  // By index: the parameter holds "". Most texts of a row do, row after row,
  // and SQLite keeps what is bound over a reset.
  std::vector<bool> empty_;
};

// The first Open of a process tells SQLite not to count its memory.
class Database {
 public:
  // Opens or makes the file, in WAL mode with synchronous=FULL: our commits
  // are groups, a few a second, so a sync each is cheap, and a power cut then
  // loses only what was still in the journal. A file that it makes is readable
  // and writable for its owner only.
  // `busy_timeout`: how long a statement waits for another's lock.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const std::string& path, absl::Duration busy_timeout);

  // Statements without rows of interest, separated by semicolons.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<Statement> Prepare(const std::string& sql);
  // The first column of the only row.
  absl::StatusOr<int64_t> QueryInt(const std::string& sql);
  // Any thread: makes the running statement fail with kCancelled.
  void Interrupt();
  sqlite3* handle() const { return database_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Closer> database_;
};

// BEGIN IMMEDIATE on construction; rolls back unless committed.
class Transaction {
 public:
  static absl::StatusOr<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  absl::Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;  // null once committed
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_SQLITE_DATABASE_H_
