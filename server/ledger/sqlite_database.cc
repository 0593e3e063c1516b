#include "server/ledger/sqlite_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"

namespace llm::server {
namespace {

absl::Status SqliteStatus(sqlite3* database, int code) {
  // An extended code has the primary one in its lowest byte.
  const int primary = code & 0xFF;
  // Before anything is written: this is every bind and every step.
  if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE) {
    return absl::OkStatus();
  }
  const std::string what =
      absl::StrCat("store: ", database != nullptr ? sqlite3_errmsg(database)
                                                  : sqlite3_errstr(code));
  switch (primary) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return absl::InvalidArgumentError(what);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return absl::DataLossError(what);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(what);
    case SQLITE_INTERRUPT:
      return absl::CancelledError(what);
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return absl::InternalError(what);
    default:
      return absl::UnavailableError(what);
  }
}

// Usage and key digests are the service's alone; SQLite would make the file
// readable for all, and gives -wal and -shm the mode that it finds. Never
// opens a file that is there: closing it would drop the locks that other
// connections of this process hold. Failures are SQLite's to tell.
void MakePrivateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
  if (fd >= 0) close(fd);
}

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629:
// no surrogates, no overlong forms), 0 if there is none or it is NUL.
size_t SequenceLength(std::string_view text) {
  const auto at = [&text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&at](size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned lead = at(0);
  if (lead > 0 && lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0 && at(1) < 0xA0) return 0;
    if (lead == 0xED && at(1) > 0x9F) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0 && at(1) < 0x90) return 0;
    if (lead == 0xF4 && at(1) > 0x8F) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Nothing to clean: ASCII without NUL, as almost everything recorded is.
bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) - 1U < 0x7FU;
  });
}

absl::Status BindStatus(sqlite3_stmt* statement, int code) {
  return SqliteStatus(sqlite3_db_handle(statement), code);
}

}  // namespace

std::string CleanText(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) {
      clean += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    clean.append(text.substr(0, length));
    text.remove_prefix(length);
  }
  return clean;
}

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

absl::Status Statement::Bound(int index, bool empty, int code) {
  const auto at = static_cast<size_t>(index);
  if (at >= empty_.size()) empty_.resize(at + 1);
  empty_[at] = empty && code == SQLITE_OK;
  return BindStatus(statement_.get(), code);
}

absl::Status Statement::BindText(int index, std::string_view text) {
  const std::string clean = CleanText(text);
  return Bound(
      index, false,
      sqlite3_bind_text64(statement_.get(), index, clean.data(), clean.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8));
}

absl::Status Statement::BindLasting(int index, std::string_view text) {
  if (text.empty()) return BindEmpty(index);
  if (!IsPlain(text)) return BindText(index, text);
  return Bound(index, false,
               sqlite3_bind_text64(statement_.get(), index, text.data(),
                                   text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

absl::Status Statement::BindEmpty(int index) {
  const auto at = static_cast<size_t>(index);
  if (at < empty_.size() && empty_[at]) return absl::OkStatus();
  return Bound(index, true,
               sqlite3_bind_text64(statement_.get(), index, "", 0,
                                   SQLITE_STATIC, SQLITE_UTF8));
}

absl::Status Statement::BindBlob(int index, std::string_view bytes) {
  return Bound(index, false,
               sqlite3_bind_blob64(statement_.get(), index, bytes.data(),
                                   bytes.size(), SQLITE_TRANSIENT));
}

absl::Status Statement::BindInt(int index, int64_t value) {
  return Bound(index, false,
               sqlite3_bind_int64(statement_.get(), index, value));
}

absl::Status Statement::BindNull(int index) {
  return Bound(index, false, sqlite3_bind_null(statement_.get(), index));
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return BindStatus(statement_.get(), code);
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  Reset();
  return row.status();
}

void Statement::Reset() {
  // Repeats the error that Step has told.
  sqlite3_reset(statement_.get());
}

std::string Statement::Text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return "";
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

int Statement::columns() const {
  return sqlite3_column_count(statement_.get());
}

namespace {

// SQLite would count each allocation under a lock, for figures that nobody
// asks for. Only the first use of the library in a process can say so; where
// somebody else had it, it counts.
void DoNotCountMemory() {
  [[maybe_unused]] static const int said =
      sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

void Database::Closer::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const std::string& path, absl::Duration busy_timeout) {
  MakePrivateFile(path);
  DoNotCountMemory();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  LLM_RETURN_IF_ERROR(SqliteStatus(handle, code));
  sqlite3_busy_timeout(
      handle, static_cast<int>(absl::ToInt64Milliseconds(busy_timeout)));
  LLM_RETURN_IF_ERROR(
      database->Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"));
  return database;
}

absl::Status Database::Execute(const std::string& sql) {
  return SqliteStatus(
      handle(), sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr));
}

absl::StatusOr<Statement> Database::Prepare(const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(
      handle(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  Statement statement;
  statement.statement_.reset(raw);
  LLM_RETURN_IF_ERROR(SqliteStatus(handle(), code));
  return statement;
}

absl::StatusOr<int64_t> Database::QueryInt(const std::string& sql) {
  LLM_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  LLM_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::NotFoundError("store: no row");
  return statement.Int(0);
}

void Database::Interrupt() { sqlite3_interrupt(handle()); }

absl::StatusOr<Transaction> Transaction::Begin(Database& database) {
  LLM_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(&database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // Fails only where SQLite has already rolled back by itself.
  if (database_ != nullptr) database_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  LLM_RETURN_IF_ERROR(database_->Execute("COMMIT"));
  database_ = nullptr;
  return absl::OkStatus();
}

}  // namespace llm::server
