// Virtual keys as rows.
//
// Every change raises a counter in the same transaction, by which other
// processes notice it.
//
// Threads: Those of the connection.
#ifndef LLM_SERVER_AUTH_KEY_TABLE_H_
#define LLM_SERVER_AUTH_KEY_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "llm/v1/admin.pb.h"
#include "server/auth/key_secret.h"
#include "server/ledger/sqlite_database.h"

namespace llm::server {

struct KeyRow {
  std::string id;
  KeyDigest digest{};
  std::string prefix;
  std::string name;
  std::string org;
  std::string team;
  std::string user;
  std::vector<std::string> models;  // empty: all
  bool org_admin = false;
  absl::Time created;
  std::optional<absl::Time> expires;
  std::optional<absl::Time> revoked;
};

absl::Status InsertKey(Database& database, const KeyRow& row);
// Oldest first.
absl::StatusOr<std::vector<KeyRow>> ReadKeys(Database& database);
// The row after it; one that was revoked before keeps its time. kNotFound for
// an unknown id.
absl::StatusOr<KeyRow> RevokeKey(Database& database, const std::string& id,
                                 absl::Time now);
absl::StatusOr<int64_t> KeysGeneration(Database& database);

v1::VirtualKey ToProto(const KeyRow& row);

}  // namespace llm::server

#endif  // LLM_SERVER_AUTH_KEY_TABLE_H_
