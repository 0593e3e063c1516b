#include "server/auth/sqlite_key_store.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "server/ledger/schema.h"

namespace llm::server {
namespace {

constexpr absl::Duration kRefresh = absl::Milliseconds(250);
constexpr absl::Duration kBusyTimeout = absl::Seconds(1);
// How long a revocation made elsewhere may be missed while the store cannot
// be read. An outage of the store's file system rarely ends by itself later.
constexpr absl::Duration kLongestUnverified = absl::Seconds(60);
constexpr size_t kLongestName = 128;
constexpr size_t kLongestText = 256;
constexpr int kMostModels = 1000;

std::string_view BytesOf(const KeyDigest& digest) {
  return {reinterpret_cast<const char*>(digest.data()),  // NOLINT: bytes
          digest.size()};
}

// The same words whatever is wrong: they teach nothing [SEC-7].
absl::Status Refused() {
  return absl::UnauthenticatedError("missing or invalid API key");
}

absl::Status Unavailable(const absl::Status& status) {
  if (status.ok() || absl::IsNotFound(status) || absl::IsCancelled(status)) {
    return status;
  }
  return absl::UnavailableError(status.message());
}

absl::Status CheckTexts(const v1::CreateKeyRequest& request) {
  if (request.name().empty() || request.name().size() > kLongestName) {
    return absl::InvalidArgumentError("name: must have 1 to 128 characters");
  }
  for (const std::string* text :
       {&request.org(), &request.team(), &request.user()}) {
    if (text->size() > kLongestText) {
      return absl::InvalidArgumentError(
          "org, team, user: at most 256 characters each");
    }
  }
  if (request.models_size() > kMostModels) {
    return absl::InvalidArgumentError("models: at most 1000");
  }
  for (const std::string& model : request.models()) {
    if (model.empty() || model.size() > kLongestText ||
        model.find('\n') != std::string::npos) {
      return absl::InvalidArgumentError("models: not a model id");
    }
  }
  return absl::OkStatus();
}

}  // namespace

struct SqliteKeyStore::Snapshot {
  absl::flat_hash_map<KeyDigest, KeyRow> by_digest;
};

SqliteKeyStore::SqliteKeyStore(std::string path, const Clock* clock,
                               Random* random)
    : path_(std::move(path)), clock_(clock), random_(random) {
  // A failure stands in Check's answers and is tried again by the thread.
  Refresh().IgnoreError();
  thread_ =
      std::make_unique<SideThread>("the store", [this] { return Tick(); });
}

SqliteKeyStore::~SqliteKeyStore() { Stop(); }

void SqliteKeyStore::Stop() { thread_->Stop(); }

absl::Duration SqliteKeyStore::Tick() {
  if (!Refresh().ok()) database_.reset();
  return kRefresh;
}

absl::Status SqliteKeyStore::Connect() {
  if (database_ != nullptr) return absl::OkStatus();
  LLM_ASSIGN_OR_RETURN(database_, OpenMigrated(path_, kBusyTimeout));
  data_version_ = -1;
  return absl::OkStatus();
}

absl::Status SqliteKeyStore::Refresh() {
  // Before the read: what it finds is at least as new.
  const Instant now = clock_->Monotonic();
  LLM_RETURN_IF_ERROR(ReadChanges());
  MutexLock lock(mutex_);
  verified_ = now;
  return absl::OkStatus();
}

absl::Status SqliteKeyStore::ReadChanges() {
  LLM_RETURN_IF_ERROR(Connect());
  // Changes with every commit of another connection; costs no read.
  LLM_ASSIGN_OR_RETURN(const int64_t version,
                       database_->QueryInt("PRAGMA data_version"));
  if (version == data_version_) return absl::OkStatus();
  LLM_ASSIGN_OR_RETURN(const int64_t generation, KeysGeneration(*database_));
  if (generation != generation_) LLM_RETURN_IF_ERROR(Load());
  data_version_ = version;
  return absl::OkStatus();
}

absl::Status SqliteKeyStore::Load() {
  // The counter first: keys newer than it are only read twice.
  LLM_ASSIGN_OR_RETURN(const int64_t generation, KeysGeneration(*database_));
  LLM_ASSIGN_OR_RETURN(std::vector<KeyRow> rows, ReadKeys(*database_));
  auto next = std::make_shared<Snapshot>();
  for (KeyRow& row : rows) {
    if (row.revoked) continue;
    const KeyDigest digest = row.digest;
    next->by_digest.emplace(digest, std::move(row));
  }
  generation_ = generation;
  MutexLock lock(mutex_);
  keys_ = std::move(next);
  return absl::OkStatus();
}

std::shared_ptr<const SqliteKeyStore::Snapshot> SqliteKeyStore::Trusted()
    const {
  const Instant now = clock_->Monotonic();
  MutexLock lock(mutex_);
  if (now - verified_ > kLongestUnverified) return nullptr;
  return keys_;
}

absl::Status SqliteKeyStore::Health() const {
  if (Trusted() != nullptr) return absl::OkStatus();
  return absl::UnavailableError("keys cannot be verified");
}

absl::StatusOr<Caller> SqliteKeyStore::Check(std::string_view secret,
                                             absl::Time now) const {
  const std::shared_ptr<const Snapshot> keys = Trusted();
  // Cannot verify is not the same as refused [ERR-3].
  if (keys == nullptr) return absl::UnavailableError("keys cannot be checked");
  if (!IsKeySecret(secret)) return Refused();
  const KeyDigest digest = DigestOf(secret);
  const auto found = keys->by_digest.find(digest);
  if (found == keys->by_digest.end()) return Refused();
  const KeyRow& row = found->second;
  if (!ConstantTimeEquals(BytesOf(row.digest), BytesOf(digest)) ||
      (row.expires && *row.expires <= now)) {
    return Refused();
  }
  Caller caller;
  caller.key_id = KeyId{row.id};
  caller.org = row.org;
  caller.team = row.team;
  caller.user = row.user;
  caller.allowed_models = row.models;
  caller.org_admin = row.org_admin;
  caller.tenant = row.id;
  return caller;
}

absl::StatusOr<KeyRow> SqliteKeyStore::MakeRow(
    const v1::CreateKeyRequest& request) const {
  LLM_RETURN_IF_ERROR(CheckTexts(request));
  KeyRow row;
  row.created = clock_->WallNow();
  row.id = absl::StrCat("key_", MintUuidV7(row.created, *random_));
  row.name = CleanText(request.name());
  row.org = CleanText(request.org());
  row.team = CleanText(request.team());
  row.user = CleanText(request.user());
  row.models.assign(request.models().begin(), request.models().end());
  row.org_admin = request.org_admin();
  if (request.expires_at().empty()) return row;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, request.expires_at(),
                       &row.expires.emplace(), &error) ||
      *row.expires == absl::InfiniteFuture()) {
    return absl::InvalidArgumentError(
        "expires_at: not a time; use 2026-01-31T10:00:00Z");
  }
  if (*row.expires <= row.created) {
    return absl::InvalidArgumentError("expires_at: is in the past");
  }
  return row;
}

