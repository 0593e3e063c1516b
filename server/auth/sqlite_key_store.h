// Virtual keys in the SQLite store, answered from memory.
//
// A thread with a connection of its own looks every quarter of a second
// whether another connection has changed the file, and reads the keys again
// when they have changed. While the store cannot be read, the keys read last
// go on counting for a minute; after that, and before they were read once,
// Check says kUnavailable.
#ifndef LLM_SERVER_AUTH_SQLITE_KEY_STORE_H_
#define LLM_SERVER_AUTH_SQLITE_KEY_STORE_H_

#include <memory>
#include <string>

#include "adapters/core/clock.h"
#include "adapters/core/mutex.h"
#include "adapters/core/random.h"
#include "server/auth/key_store.h"
#include "server/auth/key_table.h"
#include "server/core/side_thread.h"

namespace llm::server {

class SqliteKeyStore : public KeyStore {
 public:
  // `clock` and `random` outlive it. Tries to read the keys before it returns.
  SqliteKeyStore(std::string path, const Clock* clock, Random* random);
  ~SqliteKeyStore() override;

  absl::StatusOr<Caller> Check(std::string_view secret,
                               absl::Time now) const override;
  Task<absl::StatusOr<v1::CreateKeyResponse>> Create(
      v1::CreateKeyRequest request) override;
  Task<absl::StatusOr<v1::ListKeysResponse>> List(
      bool include_revoked) override;
  Task<absl::StatusOr<v1::RevokeKeyResponse>> Revoke(std::string id) override;
  absl::Status Health() const override;
  // The changes under way end; later ones fail with kUnavailable.
  void Stop();

 private:
  struct Snapshot;
  absl::Duration Tick();
  absl::Status Refresh();
  absl::Status ReadChanges();
  absl::Status Load();
  void LoadSoon();
  absl::Status Connect();
  absl::Status StoreNew(const KeyRow& row);
  // The keys, or null where they are too old to be trusted.
  std::shared_ptr<const Snapshot> Trusted() const;
  absl::StatusOr<KeyRow> MakeRow(const v1::CreateKeyRequest& request) const;

  const std::string path_;
  const Clock* const clock_;
  Random* const random_;

  // Of the thread.
  std::unique_ptr<Database> database_;
  int64_t data_version_ = -1;
  int64_t generation_ = -1;

  mutable Mutex mutex_;
  // Shared with the checks that read it while it is replaced; the mutex is
  // held for the copy of a pointer. Null: never read.
  std::shared_ptr<const Snapshot> keys_ ABSL_GUARDED_BY(mutex_);
  // When the store last said that they are the keys of that moment.
  Instant verified_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<SideThread> thread_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_AUTH_SQLITE_KEY_STORE_H_
