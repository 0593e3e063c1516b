#include "server/auth/key_table.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "adapters/core/status_macros.h"

namespace llm::server {
namespace {

constexpr char kColumns[] =
    "key_id, digest, prefix, name, org, team, user, models, org_admin, "
    "created_us, expires_us, revoked_us";

absl::Status RaiseGeneration(Database& database) {
  return database.Execute(
      "UPDATE meta SET value = value + 1 WHERE name = 'keys_generation'");
}

absl::Status BindTime(Statement& statement, int index,
                      const std::optional<absl::Time>& time) {
  return time ? statement.BindInt(index, absl::ToUnixMicros(*time))
              : statement.BindNull(index);
}

std::optional<absl::Time> TimeOf(const Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return absl::FromUnixMicros(row.Int(column));
}

KeyRow RowOf(const Statement& row) {
  KeyRow key;
  key.id = row.Text(0);
  const std::string digest = row.Text(1);
  std::copy_n(digest.begin(), std::min(digest.size(), key.digest.size()),
              key.digest.begin());
  key.prefix = row.Text(2);
  key.name = row.Text(3);
  key.org = row.Text(4);
  key.team = row.Text(5);
  key.user = row.Text(6);
  key.models = absl::StrSplit(row.Text(7), '\n', absl::SkipEmpty());
  key.org_admin = row.Int(8) != 0;
  key.created = absl::FromUnixMicros(row.Int(9));
  key.expires = TimeOf(row, 10);
  key.revoked = TimeOf(row, 11);
  return key;
}

std::string TimeText(const std::optional<absl::Time>& time) {
  if (!time) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", *time, absl::UTCTimeZone());
}

}  // namespace

absl::Status InsertKey(Database& database, const KeyRow& row) {
  LLM_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database));
  LLM_ASSIGN_OR_RETURN(
      Statement insert,
      database.Prepare(absl::StrCat("INSERT INTO keys (", kColumns,
                                    ") VALUES "
                                    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")));
  const std::string_view digest(
      reinterpret_cast<const char*>(row.digest.data()),  // NOLINT: bytes
      row.digest.size());
  LLM_RETURN_IF_ERROR(insert.BindText(1, row.id));
  LLM_RETURN_IF_ERROR(insert.BindBlob(2, digest));
  LLM_RETURN_IF_ERROR(insert.BindText(3, row.prefix));
  LLM_RETURN_IF_ERROR(insert.BindText(4, row.name));
  LLM_RETURN_IF_ERROR(insert.BindText(5, row.org));
  LLM_RETURN_IF_ERROR(insert.BindText(6, row.team));
  LLM_RETURN_IF_ERROR(insert.BindText(7, row.user));
  LLM_RETURN_IF_ERROR(insert.BindText(8, absl::StrJoin(row.models, "\n")));
  LLM_RETURN_IF_ERROR(insert.BindInt(9, row.org_admin ? 1 : 0));
  LLM_RETURN_IF_ERROR(insert.BindInt(10, absl::ToUnixMicros(row.created)));
  LLM_RETURN_IF_ERROR(BindTime(insert, 11, row.expires));
  LLM_RETURN_IF_ERROR(BindTime(insert, 12, row.revoked));
  LLM_RETURN_IF_ERROR(insert.Run());
  LLM_RETURN_IF_ERROR(RaiseGeneration(database));
  return transaction.Commit();
}

absl::StatusOr<std::vector<KeyRow>> ReadKeys(Database& database) {
  LLM_ASSIGN_OR_RETURN(
      Statement row,
      database.Prepare(absl::StrCat("SELECT ", kColumns,
                                    " FROM keys ORDER BY created_us, key_id")));
  std::vector<KeyRow> keys;
  absl::StatusOr<bool> more = row.Step();
  for (; more.ok() && *more; more = row.Step()) keys.push_back(RowOf(row));
  LLM_RETURN_IF_ERROR(more.status());
  return keys;
}

absl::StatusOr<KeyRow> RevokeKey(Database& database, const std::string& id,
                                 absl::Time now) {
  LLM_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database));
  LLM_ASSIGN_OR_RETURN(
      Statement row,
      database.Prepare(absl::StrCat("UPDATE keys SET revoked_us = "
                                    "coalesce(revoked_us, ?) WHERE key_id = ? "
                                    "RETURNING ",
                                    kColumns)));
  LLM_RETURN_IF_ERROR(row.BindInt(1, absl::ToUnixMicros(now)));
  LLM_RETURN_IF_ERROR(row.BindText(2, id));
  LLM_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return absl::NotFoundError("no key with this id");
  KeyRow key = RowOf(row);
  LLM_RETURN_IF_ERROR(row.Run());
  LLM_RETURN_IF_ERROR(RaiseGeneration(database));
  LLM_RETURN_IF_ERROR(transaction.Commit());
  return key;
}

absl::StatusOr<int64_t> KeysGeneration(Database& database) {
  return database.QueryInt(
      "SELECT value FROM meta WHERE name = 'keys_generation'");
}

v1::VirtualKey ToProto(const KeyRow& row) {
  v1::VirtualKey key;
  key.set_id(row.id);
  key.set_name(row.name);
  key.set_org(row.org);
  key.set_team(row.team);
  key.set_user(row.user);
  for (const std::string& model : row.models) key.add_models(model);
  key.set_created_at(TimeText(row.created));
  key.set_expires_at(TimeText(row.expires));
  key.set_revoked_at(TimeText(row.revoked));
  key.set_org_admin(row.org_admin);
  key.set_prefix(row.prefix);
  return key;
}

}  // namespace llm::server