absl::Status SqliteKeyStore::StoreNew(const KeyRow& row) {
  LLM_RETURN_IF_ERROR(Connect());
  LLM_RETURN_IF_ERROR(InsertKey(*database_, row));
  LoadSoon();
  return absl::OkStatus();
}

// The change is stored; if it cannot be read back now, the next tick does.
void SqliteKeyStore::LoadSoon() {
  if (Load().ok()) return;
  data_version_ = -1;
  generation_ = -1;
}

Task<absl::StatusOr<v1::CreateKeyResponse>> SqliteKeyStore::Create(
    v1::CreateKeyRequest request) {
  absl::StatusOr<KeyRow> row = MakeRow(request);
  if (!row.ok()) co_return row.status();
  const std::string secret = MakeKeySecret();
  row->digest = DigestOf(secret);
  row->prefix = KeyPrefix(secret);
  v1::CreateKeyResponse response;
  *response.mutable_key() = ToProto(*row);
  response.set_secret(secret);
  std::function<absl::Status()> work = [this, row = *std::move(row)] {
    return StoreNew(row);
  };
  const absl::Status done = co_await RunOn(thread_.get(), std::move(work));
  if (!done.ok()) co_return Unavailable(done);
  co_return response;
}

Task<absl::StatusOr<v1::ListKeysResponse>> SqliteKeyStore::List(
    bool include_revoked) {
  // Shared, since a cancelled caller leaves while the thread still fills it.
  const auto response = std::make_shared<v1::ListKeysResponse>();
  std::function<absl::Status()> work = [this, response,
                                        include_revoked]() -> absl::Status {
    LLM_RETURN_IF_ERROR(Connect());
    LLM_ASSIGN_OR_RETURN(const std::vector<KeyRow> rows, ReadKeys(*database_));
    for (const KeyRow& row : rows) {
      if (row.revoked && !include_revoked) continue;
      *response->add_keys() = ToProto(row);
    }
    return absl::OkStatus();
  };
  const absl::Status done = co_await RunOn(thread_.get(), std::move(work));
  if (!done.ok()) co_return Unavailable(done);
  co_return std::move(*response);
}

Task<absl::StatusOr<v1::RevokeKeyResponse>> SqliteKeyStore::Revoke(
    std::string id) {
  const auto response = std::make_shared<v1::RevokeKeyResponse>();
  std::function<absl::Status()> work = [this, response, id]() -> absl::Status {
    LLM_RETURN_IF_ERROR(Connect());
    LLM_ASSIGN_OR_RETURN(const KeyRow row,
                         RevokeKey(*database_, id, clock_->WallNow()));
    *response->mutable_key() = ToProto(row);
    LoadSoon();
    return absl::OkStatus();
  };
  const absl::Status done = co_await RunOn(thread_.get(), std::move(work));
  if (!done.ok()) co_return Unavailable(done);
  co_return std::move(*response);
}

}  // namespace llm::server
