#include "server/ledger/row_writer.h"

#include <string>
#include <utility>
#include <variant>

#include "adapters/core/status_macros.h"
#include "server/ledger/row_binder.h"
#include "server/ledger/row_columns.h"

namespace llm::server {
namespace {

constexpr char kQuarantine[] =
    "INSERT INTO quarantine (kind, id, reason, bytes, at_us) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
constexpr char kCarry[] =
    "INSERT INTO open_calls (instance, request_id, entries) VALUES (?, ?, ?) "
    "ON CONFLICT (instance, request_id) DO UPDATE SET entries = "
    "excluded.entries";

std::string AttemptSql() {
  NameList names;
  AttemptColumns(names, AttemptRecord());
  return names.InsertSql("attempts", "attempt_id");
}

std::string RequestSql() {
  NameList names;
  RequestColumns(names, RequestRecord());
  return names.InsertSql("requests", "request_id");
}

}  // namespace

absl::StatusOr<RowWriter> RowWriter::Make(Database& database) {
  RowWriter writer;
  const std::pair<Statement*, std::string> statements[] = {
      {&writer.attempt_, AttemptSql()},
      {&writer.request_, RequestSql()},
      {&writer.quarantine_, kQuarantine},
      {&writer.carry_, kCarry},
      {&writer.end_carried_,
       "DELETE FROM open_calls WHERE instance = ? AND request_id = ?"},
      {&writer.end_all_carried_, "DELETE FROM open_calls WHERE instance = ?"},
      {&writer.carried_of_,
       "SELECT entries FROM open_calls WHERE instance = ?"},
  };
  for (const auto& [statement, sql] : statements) {
    LLM_ASSIGN_OR_RETURN(*statement, database.Prepare(sql));
  }
  return writer;
}

absl::StatusOr<bool> RowWriter::Insert(const LedgerEntry& entry,
                                       absl::Time now) {
  if (const auto* attempt = std::get_if<AttemptRecord>(&entry)) {
    RowBinder row(attempt_);
    AttemptColumns(row, *attempt);
    return Finish(attempt_, row.status(), "attempt",
                  attempt->intent.attempt_id.value, now);
  }
  if (const auto* request = std::get_if<RequestRecord>(&entry)) {
    RowBinder row(request_);
    RequestColumns(row, *request);
    return Finish(request_, row.status(), "request",
                  request->identity.request_id.value, now);
  }
  return false;
}

absl::StatusOr<bool> RowWriter::Finish(Statement& statement, absl::Status bound,
                                       std::string_view kind,
                                       std::string_view id, absl::Time now) {
  absl::Status stored = bound.ok() ? statement.Run() : bound;
  if (stored.ok()) return false;
  if (!absl::IsInvalidArgument(stored)) return stored;
  LLM_RETURN_IF_ERROR(Quarantine(kind, id.substr(0, 64),
                                 std::string(stored.message()), 0, now));
  return true;
}

absl::Status RowWriter::Quarantine(std::string_view kind, std::string_view id,
                                   std::string_view reason, int64_t bytes,
                                   absl::Time now) {
  RowBinder row(quarantine_);
  row("kind", kind), row("id", id), row("reason", reason);
  row("bytes", bytes), row("at_us", now);
  LLM_RETURN_IF_ERROR(row.status());
  return quarantine_.Run();
}

absl::Status RowWriter::Carry(std::string_view instance,
                              std::string_view request_id,
                              std::string_view entries) {
  LLM_RETURN_IF_ERROR(carry_.BindText(1, instance));
  LLM_RETURN_IF_ERROR(carry_.BindText(2, request_id));
  LLM_RETURN_IF_ERROR(carry_.BindBlob(3, entries));
  return carry_.Run();
}

absl::Status RowWriter::EndCarried(std::string_view instance,
                                   std::string_view request_id) {
  LLM_RETURN_IF_ERROR(end_carried_.BindText(1, instance));
  LLM_RETURN_IF_ERROR(end_carried_.BindText(2, request_id));
  return end_carried_.Run();
}

absl::Status RowWriter::EndAllCarried(std::string_view instance) {
  LLM_RETURN_IF_ERROR(end_all_carried_.BindText(1, instance));
  return end_all_carried_.Run();
}

absl::StatusOr<std::vector<std::string>> RowWriter::CarriedOf(
    std::string_view instance) {
  std::vector<std::string> frames;
  LLM_RETURN_IF_ERROR(carried_of_.BindText(1, instance));
  absl::StatusOr<bool> row = carried_of_.Step();
  while (row.ok() && *row) {
    frames.push_back(carried_of_.Text(0));
    row = carried_of_.Step();
  }
  carried_of_.Reset();
  LLM_RETURN_IF_ERROR(row.status());
  return frames;
}

}  // namespace llm::server
