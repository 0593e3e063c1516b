// Virtual keys: made, listed, revoked, looked up.
//
// A key's secret is "sk-" and 48 alphanumerics (51 characters: it passes the
// validators of every client seen). Only its SHA-256 digest is stored; lookup
// is by digest with bound parameters [SEC-3], compared in constant time.
//
// Threads: Any event loop. Check is answered from memory and never waits;
//          the others are awaited on the calling loop.
// Several processes on one store act as one: a key made or revoked at one
// counts at the others within two seconds [SEC-8].
#ifndef LLM_SERVER_AUTH_KEY_STORE_H_
#define LLM_SERVER_AUTH_KEY_STORE_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/core/task.h"
#include "llm/v1/admin.pb.h"
#include "router/router.h"

namespace llm::server {

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  // The caller behind a secret. kUnauthenticated, always with the same
  // words, if it is unknown, revoked or expired at `now`; kUnavailable while
  // keys cannot be verified.
  virtual absl::StatusOr<Caller> Check(std::string_view secret,
                                       absl::Time now) const = 0;
  virtual Task<absl::StatusOr<v1::CreateKeyResponse>> Create(
      v1::CreateKeyRequest request) = 0;
  virtual Task<absl::StatusOr<v1::ListKeysResponse>> List(
      bool include_revoked) = 0;
  // kNotFound for an id that never was; revoking twice succeeds.
  virtual Task<absl::StatusOr<v1::RevokeKeyResponse>> Revoke(
      std::string id) = 0;
  // OK, or why keys cannot be verified, for /readyz.
  virtual absl::Status Health() const = 0;
};

}  // namespace llm::server

#endif  // LLM_SERVER_AUTH_KEY_STORE_H_
