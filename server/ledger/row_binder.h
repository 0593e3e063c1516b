// Two readers of a row's columns: one makes the SQL, one binds the values.
// Both take the same calls in the same order (row_columns.h).
//
// Ownership: a row that is bound, and every view, outlives the run of the
//            statement; only strings that are moved in are copied.
#ifndef LLM_SERVER_LEDGER_ROW_BINDER_H_
#define LLM_SERVER_LEDGER_ROW_BINDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "server/ledger/sqlite_database.h"

namespace llm::server {

class NameList {
 public:
  template <typename T>
  void operator()(const char* name, const T&) {
    names_.emplace_back(name);
  }
  std::string InsertSql(const std::string& table, const std::string& id) const {
    const std::vector<std::string> marks(names_.size(), "?");
    // Not INSERT OR IGNORE: that would swallow faulty rows too.
    return absl::StrCat(
        "INSERT INTO ", table, " (", absl::StrJoin(names_, ", "), ") VALUES (",
        absl::StrJoin(marks, ", "), ") ON CONFLICT (", id, ") DO NOTHING");
  }

 private:
  std::vector<std::string> names_;
};

class RowBinder {
 public:
  explicit RowBinder(Statement& statement) : statement_(statement) {}
  const absl::Status& status() const { return status_; }

  // Members of the row and words of ours, which outlast the statement's run.
  void operator()(const char*, const std::string& v) {
    Keep(statement_.BindLasting(++index_, v));
  }
  void operator()(const char*, std::string_view v) {
    Keep(statement_.BindLasting(++index_, v));
  }
  // What was made for this call does not.
  void operator()(const char*, std::string&& v) {
    Keep(statement_.BindText(++index_, v));
  }
  void operator()(const char*, int64_t v) {
    Keep(statement_.BindInt(++index_, v));
  }
  void operator()(const char* name, int v) { (*this)(name, int64_t{v}); }
  void operator()(const char* name, bool v) { (*this)(name, v ? 1 : 0); }
  void operator()(const char* name, absl::Time v) {
    (*this)(name, absl::ToUnixMicros(v));
  }
  void operator()(const char* name, absl::Duration v) {
    (*this)(name, absl::ToInt64Microseconds(v));
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& v) {
    if (v) {
      (*this)(name, *v);
    } else {
      Keep(statement_.BindNull(++index_));
    }
  }

 private:
  void Keep(absl::Status status) { status_.Update(status); }
  Statement& statement_;
  int index_ = 0;
  absl::Status status_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_ROW_BINDER_H_
